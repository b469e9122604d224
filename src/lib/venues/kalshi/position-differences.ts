/**
 * Where the account's positions differ from what our own trading comes to: what was seen and since when, what has been
 * told, and what the operator accepts. Pure; times are our monotonic clock's, ms, sizes contracts x 10^6.
 */

/** The venue's word on a market: it holds positions, it has paid out, there is none of that name, or no word at all. */
export type MarketWord = 'open' | 'over' | 'none' | 'unanswered'

interface Sight {
  readonly excessE6: number
  readonly sinceMs: number
  /** When it is told, seen once more. */
  readonly dueMs: number
}

/** A market that nobody can say anything about hides its difference no longer. */
const UNANSWERED_MS = 60_000

export class PositionDifferences {
  private readonly accepted: Map<string, number>
  private readonly seen = new Map<string, Sight>()
  private told = new Map<string, number>()

  /** `cacheMs`: a position that is gone may have been paid out while the venue's cache calls its market `active` so long. */
  constructor(
    accepted: ReadonlyMap<string, number>,
    private readonly cacheMs: number,
  ) {
    this.accepted = new Map(accepted)
  }

  /** Markets with a difference, as last seen. */
  get markets(): readonly string[] {
    return [...this.seen.keys()]
  }

  /** What the venue shows beyond what we expect and the operator accepts. */
  excessE6(marketId: string, venueE6: number, expectedE6: number): number {
    return venueE6 - expectedE6 - (this.accepted.get(marketId) ?? 0)
  }

  /**
   * A difference was seen. True when it is to be told now: once, at a second sight of the same, late enough; of a market
   * that the venue does not have, at the first.
   */
  see(
    marketId: string,
    {
      venueE6,
      excessE6,
      word,
    }: {
      readonly venueE6: number
      readonly excessE6: number
      readonly word: Exclude<MarketWord, 'over'>
    },
    nowMs: number,
  ): boolean {
    const before = this.seen.get(marketId)
    const isSecond = before?.excessE6 === excessE6
    const sinceMs = isSecond ? before.sinceMs : nowMs
    const isSure = word === 'none'
    const dueMs =
      sinceMs + (isSure ? 0 : word === 'unanswered' ? UNANSWERED_MS : venueE6 === 0 ? this.cacheMs : 0)
    this.seen.set(marketId, { excessE6, sinceMs, dueMs })
    if (!(isSecond || isSure) || nowMs < dueMs || this.isTold(marketId, excessE6)) return false
    this.told.set(marketId, this.accepts(marketId, excessE6))
    return true
  }

  /** There is none, or the market holds no position any more. */
  clear(marketId: string): void {
    this.seen.delete(marketId)
    this.told.delete(marketId)
  }

  /** It cannot be compared now. */
  skip(marketId: string): void {
    this.seen.delete(marketId)
  }

  /** The soonest time at which something seen and not told could be, for another look; undefined when there is none. */
  dueMs(): number | undefined {
    let soonest: number | undefined
    for (const [marketId, { excessE6, dueMs }] of this.seen) {
      if (this.isTold(marketId, excessE6)) continue
      if (soonest === undefined || dueMs < soonest) soonest = dueMs
    }
    return soonest
  }

  /** The operator goes on with what he was told of. Returns all that he accepts. */
  accept(): ReadonlyMap<string, number> {
    for (const [marketId, sizeE6] of this.told) this.accepted.set(marketId, sizeE6)
    this.told = new Map()
    return this.accepted
  }

  private isTold(marketId: string, excessE6: number): boolean {
    return this.told.get(marketId) === this.accepts(marketId, excessE6)
  }

  /** What the operator takes on when he goes on with it. */
  private accepts(marketId: string, excessE6: number): number {
    return excessE6 + (this.accepted.get(marketId) ?? 0)
  }
}
