/**
 * A disk of memory that fails as disks do: full, without what was not synced after a power cut, with bytes that changed,
 * or empty. The processes that write to it are in `disk-session.ts`.
 */

import type { Prng } from '../../src/lib/sim/prng.js'

interface File {
  bytes: Buffer
  length: number
  /** Durable up to here. */
  synced: number
}

export class SimDisk {
  /** Bytes that it still takes. */
  free = Infinity
  private readonly files = new Map<string, File>()
  /** Removed since the last sync: a power cut may bring them back. */
  private readonly removed = new Map<string, File>()
  /** Files were deleted that somebody may be writing to. */
  private isWiped = false

  constructor(private readonly prng: Prng) {}

  cutPower(): void {
    for (const [name, file] of this.removed) {
      if (!this.files.has(name) && this.prng.chance(0.5)) this.files.set(name, file)
    }
    for (const [name, file] of this.files) this.loseUnsynced(name, file)
    this.removed.clear()
  }

  /** One bit becomes another. False when there is none. */
  flipBit(): boolean {
    const names = this.list()
    const file = this.files.get(names[this.prng.int(0, names.length - 1)] ?? '')
    if (file === undefined || file.length === 0) return false
    const at = this.prng.int(0, file.length - 1)
    file.bytes[at] = file.bytes[at]! ^ (1 << this.prng.int(0, 7))
    return true
  }

  /** Whoever writes to a file of before learns of it when it syncs. */
  wipe(): void {
    this.isWiped = true
    this.files.clear()
    this.removed.clear()
  }

  list(): string[] {
    return [...this.files.keys()].sort()
  }

  size(name: string): number {
    return this.find(name).length
  }

  read(name: string): Buffer {
    const { bytes, length } = this.find(name)
    return Buffer.from(bytes.subarray(0, length))
  }

  append(name: string, bytes: Buffer): number {
    if (this.free < 1 && bytes.length > 0) throw systemError('ENOSPC')
    const count = Math.min(bytes.length, this.free)
    const file = this.files.get(name) ?? { bytes: Buffer.alloc(1_024), length: 0, synced: 0 }
    this.files.set(name, file)
    if (file.length + count > file.bytes.length) {
      file.bytes = Buffer.concat([file.bytes, Buffer.alloc(file.bytes.length + count)])
    }
    bytes.copy(file.bytes, file.length, 0, count)
    file.length += count
    this.free -= count
    return count
  }

  truncate(name: string, length: number): void {
    const file = this.find(name)
    file.length = Math.min(file.length, length)
    file.synced = Math.min(file.synced, length)
  }

  remove(name: string): void {
    const file = this.files.get(name)
    if (file === undefined) return
    this.removed.set(name, file)
    this.files.delete(name)
  }

  writeWhole(name: string, text: string): void {
    if (this.free < text.length) throw systemError('ENOSPC')
    const bytes = Buffer.from(text)
    this.files.set(name, { bytes, length: bytes.length, synced: bytes.length })
    this.isWiped = false
  }

  sync(): void {
    if (this.isWiped) throw systemError('ENOENT')
    for (const file of this.files.values()) file.synced = file.length
    this.removed.clear()
  }

  private loseUnsynced(name: string, file: File): void {
    const { prng } = this
    if (file.synced === file.length) return
    if (file.synced === 0 && prng.chance(0.3)) {
      this.files.delete(name)
      return
    }
    const from = prng.int(file.synced, file.length)
    // Its length was written and its bytes were not, or only some of them.
    if (prng.chance(0.3)) file.bytes.fill(prng.chance(0.5) ? 0 : prng.int(1, 255), from, file.length)
    else file.length = from
    file.synced = file.length
  }

  private find(name: string): File {
    const file = this.files.get(name)
    if (file === undefined) throw systemError('ENOENT')
    return file
  }
}

/** As the operating system says it. */
export const systemError = (code: string): Error => Object.assign(new Error(code), { code })
