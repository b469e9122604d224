/** Writes the settings file: whole or not at all, and as open or closed to others as it was. */

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseSetting } from '../core/config.js'
import { assertProfileName, parseConfigText, readConfigText } from '../core/config-file.js'
import { ArbeesError, EXIT, codeOf, messageOf } from '../core/errors.js'
import { assertPrivateFile, hasPassword } from '../core/secrets.js'
import { isSettingKey, nearHint, nearestKey } from '../core/settings.js'
import type { SettingKey } from '../core/settings.js'
import { checkConfigText } from './config-check.js'
import { setInConfigText } from './config-edit.js'
import { configTemplate } from './config-template.js'

/** Only the owner reads a new one: a password may come to stand in it. */
const NEW_FILE_MODE = 0o600
/** How long another one may take to write the same file. */
const LOCK_WAIT_MS = 5_000
const LOCK_RETRY_MS = 10

/** Writes the commented file. Throws `CONFIG_EXISTS` (exit 4) without `force`, `CONFIG_NOT_WRITTEN` (exit 4). */
export async function initConfig(path: string, force: boolean): Promise<void> {
  await replaceFile(path, () => {
    if (!existsSync(path) || force) return configTemplate()
    throw new ArbeesError('CONFIG_EXISTS', `${path} is there already`, {
      exit: EXIT.CONFIG,
      hint: 'replace it with --force, or name another with --file',
    })
  })
}

export interface ConfigChange {
  readonly key: SettingKey
  readonly value: string
  readonly profile: string | undefined
}

/**
 * Reads what `config set` was given; `isTyped`: on the command line, where every user of the host can read it. Throws
 * `UNKNOWN_SETTING`, `BAD_CONFIG`, `BAD_PROFILE`, `SECRET_IN_FLAG` (usage).
 */
export function readChange(
  key: string,
  value: string,
  { profile, isTyped }: { readonly profile: string | undefined; readonly isTyped: boolean },
): ConfigChange {
  if (profile !== undefined) assertProfileName(profile)
  if (isTyped && hasPassword(value)) {
    throw new ArbeesError('SECRET_IN_FLAG', `the value of ${key} holds a password`, {
      exit: EXIT.USAGE,
      hint: `give it on stdin: arbees config set ${key} - < FILE`,
    })
  }
  if (!isSettingKey(key)) {
    throw new ArbeesError('UNKNOWN_SETTING', `no setting is named '${key}'`, {
      exit: EXIT.USAGE,
      hint: nearHint(nearestKey(key)),
    })
  }
  try {
    parseSetting(key, value)
  } catch (error) {
    const hint = error instanceof ArbeesError ? error.hint : undefined
    throw new ArbeesError('BAD_CONFIG', messageOf(error), {
      exit: EXIT.USAGE,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  return { key, value, profile }
}

/**
 * Sets one value; makes the file when there is none, and waits for another one who writes it. Throws `BAD_CONFIG`
 * (exit 4) when the file would not be valid with it, or the value cannot be set alone; `OPEN_SECRET` for a password in
 * a file that others can read, `CONFIG_NOT_WRITTEN` (exit 4).
 */
export async function setConfig(path: string, change: ConfigChange): Promise<void> {
  await replaceFile(path, () => changedText(path, change))
}

function changedText(path: string, { key, value, profile }: ConfigChange): string {
  const before = existsSync(path) ? readConfigText(path) : ''
  if (existsSync(path) && hasPassword(value)) assertPrivateFile(path)
  const [broken] = parseConfigText(before).problems
  if (broken !== undefined) throw notValid(path, broken.line, broken.message)
  const after = edited(path, () => setInConfigText(before, key, value, profile))
  const [problem] = checkConfigText(after, path).problems
  if (problem !== undefined) throw notValid(path, problem.line, problem.message)
  return after
}

function edited(path: string, edit: () => string): string {
  try {
    return edit()
  } catch (error) {
    throw error instanceof ArbeesError ? notValid(path, null, error.message, error.hint) : error
  }
}

const notValid = (
  path: string,
  line: number | null,
  message: string,
  hint = 'arbees config validate shows all that is wrong with it',
): ArbeesError =>
  new ArbeesError('BAD_CONFIG', `${path}${line === null ? '' : `:${line}`} stays as it is: ${message}`, {
    exit: EXIT.CONFIG,
    hint,
  })

/**
 * Puts what `write` returns in the place of a file. The draft is the lock, too: it is there for one at a time, and
 * becomes the file; so `write` reads what nobody changes before its text is in place.
 */
async function replaceFile(path: string, write: () => string): Promise<void> {
  try {
    const target = targetOf(path)
    const draft = `${target}.lock`
    mkdirSync(dirname(target), { recursive: true })
    const file = await openAlone(draft)
    try {
      const old = statSync(target, { throwIfNoEntry: false })
      if (old !== undefined) assertReplaceable(target, old)
      writeFileSync(file, write())
      if (old !== undefined) keepAccess(file, old)
      fsyncSync(file)
      renameSync(draft, target)
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof ArbeesError) throw error
    throw notWritten(path, messageOf(error), 'name another file with --config', error)
  }
}

const notWritten = (path: string, why: string, hint: string, cause?: unknown): ArbeesError =>
  new ArbeesError('CONFIG_NOT_WRITTEN', `cannot write ${path}: ${why}`, { exit: EXIT.CONFIG, hint, cause })

/** The file itself: a link stays one. */
function targetOf(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path
  throw notWritten(path, 'it is a link to a file that is not there', 'make that file, or remove the link')
}

/** A descriptor of a file that was not there before. */
async function openAlone(path: string): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    try {
      return openSync(path, 'wx', NEW_FILE_MODE)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      if (waitedMs < LOCK_WAIT_MS) await setTimeout(LOCK_RETRY_MS)
      else throw notWritten(path, 'another one writes it', `if nobody does, remove what was left: rm ${path}`)
    }
  }
}

/** To replace a file takes no permission on it; who took that away meant it, of root too. */
function assertReplaceable(path: string, old: Stats): void {
  if (!old.isFile()) throw notWritten(path, 'it is no file', 'name another file with --config')
  accessSync(path, constants.W_OK)
  if ((old.mode & 0o222) === 0) throw notWritten(path, 'it is read-only', `chmod u+w ${path}`)
}

/** Only root may give a file away; another user's copy is his own. */
function keepAccess(file: number, { mode, uid, gid }: Stats): void {
  const own = fstatSync(file)
  if ((own.uid !== uid || own.gid !== gid) && process.getuid?.() === 0) fchownSync(file, uid, gid)
  fchmodSync(file, mode & 0o777)
}
