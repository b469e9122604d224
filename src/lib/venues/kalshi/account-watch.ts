/**
 * Is all that happens on the account ours? Fills and positions by the channels as they come, and by the lists after each
 * reconnect and on a timer. A difference of positions is told when it was seen twice.
 */

import { messageOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { formatScaled } from '../../model/price.js'
import type { OwnTrading } from '../ports.js'
import { readPosition, type AccountFill, type AccountPosition } from './account-frames.js'
import { FillWatch, type FillWatchOptions } from './fill-watch.js'
import { readPages } from './pages.js'
import { PositionDifferences, type MarketWord } from './position-differences.js'
import { isJsonObject, textOf } from './wire.js'

export interface AccountWatchOptions extends FillWatchOptions {
  readonly before: OwnTrading
  /** The lists lag behind an outcome by so long at most, ms. */
  readonly lagMs?: number
  /** What the venue says of a market may be so old, ms. */
  readonly cacheMs?: number | undefined
  readonly onNotice: (level: 'info' | 'warn', text: string) => void
}

const LAG_MS = 3_000
/** The venue's copies are some 15 s old at most. */
const CACHE_MS = 20_000
/** Of these a position is still one. */
const OPEN_STATUSES: ReadonlySet<string> = new Set(['initialized', 'inactive', 'active'])

export class AccountWatch {
  private readonly fills: FillWatch
  private readonly differences: PositionDifferences
  private readonly settled = new Set<string>()
  private isLooking = false
  /** Asked for since the last look began. */
  private isWanted = false
  private next: NodeJS.Timeout | undefined
  private readonly lagMs: number

  constructor(private readonly options: AccountWatchOptions) {
    this.fills = new FillWatch(options)
    this.differences = new PositionDifferences(options.before.accepted, options.cacheMs ?? CACHE_MS)
    this.lagMs = options.lagMs ?? LAG_MS
  }

  close(): void {
    clearTimeout(this.next)
  }

  /** A fill that the channel told of. */
  onFill(fill: AccountFill): void {
    if (this.fills.onFill(fill)) this.lookIn(0)
  }

  /** A position that the channel told of: the first sight of a difference, which the list confirms at once or not. */
  onPosition({ marketId, sizeE6 }: AccountPosition): void {
    const nowMs = this.options.nowMs()
    const excessE6 = this.excessE6(marketId, sizeE6, nowMs)
    if (excessE6 === undefined || excessE6 === 0) return
    const isDue = this.differences.see(marketId, { venueE6: sizeE6, excessE6, word: 'open' }, nowMs)
    if (isDue) this.tell(marketId, sizeE6, excessE6, 'open')
    else this.lookAgain()
  }

  /** Compares with the venue's lists now; one look at a time, and one more when it was asked for meanwhile. */
  async look(): Promise<void> {
    this.isWanted = true
    if (this.isLooking) return
    this.isLooking = true
    while (this.isWanted) {
      this.isWanted = false
      // Positions are compared whatever became of the fills: they are the only thing that halts.
      await this.orTell(this.fills.look())
      await this.orTell(this.lookAtPositions())
    }
    this.isLooking = false
  }

  /** The operator goes on: what he was told of is no reason to stop any more. Returns what he accepts from now on. */
  accept(): ReadonlyMap<string, number> {
    return this.differences.accept()
  }

  private async orTell(looking: Promise<void>): Promise<void> {
    try {
      await looking
    } catch (error) {
      this.options.onNotice('warn', `Kalshi account: ${messageOf(error)}`)
    }
  }

  private lookIn(ms: number): void {
    clearTimeout(this.next)
    this.next = setTimeout(() => void this.look(), ms).unref()
  }

  /** What was seen for the first time wants a second look. */
  private lookAgain(leastMs = 0): void {
    const dueMs = this.differences.dueMs()
    if (dueMs !== undefined) this.lookIn(Math.max(leastMs, dueMs - this.options.nowMs()))
  }

  private async lookAtPositions(): Promise<void> {
    const { own, nowMs } = this.options
    const begunMs = nowMs()
    const found = await this.readPositions()
    for (const marketId of new Set([...found.keys(), ...own.markets, ...this.differences.markets])) {
      const venueE6 = found.get(marketId) ?? 0
      const excessE6 = this.excessE6(marketId, venueE6, begunMs)
      if (excessE6 === undefined) this.differences.skip(marketId)
      else if (excessE6 === 0) this.differences.clear(marketId)
      else {
        const word = await this.wordOn(marketId)
        if (word === 'over') this.differences.clear(marketId)
        else if (this.differences.see(marketId, { venueE6, excessE6, word }, nowMs()))
          this.tell(marketId, venueE6, excessE6, word)
      }
    }
    this.lookAgain(this.lagMs)
  }

  private async readPositions(): Promise<ReadonlyMap<string, number>> {
    const { rest, query } = this.options
    const path = '/portfolio/positions'
    const found = new Map<string, number>()
    for await (const page of readPages(rest, path, { ...query, limit: '200' }, 'market_positions')) {
      if (page.kind === 'failed') throw new Error(page.reason)
      for (const item of page.items) {
        const position = readPosition(item, 'ticker')
        if (position === undefined) throw new Error(`GET ${path}: a position is not in the documented form`)
        found.set(position.marketId, position.sizeE6)
      }
    }
    return found
  }

  private tell(marketId: string, venueE6: number, excessE6: number, word: MarketWord): void {
    const [has, wants] = [venueE6, venueE6 - excessE6].map((sizeE6) => formatScaled(sizeE6, 6))
    const name = sanitize(marketId, 100)
    const text =
      word === 'none'
        ? `Kalshi has no market ${name}, in which the ledger explains a position of ${wants}: it is not the venue that was traded at`
        : `Kalshi shows a position of ${has} in ${name}, the ledger explains ${wants}`
    this.options.onAlarm({ kind: 'position', text })
  }

  /** Of a position that was asked for at `askedMs`; undefined while an order of ours was on its way, or had just ended. */
  private excessE6(marketId: string, venueE6: number, askedMs: number): number | undefined {
    const expectedE6 = this.options.own.expectedE6(marketId, askedMs - this.lagMs)
    return expectedE6 === undefined ? undefined : this.differences.excessE6(marketId, venueE6, expectedE6)
  }

  /**
   * A market that has paid out holds no position to compare. One that the venue does not know is compared: whoever has
   * traded it was at another venue, or at this one before it began anew. A question that fails hides no other market.
   */
  private async wordOn(marketId: string): Promise<MarketWord> {
    if (this.settled.has(marketId)) return 'over'
    const { rest, onNotice } = this.options
    const result = await rest.get(`/markets/${encodeURIComponent(marketId)}`, {}, '/markets/:')
    if (result.kind === 'refused' && result.status === 404) return 'none'
    if (result.kind !== 'ok') {
      const why = result.kind === 'failed' ? result.reason : `HTTP ${result.status}`
      onNotice('warn', `Kalshi account: GET /markets/${sanitize(marketId, 100)}: ${why}`)
      return 'unanswered'
    }
    const market = isJsonObject(result.body['market']) ? result.body['market'] : {}
    if (OPEN_STATUSES.has(textOf(market['status']) ?? '')) return 'open'
    this.settled.add(marketId)
    return 'over'
  }
}
