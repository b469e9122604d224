/** What the simulated Kalshi permits right now: the exchange, its shards, and single markets may be paused. */

import type { KalshiMarket, MarketStatus } from '../market.js'
import type { KalshiRefusal } from './errors.js'
import { SHARDS } from './subaccount.js'

export interface Pause {
  /** `trading`: no new orders, cancels go; `exchange`: nothing changes any more, as in maintenance. */
  readonly stops: 'trading' | 'exchange'
  /** Absent: every shard. */
  readonly exchangeIndex: number | undefined
  /** One market's alone. */
  readonly ticker: string | undefined
  /** Unix ms at which it is expected to end. */
  readonly resumesMs: number | undefined
}

interface Flags {
  readonly exchange_active: boolean
  readonly trading_active: boolean
  readonly intra_exchange_transfers_active: boolean
}

export class ExchangeState {
  private readonly pauses = new Set<Pause>()

  /** Returns what ends it. */
  pause(pause: Pause): () => void {
    this.pauses.add(pause)
    return () => this.pauses.delete(pause)
  }

  /** A market that is paused by itself is `inactive` in the catalog. */
  statusOf(market: KalshiMarket): MarketStatus | 'inactive' {
    const isAlone = [...this.pauses].some(({ ticker }) => ticker === market.id)
    return isAlone && market.status === 'active' ? 'inactive' : market.status
  }

  isPaused(market: KalshiMarket): boolean {
    return this.covering(market.exchangeIndex, market.id).length > 0
  }

  /** What a new order in a market is refused with, if anything. */
  refuseOrder(market: KalshiMarket): KalshiRefusal | undefined {
    const over = this.covering(market.exchangeIndex, market.id)
    if (over.some(({ stops }) => stops === 'exchange')) return paused('exchange_is_paused')
    if (market.status !== 'active') return paused('market_closed')
    return over.length > 0 ? paused('trading_is_paused') : undefined
  }

  /** What any other change of a shard is refused with. */
  refuseChange(exchangeIndex: number): KalshiRefusal | undefined {
    const over = this.covering(exchangeIndex, undefined)
    return over.some(({ stops }) => stops === 'exchange') ? paused('exchange_is_paused') : undefined
  }

  /** `GET /exchange/status`: the top flags are those of shard 0. */
  shape(): unknown {
    const resumes = [...this.pauses].flatMap(({ resumesMs, stops }) =>
      resumesMs !== undefined && stops === 'exchange' ? [resumesMs] : [],
    )
    return {
      ...this.flags(0),
      ...(resumes.length > 0 && {
        exchange_estimated_resume_time: new Date(Math.max(...resumes)).toISOString(),
      }),
      exchange_index_statuses: SHARDS.map((exchangeIndex) => ({
        exchange_index: exchangeIndex,
        description: `shard ${exchangeIndex}`,
        ...this.flags(exchangeIndex),
      })),
    }
  }

  private flags(exchangeIndex: number): Flags {
    const over = this.covering(exchangeIndex, undefined)
    const isActive = !over.some(({ stops }) => stops === 'exchange')
    return {
      exchange_active: isActive,
      trading_active: over.length === 0,
      intra_exchange_transfers_active: isActive,
    }
  }

  /** Pauses of a shard, and of one of its markets where that is named. */
  private covering(exchangeIndex: number, ticker: string | undefined): readonly Pause[] {
    return [...this.pauses].filter(
      (pause) =>
        (pause.exchangeIndex ?? exchangeIndex) === exchangeIndex && (pause.ticker ?? ticker) === ticker,
    )
  }
}

/** As noted down from the venue: the code alone. */
const paused = (code: string): KalshiRefusal => ({ status: 409, reason: code, body: { error: { code } } })
