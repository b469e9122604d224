/** Polymarket's market data: as many sockets as the followed tokens need, seen as one feed. */

import type { Clock } from '../../core/clock.js'
import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { CatalogMarket } from '../../model/game.js'
import type { FeedListener, FeedState, FeedStatus, MarketFeed } from '../ports.js'
import { MarketConnection, TIMINGS, type ConnectionTimings } from './connection.js'
import type { MapperEffect } from './mapper-effects.js'
import { PolymarketRest } from './rest.js'

export interface PolymarketFeedOptions {
  /** `wss://host` or `wss://host/ws/market`. */
  readonly wsUrl: string
  /** The CLOB's address, for `GET /book`. */
  readonly restUrl: string
  readonly clock: Clock
  readonly listener: FeedListener
  /** Above some 500 the venue's first dumps go missing. */
  readonly assetsPerConnection?: number
  readonly timings?: Partial<ConnectionTimings>
  readonly random?: () => number
}

interface Placed {
  readonly market: CatalogMarket
  readonly connection: MarketConnection
}

export class PolymarketFeed implements MarketFeed {
  private readonly connections: MarketConnection[] = []
  private readonly placed = new Map<string, Placed>()
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
  }

  follow(markets: readonly CatalogMarket[]): void {
    if (this.closed) return
    this.asked = true
    const wanted = new Map(markets.map((market) => [market.marketId, market]))
    for (const [marketId, { market, connection }] of this.placed) {
      const next = wanted.get(marketId)
      if (next !== undefined && sameTokens(next, market)) continue
      connection.unfollow(marketId)
      this.placed.delete(marketId)
    }
    for (const market of wanted.values()) {
      const placed = this.placed.get(market.marketId)
      if (placed !== undefined) {
        this.placed.set(market.marketId, { market, connection: placed.connection })
        placed.connection.follow(market)
        continue
      }
      if (market.tokenIds === undefined) {
        this.options.listener.onNotice('error', `polymarket market ${market.marketId} has no token ids`)
        continue
      }
      const connection = this.roomFor()
      this.placed.set(market.marketId, { market, connection })
      connection.follow(market)
    }
  }

  status(): FeedStatus {
    const nowUs = this.options.clock.monoUs()
    const used = this.connections.filter(({ mapper }) => mapper.assets > 0)
    const proofs = used.map(({ mapper }) => mapper.provedUs ?? -1)
    const oldest = Math.min(...proofs)
    return {
      state: this.stateOf(used, nowUs),
      provedUs: proofs.length === 0 || oldest < 0 ? undefined : oldest,
      markets: this.placed.size,
      reconnects: this.connections.reduce((sum, { reconnects }) => sum + reconnects, 0),
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all(this.connections.map((connection) => connection.close()))
    await this.rest.close()
  }

  private stateOf(used: readonly MarketConnection[], nowUs: number): FeedState {
    if (this.closed) return 'DOWN'
    if (used.some(({ failures }) => failures >= 3)) return 'DOWN'
    const healths = used.map(({ mapper }) => mapper.health(nowUs))
    if (healths.includes('broken')) return 'BROKEN'
    return healths.includes('waiting') || !this.asked ? 'CONNECTING' : 'LIVE'
  }

  private roomFor(): MarketConnection {
    const { assetsPerConnection = 200, clock, timings, random } = this.options
    const free = this.connections.find(({ mapper }) => mapper.assets + 2 <= assetsPerConnection)
    if (free !== undefined) return free
    const connection = new MarketConnection({
      url: this.url,
      clock,
      timings: { ...TIMINGS, ...timings },
      ...(random === undefined ? {} : { random }),
      fetchBook: (tokenId, signal) => this.rest.book(tokenId, signal),
      onEffect: (effect, recvUs) => this.onEffect(effect, recvUs),
    })
    this.connections.push(connection)
    return connection
  }

  private onEffect(effect: MapperEffect, recvUs: number): void {
    const { listener } = this.options
    if (effect.kind === 'verdict') listener.onVerdict(effect.verdict)
    if (effect.kind === 'notice') listener.onNotice(effect.level, effect.text)
    if (effect.kind !== 'book') return
    const { market, book, state, venueMs } = effect
    const bookSeq = (this.bookSeqs.get(market.marketId) ?? 0) + 1
    this.bookSeqs.set(market.marketId, bookSeq)
    listener.onBook({ market, book, state, bookSeq, recvUs, ...(venueMs === undefined ? {} : { venueMs }) })
  }
}

const sameTokens = (a: CatalogMarket, b: CatalogMarket): boolean =>
  a.tokenIds?.[0] === b.tokenIds?.[0] && a.tokenIds?.[1] === b.tokenIds?.[1]

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
