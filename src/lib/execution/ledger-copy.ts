/**
 * A ledger as it stands, copied without a lock: exec holds the file alone, so nobody else can open it, and whoever
 * held a lock for a moment would keep exec from starting.
 *
 * The file is copied before its WAL. What a checkpoint moves meanwhile is in both, unless the WAL was begun anew, which
 * its header tells: then it is copied again.
 */

import {
  closeSync,
  constants,
  copyFileSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ArbeesError, EXIT } from '../core/errors.js'

export interface LedgerCopy {
  readonly path: string
  remove(): void
}

const TRIES = 5
const WAL_HEADER_BYTES = 32

/**
 * Throws `LEDGER_BUSY` for one that changes faster than it can be copied, and what copying a file throws. Not for the
 * process that holds the ledger: to close a file there gives its locks away.
 */
export function copyLedger(path: string): LedgerCopy {
  const folder = mkdtempSync(join(tmpdir(), 'arbees-ledger-'))
  const target = join(folder, basename(path))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const before = generationOf(path)
      copyFileSync(path, target, constants.COPYFILE_FICLONE)
      for (const suffix of ['-wal', '-journal']) copyIfThere(`${path}${suffix}`, `${target}${suffix}`)
      if (generationOf(path) === before) return { path: target, remove }
    }
  } catch (error) {
    remove()
    throw error
  }
  remove()
  throw new ArbeesError('LEDGER_BUSY', `the ledger ${path} changed under ${TRIES} copies of it`, {
    exit: EXIT.UNHEALTHY,
    hint: 'look again',
  })
}

/** The same as long as no WAL was begun anew; without one, as long as the file is untouched. */
function generationOf(path: string): string {
  const header = readStart(`${path}-wal`, WAL_HEADER_BYTES)
  if (header !== undefined && header.length > 0) return header.toString('hex')
  const { ino, size, mtimeMs } = statSync(path)
  return `${ino} ${size} ${mtimeMs}`
}

function readStart(path: string, bytes: number): Buffer | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    const start = Buffer.alloc(bytes)
    return start.subarray(0, readSync(file, start, 0, bytes, 0))
  } finally {
    closeSync(file)
  }
}

function copyIfThere(from: string, to: string): void {
  rmSync(to, { force: true })
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'
