/**
 * Whose a quote of a game is, where there is more than one shard: the shard's own, another's, or not known yet. It
 * follows from the time that the quote's publisher gave it and from what the orchestrator announced, and from no clock
 * of the shard: two shards that hear of a move at different moments, one of them much later, never both decide on the
 * same quote.
 */

import type { GameState } from '../model/game.js'
import { LEASE_MS } from '../model/handover.js'

export type Right = 'own' | 'other' | 'unknown'

/** An orchestrator that is silent for so long may have moved every game, us. */
const MAX_SILENCE_US = 2_500_000
/** A game that was given away is kept for so long after that, for quotes that are still to come, ms. */
const KEPT_MS = 5_000
/** Steps of a game that are remembered; nothing comes that is older than a few moves. */
const MAX_STEPS = 8

/** The orchestrator's word, as far as this shard has it whole. */
export class Lease {
  /** Of its games everything was heard that was said until then; its clock, ms. */
  toldMs = -Infinity
  /** When it said so, by this process's monotonic clock, us. */
  sentUs = -Infinity

  /** Nothing that is not known yet takes effect before this, ms. */
  get untilMs(): number {
    return this.toldMs + LEASE_MS
  }

  isFresh(nowUs: number): boolean {
    return nowUs - this.sentUs <= MAX_SILENCE_US
  }
}

type Owner = number | 'nobody' | 'unknown'

interface Step {
  readonly fromMs: number
  readonly owner: Owner
}

export class Ownership {
  private steps: readonly Step[] = []

  constructor(
    private readonly index: number,
    readonly lease: Lease,
  ) {}

  /** The orchestrator's newest word. What was known of the time before a move stays. */
  told({ shard, handover }: Pick<GameState, 'shard' | 'handover'>): void {
    if (handover === undefined) {
      this.steps = [{ fromMs: -Infinity, owner: shard }]
      return
    }
    const { from, atMs } = handover
    // An orchestrator that does not know who had it before says the new one twice.
    const former: Owner = from === shard ? 'nobody' : from
    const before = this.steps
      .filter(({ fromMs }) => fromMs < atMs)
      .map((step) => (step.owner === 'unknown' ? { ...step, owner: former } : step))
      .slice(-MAX_STEPS)
    const first: Step = { fromMs: -Infinity, owner: former }
    this.steps = [...(before.length === 0 ? [first] : before), { fromMs: atMs, owner: shard }]
  }

  /** Something may have been said that is lost: what is known ends where the lease does, until the next word. */
  doubt(): void {
    const { untilMs } = this.lease
    const before = this.steps.filter(({ fromMs }) => fromMs < untilMs)
    this.steps = [...before, { fromMs: untilMs, owner: 'unknown' }]
  }

  /** Whose a quote is that its publisher sent at `sentMs`. */
  of(sentMs: number): Right {
    if (sentMs >= this.lease.untilMs) return 'unknown'
    const owner = this.steps.findLast(({ fromMs }) => fromMs <= sentMs)?.owner
    if (owner === 'unknown') return owner
    return owner === this.index ? 'own' : 'other'
  }

  /** Whether every quote is this shard's that its publisher sent from `fromMs` to `toMs`. */
  isOwnBetween(fromMs: number, toMs: number): boolean {
    const begun = this.steps.findLastIndex((step) => step.fromMs <= fromMs)
    return this.steps
      .slice(Math.max(0, begun))
      .every((step) => step.owner === this.index || step.fromMs > toMs)
  }

  /** Quotes of this shard's come, or may still come, at `nowMs` of the orchestrator's clock. */
  isWanted(nowMs: number): boolean {
    const last = this.steps.at(-1)
    if (last === undefined || last.owner === this.index) return last !== undefined
    return nowMs < last.fromMs + KEPT_MS && this.steps.some(({ owner }) => owner === this.index)
  }
}
