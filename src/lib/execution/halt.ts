/**
 * The latch that stops trading. A file, a request on the recovery socket or a key in Redis makes it fall, and it stays
 * fallen, over restarts too, until `resume` asks for its end in the latch file and no trigger is left. What cannot be
 * looked at counts as a trigger.
 */

import { statSync } from 'node:fs'
import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { isAtLeast, parseHaltOrder } from '../model/halt.js'
import type { HaltLevel, HaltOrder } from '../model/halt.js'
import type { Env, Mode } from '../model/venue.js'
import { haltPath, latchPath, readIfThere, readLatch, removeFile, writeLatch } from './halt-files.js'
import type { Latch, ResumeRequest } from './halt-files.js'

export interface HaltLatchOptions {
  readonly dataDir: string
  readonly env: Env
  readonly mode: Mode
  readonly clock: Clock
  /** What the ledger says halted an earlier life, if nothing let it go on since. */
  readonly before?: HaltOrder | undefined
  /** The latch fell, or fell further: from entries to all. */
  readonly onHalt: (order: HaltOrder) => void
  readonly onResume: (request: ResumeRequest) => void
  /** The latch file cannot be written or read: told once each time the words change. */
  readonly onProblem: (text: string) => void
}

/** How often triggers and requests are looked for when no signal comes. */
const WATCH_MS = 50

export class HaltLatch {
  private latch: Latch | undefined
  private timer: NodeJS.Timeout | undefined
  private redis: HaltOrder | undefined
  private problem: string | undefined
  private readonly path: string

  /** Takes up what an earlier life was halted by, and looks at the triggers. */
  constructor(private readonly options: HaltLatchOptions) {
    const { dataDir, env, mode, before } = options
    this.path = latchPath(dataDir, env, mode)
    const left = this.readLatch()
    const held = left ?? before
    if (held !== undefined) {
      const { reason, by } = held
      const level = before?.level === 'all' ? 'all' : held.level
      this.latch = { level, reason, by, atMs: left?.atMs ?? options.clock.nowMs() }
      // A request to go on was made to an earlier life, perhaps long ago: it is void, a start is no answer to it.
      if (left === undefined || left.resume !== undefined) this.write(this.latch)
      // The ledger may have failed to take it.
      if (before === undefined) options.onHalt(this.latch)
    }
    this.look()
  }

  /** What is stopped at this moment; undefined when nothing is. A few microseconds: cheap enough before each order. */
  level(): HaltLevel | undefined {
    if (this.latch?.level !== 'all') this.look()
    return this.latch?.level
  }

  /** Why, and by whom. */
  get order(): HaltOrder | undefined {
    return this.latch
  }

  /** Somebody says stop. A request to go on that was not taken up yet is void. */
  halt(order: HaltOrder): void {
    if (isAtLeast(this.latch?.level, order.level)) {
      if (this.latch === undefined) return
      this.latch = { ...this.latch, atMs: Math.max(this.options.clock.nowMs(), this.latch.atMs + 1) }
      this.write(this.latch)
      return
    }
    this.fall(order)
  }

  /** What stands in Redis now; undefined for nothing. It halts once, and stands against `resume` as long as it is there. */
  redisSays(order: HaltOrder | undefined): void {
    this.redis = order
    if (order !== undefined && !isAtLeast(this.latch?.level, order.level)) this.fall(order)
  }

  /** Looks 20 times a second: a halt between signals is seen too, and so is a request to go on. */
  watch(): void {
    this.timer ??= setInterval(() => {
      this.look()
      this.takeResume()
    }, WATCH_MS)
    this.timer.unref()
  }

  close(): void {
    clearInterval(this.timer)
  }

  private look(): void {
    const trigger = this.fileTrigger()
    if (trigger !== undefined && !isAtLeast(this.latch?.level, trigger.level)) this.fall(trigger)
  }

  private fileTrigger(): HaltOrder | undefined {
    const { dataDir } = this.options
    const path = haltPath(dataDir)
    try {
      if (statSync(path, { throwIfNoEntry: false }) === undefined) {
        return statSync(dataDir).isDirectory() ? undefined : unreadable(`${dataDir} is no directory`)
      }
      return parseHaltOrder(readIfThere(path) ?? '', `${path} is there`)
    } catch {
      return unreadable(`${path} cannot be looked at`)
    }
  }

  private fall({ level, reason, by }: HaltOrder): void {
    const latch = { level, reason, by, atMs: this.options.clock.nowMs() }
    this.latch = latch
    this.write(latch)
    this.options.onHalt(latch)
  }

  private takeResume(): void {
    if (this.latch === undefined) return
    const asked = this.readLatch()
    // Removed by hand: that is no reason to go on.
    if (asked === undefined) return this.write(this.latch)
    if (asked.resume === undefined) return
    // Asked for the end of an earlier halt than this.
    if (asked.atMs !== this.latch.atMs) return this.write(this.latch)
    const standing = this.standing()
    if (standing !== undefined) return this.write({ ...this.latch, refused: standing })
    const { resume } = asked
    this.latch = undefined
    this.attempt(() => removeFile(this.path))
    this.options.onResume(resume)
  }

  /** The trigger that is still there. */
  private standing(): string | undefined {
    const file = this.fileTrigger()
    if (file !== undefined) return `${haltPath(this.options.dataDir)}: ${file.reason}`
    return this.redis === undefined ? undefined : `the halt key in Redis: ${this.redis.reason}`
  }

  private readLatch(): Latch | undefined {
    try {
      return readLatch(this.path)
    } catch (error) {
      this.tell(error)
      return { ...unreadable(`${this.path} cannot be read`), atMs: this.options.clock.nowMs() }
    }
  }

  private write(latch: Latch): void {
    this.attempt(() => writeLatch(this.path, latch))
  }

  private attempt(act: () => void): void {
    try {
      act()
      this.problem = undefined
    } catch (error) {
      this.tell(error)
    }
  }

  private tell(error: unknown): void {
    const text = messageOf(error)
    if (text === this.problem) return
    this.problem = text
    this.options.onProblem(text)
  }
}

const unreadable = (reason: string): HaltOrder => ({ level: 'entries', reason, by: 'exec' })
