/**
 * Only the newest of each topic, for whoever is slower than the bus: what waits is replaced by what comes after it on
 * its topic, in the order of the newest. Whoever offers says when nothing more is there to wait for.
 */

import type { Clock } from '../core/clock.js'
import { familyOfSource } from '../messages/sources.js'

/** Families whose every message is the whole state of its topic; a game's too, but its changes are few and all count. */
const CONFLATED: ReadonlySet<string> = new Set(['prices', 'orderbook'])

export const isConflated = (source: string): boolean => CONFLATED.has(familyOfSource(source))

/** One stretch of giving out; then the event loop has its turn. */
const STRETCH_US = 8_000

export class Conflater<T extends { readonly topic: string }> {
  private readonly waiting = new Map<string, T>()
  private rest: NodeJS.Immediate | undefined

  constructor(
    private readonly clock: Clock,
    private readonly deliver: (value: T) => void,
    /** A value that nobody saw: a newer one of its topic took its place. */
    private readonly onReplaced: (value: T) => void,
  ) {}

  offer(value: T): void {
    const { topic } = value
    const older = this.waiting.get(topic)
    if (older !== undefined) {
      this.waiting.delete(topic)
      this.onReplaced(older)
    }
    this.waiting.set(topic, value)
  }

  /** Gives out what waits; what does not fit into one stretch a turn later, unless something newer comes. */
  flush(): void {
    if (this.rest !== undefined || this.waiting.size === 0) return
    const endUs = this.clock.monoUs() + STRETCH_US
    for (const [topic, value] of this.waiting) {
      this.waiting.delete(topic)
      this.deliver(value)
      if (this.waiting.size === 0 || this.clock.monoUs() < endUs) continue
      this.rest = setImmediate(() => {
        this.rest = undefined
        this.flush()
      })
      return
    }
  }

  /** Gives out everything at once. */
  flushAll(): void {
    for (const [topic, value] of this.waiting) {
      this.waiting.delete(topic)
      this.deliver(value)
    }
  }

  close(): void {
    clearImmediate(this.rest)
    this.waiting.clear()
  }
}
