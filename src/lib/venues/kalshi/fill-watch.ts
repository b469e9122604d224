/**
 * Are all fills of the account ours, and no more than we asked for? By the channel as they come, by the list after each
 * reconnect and on a timer. What no order of ours explains is told, never booked.
 */

import { sanitize } from '../../core/sanitize.js'
import { formatScaled } from '../../model/price.js'
import type { TradingAlarm } from '../ports.js'
import { readFill, type AccountFill } from './account-frames.js'
import type { FillVerdict, OwnOrders } from './own-orders.js'
import { readPages } from './pages.js'
import type { RatedRest } from './rated-rest.js'
import { isJsonObject, textOf } from './wire.js'

export interface FillWatchOptions {
  readonly rest: RatedRest
  readonly own: OwnOrders
  readonly query: Readonly<Record<string, string>>
  /** Unix s on our clock: fills of before are not looked at. */
  readonly sinceS: number
  /** Our monotonic clock, ms. */
  readonly nowMs: () => number
  readonly onAlarm: (alarm: TradingAlarm) => void
}

/** What a fill's own order may take to be listed. */
const UNLISTED_LOOKS = 3
/** A look begins so long before the last one that read all: the venue's clock is its own, and its list lags. */
const OVERLAP_S = 120

export class FillWatch {
  private readonly begunMs: number
  private sinceS: number
  private readonly unlisted = new Map<string, number>()

  constructor(private readonly options: FillWatchOptions) {
    this.begunMs = options.nowMs()
    this.sinceS = options.sinceS
  }

  /** A fill that the channel told of; true when it is an alarm. */
  onFill(fill: AccountFill): boolean {
    return this.alarmOf(fill, this.options.own.judge(fill))
  }

  /** Reads what was listed since the last time. Throws when that cannot be read, and then reads it again. */
  async look(): Promise<void> {
    const { rest, own, query, nowMs, sinceS } = this.options
    const lookedMs = nowMs()
    const since = { ...query, min_ts: String(this.sinceS), limit: '200' }
    for await (const page of readPages(rest, '/portfolio/fills', since, 'fills')) {
      if (page.kind === 'failed') throw new Error(page.reason)
      for (const item of page.items) {
        const fill = isJsonObject(item) ? readFill(item, 'ticker') : undefined
        if (fill === undefined) throw new Error('GET /portfolio/fills: a fill is not in the documented form')
        const verdict = own.judge(fill)
        if (verdict === 'later') await this.lookAtOwner(fill)
        else this.alarmOf(fill, verdict)
      }
    }
    if (this.unlisted.size > 0) return
    const elapsedS = Math.floor((lookedMs - this.begunMs) / 1000)
    this.sinceS = Math.max(this.sinceS, sinceS + elapsedS - OVERLAP_S)
  }

  /** The list of fills does not say our id: the order does. */
  private async lookAtOwner(fill: AccountFill): Promise<void> {
    const { rest, own, query } = this.options
    const path = `/portfolio/orders/${encodeURIComponent(fill.venueOrderId)}`
    const result = await rest.get(path, { query }, '/portfolio/orders/:')
    const order =
      result.kind === 'ok' && isJsonObject(result.body['order']) ? result.body['order'] : undefined
    const orderId = textOf(order?.['client_order_id'])
    const looks = (this.unlisted.get(fill.tradeId) ?? 0) + 1
    // All of ours carry an id: one without is not ours; one that is not listed yet may be.
    if (order === undefined && looks < UNLISTED_LOOKS) {
      this.unlisted.set(fill.tradeId, looks)
      return
    }
    this.unlisted.delete(fill.tradeId)
    if (orderId === undefined) own.disown(fill)
    this.alarmOf(fill, orderId === undefined ? 'foreign' : own.judge({ ...fill, orderId }))
  }

  private alarmOf({ tradeId, marketId, countE6 }: AccountFill, verdict: FillVerdict): boolean {
    if (verdict !== 'foreign' && verdict !== 'beyond') return false
    const fill = `fill ${sanitize(tradeId, 64)} of ${formatScaled(countE6, 6)} in ${sanitize(marketId, 100)} at Kalshi`
    const why = verdict === 'foreign' ? 'is of no order of ours' : 'is more than its order asked for'
    this.options.onAlarm({ kind: 'fill', text: `${fill} ${why}` })
    return true
  }
}
