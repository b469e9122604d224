/** One process at a disk: when it is killed, in the middle of a change perhaps, nothing that it still does has an effect. */

import type { JournalStorage } from '../../src/lib/bus/journal/storage.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import { systemError } from './sim-disk.js'
import type { SimDisk } from './sim-disk.js'

export class DiskSession implements JournalStorage {
  /** The process is dead. */
  isOver = false
  private changesLeft = Infinity

  constructor(
    private readonly disk: SimDisk,
    private readonly prng: Prng,
  ) {}

  /** The process dies after so many more changes, in the middle of the last one. */
  strikeAt(changes: number): void {
    this.changesLeft = changes
  }

  lock(): void {
    // One process at a time is the simulator's own rule.
  }

  holder(): number | undefined {
    return undefined
  }

  list(): string[] {
    return this.disk.list()
  }

  size(name: string): number {
    return this.disk.size(name)
  }

  read(name: string): Buffer {
    return this.disk.read(name)
  }

  load(name: string): Promise<Buffer> {
    return new Promise((resolve) => resolve(this.read(name)))
  }

  append(name: string, bytes: Buffer): number {
    let count = 0
    this.change(
      () => (count = this.disk.append(name, bytes)),
      () => this.disk.append(name, bytes.subarray(0, this.prng.int(0, bytes.length))),
    )
    return count
  }

  truncate(name: string, length: number): void {
    this.change(() => this.disk.truncate(name, length))
  }

  remove(name: string): void {
    this.change(() => this.disk.remove(name))
  }

  writeWhole(name: string, text: string): void {
    this.change(() => this.disk.writeWhole(name, text))
  }

  sync(): Promise<void> {
    return new Promise((resolve) => {
      this.syncNow()
      resolve()
    })
  }

  syncNow(): void {
    if (this.isOver) throw systemError('EIO')
    this.disk.sync()
  }

  close(): void {
    // Nothing is held.
  }

  /** The last change happens in part, or not at all. */
  private change(whole: () => void, part = whole): void {
    if (this.isOver) throw systemError('EIO')
    if (this.changesLeft-- > 0) {
      whole()
      return
    }
    this.isOver = true
    if (part !== whole || this.prng.chance(0.5)) part()
    throw systemError('EIO')
  }
}
