/** What a journal needs of a disk: one folder of files that only grow at their end. */

import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstat,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ArbeesError, EXIT, codeOf, messageOf } from '../../core/errors.js'
import { acquireLock, lockHolder, releaseLock } from './lock.js'

/** One folder. Everything but `load` and `sync` is synchronous; system errors are thrown as they are (`ENOSPC`). */
export interface JournalStorage {
  /** Makes the folder and takes it for this process. Throws `JOURNAL_LOCKED`, `JOURNAL_UNUSABLE` (exit CONFIG). */
  lock(): void
  /** The process that writes here, this one too; undefined when none does. */
  holder(): number | undefined
  /** Names of the files; none when there is no folder. */
  list(): string[]
  /** Bytes of a file. */
  size(name: string): number
  /** A whole file. */
  read(name: string): Buffer
  /** A whole file, without holding up this process. */
  load(name: string): Promise<Buffer>
  /** Writes at the end of a file, which is made when there is none; says how many bytes, as write(2) does. */
  append(name: string, bytes: Buffer): number
  truncate(name: string, length: number): void
  /** A file that is not there is removed already. */
  remove(name: string): void
  /** Replaces a file at once and durably, or not at all; makes the folder again when it is gone. */
  writeWhole(name: string, text: string): void
  /** Everything appended before is durable when this resolves. Rejects when that failed or the file is gone. */
  sync(): Promise<void>
  /** The same, waiting for it here. */
  syncNow(): void
  /** Lets the folder go. */
  close(): void
}

const LOCK_FILE = 'lock'

/** A file that is written to. */
interface OpenFile {
  readonly name: string
  readonly fd: number
  /** A sync that runs in the background has it. */
  isBusy: boolean
  /** Another file is written to now. */
  isRetired: boolean
  /** We removed it or put another in its place: nobody else did. */
  isGone: boolean
}

/** The folder `path`, whose files only the owner may read. */
export class FileStorage implements JournalStorage {
  private active: OpenFile | undefined
  private dirty = new Set<OpenFile>()
  /** Those that a sync in the background has. */
  private busy: readonly OpenFile[] = []
  /** A file was made since the last sync: its name must become durable too. */
  private hasNewName = false

  constructor(readonly path: string) {}

  lock(): void {
    let holder: number | undefined
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 })
      holder = acquireLock(this.at(LOCK_FILE))
    } catch (error) {
      throw new ArbeesError('JOURNAL_UNUSABLE', `cannot write in ${this.path}: ${messageOf(error)}`, {
        exit: EXIT.CONFIG,
        hint: 'set data_dir to a folder on a disk with room, that this user may write',
        cause: error,
      })
    }
    if (holder === undefined) return
    throw new ArbeesError('JOURNAL_LOCKED', `process ${holder} writes the journal in ${this.path}`, {
      exit: EXIT.REFUSED,
      hint: 'one process publishes a source: stop the other one, or give this one another data_dir',
    })
  }

  holder(): number | undefined {
    return lockHolder(this.at(LOCK_FILE))
  }

  list(): string[] {
    try {
      return readdirSync(this.path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  size(name: string): number {
    return statSync(this.at(name)).size
  }

  read(name: string): Buffer {
    return readFileSync(this.at(name))
  }

  load(name: string): Promise<Buffer> {
    return readFile(this.at(name))
  }

  append(name: string, bytes: Buffer): number {
    const file = this.active?.name === name ? this.active : this.activate(name)
    this.dirty.add(file)
    return writeSync(file.fd, bytes)
  }

  truncate(name: string, length: number): void {
    truncateSync(this.at(name), length)
  }

  remove(name: string): void {
    this.letGo(name)
    rmSync(this.at(name), { force: true })
  }

  writeWhole(name: string, text: string): void {
    this.letGo(name)
    mkdirSync(this.path, { recursive: true, mode: 0o700 })
    const draft = this.at(`${name}.new`)
    try {
      writeFileSync(draft, text, { mode: 0o600, flush: true })
      renameSync(draft, this.at(name))
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    }
    syncFolder(this.path)
  }

  async sync(): Promise<void> {
    const files = this.takeDirty()
    const hasNewName = this.hasNewName
    this.hasNewName = false
    this.busy = files
    for (const file of files) file.isBusy = true
    try {
      for (const file of files) await syncFile(file)
      if (hasNewName) await syncPath(this.path)
    } finally {
      for (const file of files) {
        file.isBusy = false
        // Written to meanwhile: the next sync needs it open.
        if (!this.dirty.has(file)) closeIfDone(file)
      }
    }
  }

  syncNow(): void {
    for (const file of this.takeDirty()) {
      fdatasyncSync(file.fd)
      closeIfDone(file)
    }
    syncFolder(this.path)
  }

  close(): void {
    this.retire()
    for (const file of this.takeDirty()) closeIfDone(file)
    releaseLock(this.at(LOCK_FILE))
  }

  private at(name: string): string {
    return join(this.path, name)
  }

  private activate(name: string): OpenFile {
    this.retire()
    const fd = openSync(this.at(name), 'a', 0o600)
    this.hasNewName = true
    this.active = { name, fd, isBusy: false, isRetired: false, isGone: false }
    return this.active
  }

  private retire(): void {
    const { active } = this
    if (active === undefined) return
    active.isRetired = true
    this.active = undefined
    if (!this.dirty.has(active)) closeIfDone(active)
  }

  /** The file of that name is about to be removed, or to be another one. */
  private letGo(name: string): void {
    for (const file of [...this.dirty, ...this.busy]) if (file.name === name) file.isGone = true
    if (this.active?.name === name) this.retire()
  }

  private takeDirty(): readonly OpenFile[] {
    const files = [...this.dirty]
    this.dirty = new Set()
    return files
  }
}

/** Durable, and still there: a file that was removed takes writes without a word. */
async function syncFile(file: OpenFile): Promise<void> {
  await promisify(fdatasync)(file.fd)
  const { nlink } = await promisify(fstat)(file.fd)
  if (nlink === 0 && !file.isGone)
    throw new ArbeesError('JOURNAL_REMOVED', 'a file of the journal was removed')
}

async function syncPath(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function closeIfDone(file: OpenFile): void {
  if (file.isRetired && !file.isBusy) closeSync(file.fd)
}
