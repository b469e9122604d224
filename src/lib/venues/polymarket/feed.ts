/** Polymarket's market data: as many sockets as the followed tokens need, seen as one feed. */

import type { Clock } from '../../core/clock.js'
import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { CatalogMarket } from '../../model/game.js'
import type { FeedListener, FeedState, FeedStatus, MarketFeed } from '../ports.js'
import { MarketConnection, TIMINGS, type ConnectionTimings } from './connection.js'
import type { CatalogChange, MapperEffect } from './mapper-effects.js'
import { MarketSpread } from './market-spread.js'
import { PolymarketRest } from './rest.js'

export interface PolymarketFeedOptions {
  /** `wss://host` or `wss://host/ws/market`. */
  readonly wsUrl: string
  /** The CLOB's address, for the books of REST. */
  readonly restUrl: string
  readonly clock: Clock
  readonly listener: FeedListener
  /** Hears of markets that the venue lists and resolves. */
  readonly onCatalogChange?: (change: CatalogChange) => void
  /** Above some 500 the venue's first dumps go missing. */
  readonly assetsPerConnection?: number
  readonly timings?: Partial<ConnectionTimings>
  readonly random?: () => number
}

export class PolymarketFeed implements MarketFeed {
  private readonly spread: MarketSpread<MarketConnection>
  private readonly closing = new Set<Promise<void>>()
  /** Of connections that are no more. */
  private formerReconnects = 0
  /** Counts per market for the life of the process, also across unfollowing. */
  private readonly bookSeqs = new Map<string, number>()
  private readonly rest: PolymarketRest
  private asked = false
  private closed = false

  private readonly url: string

  /** Throws `BAD_URL` (exit CONFIG). */
  constructor(private readonly options: PolymarketFeedOptions) {
    this.url = channelUrl(options.wsUrl)
    this.rest = new PolymarketRest({ restUrl: options.restUrl, clock: options.clock })
    this.spread = new MarketSpread(
      options.assetsPerConnection ?? 200,
      () => this.openConnection(),
      (connection, closed) => {
        this.formerReconnects += connection.reconnects
        const closing = closed.finally(() => this.closing.delete(closing))
        this.closing.add(closing)
      },
    )
  }

  follow(markets: readonly CatalogMarket[]): void {
    if (this.closed) return
    this.asked = true
    const wanted = new Map<string, CatalogMarket>()
    for (const market of markets) {
      if (market.tokenIds !== undefined) wanted.set(market.marketId, market)
      else this.options.listener.onNotice('error', `polymarket market ${market.marketId} has no token ids`)
    }
    // The last word on what is followed no longer comes while its place is still known.
    this.spread.follow(wanted)
  }

  status(): FeedStatus {
    const nowUs = this.options.clock.monoUs()
    const used = this.spread.connections.filter(({ mapper }) => mapper.assets > 0)
    const proofs = used.map(({ mapper }) => mapper.provedUs ?? -1)
    const oldest = Math.min(...proofs)
    return {
      state: this.stateOf(used, nowUs),
      provedUs: proofs.length === 0 || oldest < 0 ? undefined : oldest,
      markets: this.spread.size,
      reconnects: this.spread.connections.reduce(
        (sum, { reconnects }) => sum + reconnects,
        this.formerReconnects,
      ),
      connections: used.filter(({ mapper }) => mapper.health(nowUs) === 'live').length,
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all([...this.spread.connections.map((connection) => connection.close()), ...this.closing])
    await this.rest.close()
  }

  private stateOf(used: readonly MarketConnection[], nowUs: number): FeedState {
    if (this.closed) return 'DOWN'
    if (used.some(({ failures }) => failures >= 3)) return 'DOWN'
    const healths = used.map(({ mapper }) => mapper.health(nowUs))
    if (healths.includes('broken')) return 'BROKEN'
    return healths.includes('waiting') || !this.asked ? 'CONNECTING' : 'LIVE'
  }

  private openConnection(): MarketConnection {
    const { clock, timings, random } = this.options
    const connection: MarketConnection = new MarketConnection({
      url: this.url,
      clock,
      timings: { ...TIMINGS, ...timings },
      ...(random === undefined ? {} : { random }),
      rest: this.rest,
      onEffect: (effect, recvUs) => this.onEffect(connection, effect, recvUs),
    })
    return connection
  }

  private onEffect(connection: MarketConnection, effect: MapperEffect, recvUs: number): void {
    const { listener, onCatalogChange } = this.options
    if (effect.kind === 'verdict') listener.onVerdict(effect.verdict)
    if (effect.kind === 'notice') listener.onNotice(effect.level, effect.text)
    if (effect.kind === 'catalog') onCatalogChange?.(effect.change)
    if (effect.kind !== 'book') return
    const { market, book, state, venueMs } = effect
    if (!this.spread.shows(connection, market.marketId, state, venueMs)) return
    const bookSeq = (this.bookSeqs.get(market.marketId) ?? 0) + 1
    this.bookSeqs.set(market.marketId, bookSeq)
    listener.onBook({ market, book, state, bookSeq, recvUs, ...(venueMs === undefined ? {} : { venueMs }) })
  }
}

/** Throws `BAD_URL` (exit CONFIG). */
function channelUrl(wsUrl: string): string {
  const url = URL.canParse(wsUrl) ? new URL(wsUrl) : undefined
  if (url === undefined || !/^wss?:$/.test(url.protocol) || url.hash !== '') {
    throw new ArbeesError('BAD_URL', `not a Polymarket WebSocket URL: '${sanitize(wsUrl, 200)}'`, {
      exit: EXIT.CONFIG,
      hint: 'it looks like wss://ws-subscriptions-clob.polymarket.com/ws/market',
    })
  }
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith('/ws/market') ? path : `${path}/ws/market`
  return url.href
}
