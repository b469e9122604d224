/** What a replay says on stderr: how far it is, what it left out, and what it was in the end. */

import { sanitize } from '../core/sanitize.js'
import type { Refusal } from '../messages/codec.js'
import { formatCount, plural } from '../view/units.js'
import type { PastTally } from './past-tally.js'

/** Problems of one kind are told so often; then they are counted. */
const TOLD = 3

export class ReplayTalk {
  private readonly problems = new Map<string, number>()
  private lastMs: number

  /** Takes a line without its end; progress is told so often, never with Infinity. */
  constructor(
    private readonly talk: (line: string) => void,
    private readonly nowMs: () => number,
    private readonly progressMs: number,
  ) {
    this.lastMs = nowMs()
  }

  /** Messages that were left out. */
  get refused(): number {
    return [...this.problems.values()].reduce((sum, count) => sum + count, 0)
  }

  problem({ reason, detail }: Refusal): void {
    const count = (this.problems.get(reason) ?? 0) + 1
    this.problems.set(reason, count)
    if (count > TOLD) return
    const more = count === TOLD ? ' (more of these are only counted)' : ''
    this.talk(sanitize(`left out, ${reason}: ${detail}${more}`))
  }

  progress({ messages, lastMs }: PastTally): void {
    if (this.nowMs() - this.lastMs < this.progressMs) return
    this.lastMs = this.nowMs()
    this.talk(`${plural(messages, 'message')}, at ${timeOf(lastMs)}`)
  }

  /** `12,345 messages from 2026-01-27T20:14:07.123Z to …, 2 gaps (30 missing), 1 left out (bad_entry 1)`. */
  summary({ messages, gaps, missing, firstMs, lastMs }: PastTally): void {
    const named = [...this.problems].map(([reason, count]) => `${reason} ${formatCount(count)}`).join(', ')
    const parts = [
      messages === 0
        ? plural(0, 'message')
        : `${plural(messages, 'message')} from ${timeOf(firstMs)} to ${timeOf(lastMs)}`,
      gaps === 0 ? '0 gaps' : `${plural(gaps, 'gap')} (${formatCount(missing)} missing)`,
      ...(this.refused === 0 ? [] : [`${formatCount(this.refused)} left out (${sanitize(named)})`]),
    ]
    this.talk(parts.join(', '))
  }
}

/** The latest time that ECMAScript can write. */
const MAX_TIME_MS = 8.64e15

const timeOf = (ms: number | undefined): string =>
  ms === undefined || !(Math.abs(ms) <= MAX_TIME_MS) ? '-' : new Date(ms).toISOString()
