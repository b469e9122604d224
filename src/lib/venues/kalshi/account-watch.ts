/**
 * Is all that happens on the account ours? Fills by the channel as they come and by the list after each reconnect and
 * on a timer; positions by the list. What no order of ours explains is told, never booked.
 */

import { messageOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { formatScaled } from '../../model/price.js'
import type { OwnTrading, TradingAlarm } from '../ports.js'
import { readFill, readPosition, type AccountFill } from './account-frames.js'
import type { OwnOrders } from './own-orders.js'
import { readPages } from './pages.js'
import type { RatedRest } from './rated-rest.js'
import { isJsonObject, textOf } from './wire.js'

export interface AccountWatchOptions {
  readonly rest: RatedRest
  readonly own: OwnOrders
  readonly before: OwnTrading
  readonly query: Readonly<Record<string, string>>
  /** Unix s on our clock: fills of before are not looked at. */
  readonly sinceS: number
  /** Our monotonic clock, ms. */
  readonly nowMs: () => number
  /** The lists lag behind an outcome by so long at most, ms. */
  readonly lagMs?: number
  readonly onAlarm: (alarm: TradingAlarm) => void
  readonly onNotice: (level: 'info' | 'warn', text: string) => void
}

const LAG_MS = 3_000
/** What a fill's own order may take to be listed. */
const UNLISTED_LOOKS = 3
/** Of these a position is still one. */
const OPEN_STATUSES: ReadonlySet<string> = new Set(['initialized', 'inactive', 'active'])

export class AccountWatch {
  /** Differences that the operator knows of, contracts x 10^6 by market. */
  private readonly accepted: Map<string, number>
  /** What the last look saw, and what has been told. */
  private seen = new Map<string, number>()
  private told = new Map<string, number>()
  private readonly settled = new Set<string>()
  /** Markets that the venue says it does not have. */
  private readonly unknown = new Set<string>()
  private readonly unlisted = new Map<string, number>()
  private isLooking = false
  /** Asked for since the last look began. */
  private isWanted = false
  private next: NodeJS.Timeout | undefined
  private readonly lagMs: number

  constructor(private readonly options: AccountWatchOptions) {
    this.accepted = new Map(options.before.accepted)
    this.lagMs = options.lagMs ?? LAG_MS
  }

  close(): void {
    clearTimeout(this.next)
  }

  /** A fill that the channel told of. */
  onFill(fill: AccountFill): void {
    if (this.options.own.judge(fill) !== 'foreign') return
    this.alarmOf(fill)
    this.lookIn(0)
  }

  /** Compares with the venue's lists now; one look at a time, and one more when it was asked for meanwhile. */
  async look(): Promise<void> {
    this.isWanted = true
    if (this.isLooking) return
    this.isLooking = true
    try {
      while (this.isWanted) {
        this.isWanted = false
        await this.lookAtFills()
        await this.lookAtPositions()
      }
    } catch (error) {
      this.options.onNotice('warn', `Kalshi account: ${messageOf(error)}`)
    } finally {
      this.isLooking = false
    }
  }

  /** The operator goes on: what he was told of is no reason to stop any more. Returns what he accepts from now on. */
  accept(): ReadonlyMap<string, number> {
    for (const [marketId, sizeE6] of this.told) this.accepted.set(marketId, sizeE6)
    this.told = new Map()
    return this.accepted
  }

  /** What one look saw for the first time wants a second one. */
  private lookIn(ms: number): void {
    clearTimeout(this.next)
    this.next = setTimeout(() => void this.look(), ms).unref()
  }

  private async lookAtFills(): Promise<void> {
    const { rest, own, query, sinceS } = this.options
    const pages = readPages(
      rest,
      '/portfolio/fills',
      { ...query, min_ts: String(sinceS), limit: '200' },
      'fills',
    )
    for await (const page of pages) {
      if (page.kind === 'failed') throw new Error(page.reason)
      for (const item of page.items) {
        const fill = isJsonObject(item) ? readFill(item, 'ticker') : undefined
        if (fill === undefined) throw new Error('GET /portfolio/fills: a fill is not in the documented form')
        const verdict = own.judge(fill)
        if (verdict === 'foreign') this.alarmOf(fill)
        if (verdict === 'later') await this.lookAtOwner(fill)
      }
    }
  }

  /** The list of fills does not say our id: the order does. */
  private async lookAtOwner(fill: AccountFill): Promise<void> {
    const { rest, own, query } = this.options
    const path = `/portfolio/orders/${encodeURIComponent(fill.venueOrderId)}`
    const result = await rest.get(path, { query }, '/portfolio/orders/:')
    const order =
      result.kind === 'ok' && isJsonObject(result.body['order']) ? result.body['order'] : undefined
    const orderId = textOf(order?.['client_order_id'])
    if (orderId !== undefined) {
      if (own.judge({ ...fill, orderId }) === 'foreign') this.alarmOf(fill)
      return
    }
    const looks = (this.unlisted.get(fill.tradeId) ?? 0) + 1
    this.unlisted.set(fill.tradeId, looks)
    // All of ours carry an id: one without is not ours; one that is not listed yet may be.
    if (order === undefined && looks < UNLISTED_LOOKS) return
    this.unlisted.delete(fill.tradeId)
    own.disown(fill)
    this.alarmOf(fill)
  }

  private async lookAtPositions(): Promise<void> {
    const { rest, own, query, nowMs } = this.options
    const quietSinceMs = nowMs() - this.lagMs
    const found = new Map<string, number>()
    for await (const page of readPages(
      rest,
      '/portfolio/positions',
      { ...query, limit: '200' },
      'market_positions',
    )) {
      if (page.kind === 'failed') throw new Error(page.reason)
      for (const item of page.items) {
        const position = readPosition(item)
        if (position === undefined) {
          throw new Error('GET /portfolio/positions: a position is not in the documented form')
        }
        found.set(position.marketId, position.sizeE6)
      }
    }
    const seen = new Map<string, number>()
    for (const marketId of new Set([...found.keys(), ...own.markets])) {
      const expectedE6 = own.expectedE6(marketId, quietSinceMs)
      if (expectedE6 === undefined) continue
      const excessE6 = (found.get(marketId) ?? 0) - expectedE6 - (this.accepted.get(marketId) ?? 0)
      if (excessE6 !== 0 && (await this.isOpen(marketId))) seen.set(marketId, excessE6)
      else this.told.delete(marketId)
    }
    this.tell(seen, found)
  }

  /** Only what two looks in a row saw is told, and once; of a market that the venue has not, one look is enough. */
  private tell(seen: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): void {
    const before = this.seen
    this.seen = new Map(seen)
    if ([...seen].some(([marketId, excessE6]) => before.get(marketId) !== excessE6)) this.lookIn(this.lagMs)
    for (const [marketId, excessE6] of seen) {
      const isSure = before.get(marketId) === excessE6 || this.unknown.has(marketId)
      if (!isSure || this.told.get(marketId) === this.accepts(marketId, excessE6)) continue
      this.told.set(marketId, this.accepts(marketId, excessE6))
      const venueE6 = found.get(marketId) ?? 0
      const [has, wants] = [venueE6, venueE6 - excessE6].map((sizeE6) => formatScaled(sizeE6, 6))
      const name = sanitize(marketId, 100)
      const text = this.unknown.has(marketId)
        ? `Kalshi has no market ${name}, in which the ledger explains a position of ${wants}: it is not the venue that was traded at`
        : `Kalshi shows a position of ${has} in ${name}, the ledger explains ${wants}`
      this.options.onAlarm({ kind: 'position', text })
    }
  }

  /** What the operator takes on when he goes on with it. */
  private accepts(marketId: string, excessE6: number): number {
    return excessE6 + (this.accepted.get(marketId) ?? 0)
  }

  /**
   * A market that has paid out holds no position to compare. One that the venue does not know is compared: whoever has
   * traded it was at another venue, or at this one before it began anew.
   */
  private async isOpen(marketId: string): Promise<boolean> {
    if (this.settled.has(marketId)) return false
    const result = await this.options.rest.get(`/markets/${encodeURIComponent(marketId)}`, {}, '/markets/:')
    const isUnknown = result.kind === 'refused' && result.status === 404
    if (isUnknown) this.unknown.add(marketId)
    else this.unknown.delete(marketId)
    if (isUnknown) return true
    if (result.kind !== 'ok') throw new Error(`GET /markets/${sanitize(marketId, 100)}: ${result.kind}`)
    const market = isJsonObject(result.body['market']) ? result.body['market'] : {}
    const isOpen = OPEN_STATUSES.has(textOf(market['status']) ?? '')
    if (!isOpen) this.settled.add(marketId)
    return isOpen
  }

  private alarmOf({ tradeId, marketId, countE6 }: AccountFill): void {
    const size = formatScaled(countE6, 6)
    const text = `fill ${sanitize(tradeId, 64)} of ${size} in ${sanitize(marketId, 100)} at Kalshi is of no order of ours`
    this.options.onAlarm({ kind: 'fill', text })
  }
}
