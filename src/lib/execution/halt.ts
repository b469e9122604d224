/**
 * The halt file: while `<data_dir>/halt` exists no entry is taken. Once seen it is latched in this process: removing
 * the file and restarting exec clears it, nothing else does, and the ledger records both. The latch belongs to one
 * process and one data_dir: exec logs the file's whole path at its start. What cannot be read counts as halted. Hedges
 * of plans that are open go on.
 */

import { statSync } from 'node:fs'
import { join } from 'node:path'

export const haltPath = (dataDir: string): string => join(dataDir, 'halt')

/** How often the file is looked for when no signal comes. */
const WATCH_MS = 50

export class HaltLatch {
  private latched = false
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly dataDir: string,
    /** Called once, when the latch falls. */
    private readonly onHalt: (why: string) => void,
  ) {}

  /** Two file system calls, a few microseconds: cheap enough before each entry. */
  check(): boolean {
    if (!this.latched) this.look()
    return this.latched
  }

  /** Looks 20 times a second, so that a halt between signals is seen too. */
  watch(): void {
    this.timer ??= setInterval(() => this.check(), WATCH_MS)
    this.timer.unref()
  }

  close(): void {
    clearInterval(this.timer)
  }

  private look(): void {
    const path = haltPath(this.dataDir)
    try {
      if (statSync(path, { throwIfNoEntry: false }) !== undefined) this.latch(`${path} exists`)
      else if (!statSync(this.dataDir).isDirectory()) this.latch(`${this.dataDir} is no directory`)
    } catch {
      this.latch(`${path} cannot be looked for`)
    }
  }

  private latch(why: string): void {
    this.latched = true
    this.close()
    this.onHalt(why)
  }
}
