/** Redis as the mirrors see it: late, down, back with less than it had, its answers lost, its writes ended half-way. */

import { isBefore } from '../../src/lib/bus/position.js'
import type { Position } from '../../src/lib/bus/position.js'
import type { Item } from '../../src/lib/mirror/item.js'
import type { WriteOutcome } from '../../src/lib/mirror/mirror-core.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import type { EventLoop } from './event-loop.js'
import type { ModelStore, StoreState } from './model-store.js'
import type { Link } from './network.js'
import type { LogEntry } from './oracle.js'
import { Violation } from './violation.js'

const COMMAND_TIMEOUT_MS = 300

export class SimStore {
  /** Of a write, that it ends at some step. */
  errorChance = 0
  up = true
  private readonly saved: StoreState[] = []
  private readonly onClose: (() => void)[] = []

  constructor(
    private readonly loop: EventLoop,
    private readonly prng: Prng,
    private readonly model: ModelStore,
    private readonly trace: (text: string) => void,
  ) {}

  /** A connection; `closed` is told when Redis goes down. */
  connect(there: Link, back: Link, closed: () => void): StoreConnection {
    this.onClose.push(closed)
    return new StoreConnection(this.loop, this, there, back)
  }

  read(): Position & { readonly closed: boolean } {
    return this.model.read()
  }

  write(base: Position, items: readonly Item[]): WriteOutcome {
    const fails = this.errorChance > 0 && this.prng.chance(this.errorChance)
    const outcome = this.model.write(base, items, fails ? this.prng.int(0, items.length) : Infinity)
    this.trace(`store ${outcome.status} ${outcome.checkpoint.epoch}:${outcome.checkpoint.seq}`)
    return outcome
  }

  /** A state to come back to. */
  save(): void {
    this.saved.push(this.model.capture())
  }

  /** Back to some earlier state, or to nothing. */
  rollBack(toNothing: boolean): void {
    const keep = toNothing ? 0 : this.prng.int(0, this.saved.length)
    this.saved.length = keep
    this.model.restore(this.saved.at(-1))
    const { epoch, seq } = this.model.read()
    this.trace(`store rolled back to ${epoch}:${seq}`)
  }

  goDown(): void {
    this.up = false
    for (const closed of this.onClose) closed()
  }

  /**
   * Each string holds the newest of its topic that is in the stream, or a newer one whose entry failed after it was set
   * and which nobody could give again. Throws `Violation`.
   */
  judgeStrings(): void {
    const { streams, strings } = this.model.capture()
    const newest = new Map([...streams.values()].flat().map((entry) => [entry.topic, entry]))
    for (const [topic, { epoch, seq }] of newest) {
      const held = strings.get(topic)
      if (held !== undefined && !isBefore(held, { epoch, seq })) continue
      throw new Violation(
        'stale value',
        `string ${topic} is at ${held?.epoch}:${held?.seq}, not ${epoch}:${seq}`,
      )
    }
  }

  /** The stream and `arbees:gaps`, merged by position; each must be in order by itself. */
  log(): LogEntry[] {
    const { streams, gaps } = this.model.capture()
    const records = [...streams.values()].flat().map((entry): LogEntry => ({ kind: 'record', ...entry }))
    const merged: LogEntry[] = []
    let next = 0
    for (const gap of gaps) {
      while (next < records.length && isAhead(records[next]!, gap)) merged.push(records[next++]!)
      merged.push({ kind: 'gap', ...gap })
    }
    merged.push(...records.slice(next))
    return merged
  }
}

const isAhead = (record: LogEntry, gap: { readonly epoch: number; readonly from: number }): boolean =>
  record.epoch < gap.epoch ||
  (record.epoch === gap.epoch && record.kind === 'record' && record.seq < gap.from)

/** What one client has in flight. */
export class StoreConnection {
  constructor(
    private readonly loop: EventLoop,
    private readonly store: SimStore,
    private readonly there: Link,
    private readonly back: Link,
  ) {}

  /** Settles once: with undefined when Redis is down, or nobody knows how it ended. */
  call<T>(command: () => T, settle: (reply: T | undefined) => void): void {
    let settled = false
    const finish = (reply: T | undefined): void => {
      if (settled) return
      settled = true
      settle(reply)
    }
    this.there.send(() => {
      if (!this.store.up) return
      const reply = command()
      this.back.send(() => finish(reply))
    })
    this.loop.after(COMMAND_TIMEOUT_MS, () => finish(undefined))
  }
}
