/** A disk in memory: its process can be killed, its machine can lose power, and it can be full. */

import { ArbeesError } from '../../../../src/lib/core/errors.js'
import type { JournalStorage } from '../../../../src/lib/bus/journal/storage.js'

interface MemoryFile {
  bytes: Buffer
  /** Bytes of it that survive a loss of power. */
  synced: number
}

export class MemoryStorage implements JournalStorage {
  readonly files = new Map<string, MemoryFile>()
  private isLocked = false
  private room = Infinity
  private isBroken = false
  private lastAppend: { readonly name: string; readonly start: number } | undefined

  lock(): void {
    if (this.isLocked) throw new ArbeesError('JOURNAL_LOCKED', 'locked')
    this.isLocked = true
  }

  holder(): number | undefined {
    return this.isLocked ? 1 : undefined
  }

  list(): string[] {
    return [...this.files.keys()]
  }

  size(name: string): number {
    return this.file(name).bytes.length
  }

  read(name: string): Buffer {
    return Buffer.from(this.file(name).bytes)
  }

  load(name: string): Promise<Buffer> {
    return Promise.resolve().then(() => this.read(name))
  }

  append(name: string, bytes: Buffer): number {
    this.assertWorks()
    if (this.room === 0 && bytes.length > 0) throw systemError('ENOSPC')
    const file = this.files.get(name) ?? { bytes: Buffer.alloc(0), synced: 0 }
    const part = bytes.subarray(0, this.room)
    this.lastAppend = { name, start: file.bytes.length }
    file.bytes = Buffer.concat([file.bytes, part])
    this.files.set(name, file)
    this.room -= part.length
    return part.length
  }

  truncate(name: string, length: number): void {
    this.assertWorks()
    const file = this.file(name)
    if (this.lastAppend?.name === name) this.lastAppend = undefined
    this.room += file.bytes.length - length
    file.bytes = file.bytes.subarray(0, length)
    file.synced = Math.min(file.synced, length)
  }

  remove(name: string): void {
    this.assertWorks()
    if (this.lastAppend?.name === name) this.lastAppend = undefined
    this.room += this.files.get(name)?.bytes.length ?? 0
    this.files.delete(name)
  }

  writeWhole(name: string, text: string): void {
    this.assertWorks()
    const bytes = Buffer.from(text)
    // The old file is there until the new one is whole.
    if (this.room < bytes.length) throw systemError('ENOSPC')
    this.room += (this.files.get(name)?.bytes.length ?? 0) - bytes.length
    this.files.set(name, { bytes, synced: bytes.length })
    this.lastAppend = undefined
  }

  /** Done when it returns, not only when it resolves. */
  sync(): Promise<void> {
    try {
      this.syncNow()
      return Promise.resolve()
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  syncNow(): void {
    this.assertWorks()
    for (const file of this.files.values()) file.synced = file.bytes.length
  }

  close(): void {
    this.isLocked = false
  }

  /** SIGKILL: the kernel keeps what was written; of the last append, as many bytes as it had got to. */
  kill(lastAppendKeeps = Infinity): void {
    this.isLocked = false
    const { lastAppend } = this
    this.lastAppend = undefined
    if (lastAppend === undefined) return
    const file = this.file(lastAppend.name)
    file.bytes = file.bytes.subarray(0, lastAppend.start + lastAppendKeeps)
    file.synced = Math.min(file.synced, file.bytes.length)
  }

  /** Loss of power: of each file's bytes that were not synced, `keeps` says how many are there afterwards. */
  powerCut(keeps: (unsyncedBytes: number, name: string) => number = () => 0): void {
    this.isLocked = false
    this.lastAppend = undefined
    for (const [name, file] of this.files) {
      const kept = file.synced + keeps(file.bytes.length - file.synced, name)
      file.bytes = file.bytes.subarray(0, kept)
      file.synced = kept
    }
  }

  /** The disk takes `bytes` more. */
  fill(bytes = 0): void {
    this.room = bytes
  }

  /** There is room again. */
  free(): void {
    this.room = Infinity
  }

  /** Every write fails, as on a disk that is gone, until it is mended. */
  break(): void {
    this.isBroken = true
  }

  mend(): void {
    this.isBroken = false
  }

  /** Turns one bit over. */
  flipBit(name: string, byte: number, bit: number): void {
    const { bytes } = this.file(name)
    bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit)
  }

  /** The same disk again, to be harmed another way. */
  copy(): MemoryStorage {
    const copy = new MemoryStorage()
    for (const [name, { bytes, synced }] of this.files) {
      copy.files.set(name, { bytes: Buffer.from(bytes), synced })
    }
    return copy
  }

  private assertWorks(): void {
    if (this.isBroken) throw systemError('EIO')
  }

  private file(name: string): MemoryFile {
    const file = this.files.get(name)
    if (file === undefined) throw systemError('ENOENT')
    return file
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
