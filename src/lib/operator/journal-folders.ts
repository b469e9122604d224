/** Journals on this disk: a folder a source, below `<data_dir>/journal/<env>` or wherever they were copied to. */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseSegmentName } from '../bus/journal/segment-name.js'
import { inputsDir, journalDir, journalRoot } from '../bus/journal/paths.js'
import { FileStorage } from '../bus/journal/storage.js'
import { EPOCHS_FILE } from '../bus/journal/survey.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { INPUTS, familyOfSource, isSource } from '../messages/sources.js'

export interface JournalFolder {
  readonly source: string
  readonly storage: FileStorage
}

/** The journals in `dir`, which is one or holds some. Throws `NO_JOURNAL` (exit USAGE). */
export function findJournals(dir: string): JournalFolder[] {
  const path = resolve(dir)
  const folders = isJournal(path) ? [path] : foldersIn(path).filter(isJournal)
  const found = folders
    .filter((folder) => isSource(basename(folder)))
    .map((folder) => ({ source: basename(folder), storage: new FileStorage(folder) }))
  if (found.length > 0) return found
  throw new ArbeesError('NO_JOURNAL', `no journal is in ${path}`, {
    exit: EXIT.USAGE,
    hint: 'name the folder of a source, or one that holds some: <data_dir>/journal/<env>',
  })
}

const isJournal = (path: string): boolean =>
  isFolder(path) &&
  new FileStorage(path).list().some((name) => name === EPOCHS_FILE || parseSegmentName(name) !== undefined)

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function foldersIn(path: string): string[] {
  if (!isFolder(path)) return []
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name))
    .sort()
}

/** Where to look: the journals of these settings, or what was typed: a folder, or one of their sources. */
export function journalFolder(settings: Settings, given?: string): string {
  if (given === undefined) return journalRoot(settings)
  if (!isSource(given) || existsSync(given)) return given
  return familyOfSource(given) === INPUTS ? inputsDir(settings, given) : journalDir(settings, given)
}
