/**
 * What the conformance suites run over: each venue's real client against its simulated venue, over wires that can be
 * cut. A suite knows the ports alone; what differs between venues is here.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '../../src/lib/core/clock.js'
import { ArbeesError } from '../../src/lib/core/errors.js'
import { PaperVenue } from '../../src/lib/execution/paper-venue.js'
import type { DisplayedBook } from '../../src/lib/execution/paper-depth.js'
import type { CatalogMarket, GameMarket } from '../../src/lib/model/game.js'
import type { Level } from '../../src/lib/model/order-book.js'
import { loadSettings } from '../../src/lib/core/config.js'
import { kalshiKeyFile, polymarketKeyFile } from '../../src/lib/roles/credentials.js'
import { createSimAccounts } from '../../src/lib/sim/accounts.js'
import { startSimulator, type Simulator } from '../../src/lib/sim/simulator.js'
import { loadKalshiCredentials } from '../../src/lib/venues/kalshi/auth.js'
import { KalshiCatalog } from '../../src/lib/venues/kalshi/catalog.js'
import { KalshiFeed } from '../../src/lib/venues/kalshi/feed.js'
import { KalshiGateway } from '../../src/lib/venues/kalshi/gateway.js'
import { loadPolymarketCredentials } from '../../src/lib/venues/polymarket/auth.js'
import { PolymarketCatalog } from '../../src/lib/venues/polymarket/catalog.js'
import { PolymarketFeed } from '../../src/lib/venues/polymarket/feed.js'
import { PolymarketGateway } from '../../src/lib/venues/polymarket/gateway.js'
import type { Catalog, FeedListener, MarketFeed, OrderGateway } from '../../src/lib/venues/ports.js'
import { TcpProxy } from '../faults/tcp-proxy.js'

/** A venue as the suites see it. */
export interface VenueUnderTest {
  readonly name: string
  openCatalog(): Catalog & { close(): Promise<void> }
  openFeed(listener: FeedListener): MarketFeed
  openGateway(): OrderGateway
  /** What the venue itself says the book is now, YES side, best first. */
  venueBook(market: CatalogMarket): Promise<VenueBook>
  /** The wire that everything of this venue goes over. */
  readonly wire: TcpProxy
  /** The same, or that of the server that lists its markets. */
  readonly catalogWire: TcpProxy
  /** Orders that the simulated venues took so far. */
  orders(): number
}

export interface VenueBook {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

export interface Stage {
  readonly sim: Simulator
  readonly venues: readonly VenueUnderTest[]
  close(): Promise<void>
}

const ANY = { host: '127.0.0.1', port: 0 }
/** Waits that a real venue needs longer. */
const QUICK_MS = 500

/** Both venues on one simulator. `speed`: scenario seconds per second. */
export async function startStage(speed: number): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'conformance-'))
  await createSimAccounts(join(dir, 'account'))
  const { settings } = loadSettings({ flags: { data_dir: dir, env: 'sim' } })
  const sim = await startSimulator({
    seed: 11,
    speed,
    ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
    accountsDir: join(dir, 'account'),
    onNotice: () => undefined,
  })
  const { urls } = sim
  const kalshiWire = await TcpProxy.listen(ANY, addressOf(urls.kalshiRest))
  const polyWire = await TcpProxy.listen(ANY, addressOf(urls.clob))
  const gammaWire = await TcpProxy.listen(ANY, addressOf(urls.gamma))
  const over = (wire: TcpProxy, url: string): string => {
    const moved = new URL(url)
    moved.port = String(wire.port)
    return moved.href.replace(/\/$/, '')
  }
  const orders = (): number => sim.stats().orders
  const kalshiKey = (use: 'read' | 'trade') => loadKalshiCredentials(kalshiKeyFile(settings, use))

  const kalshi: VenueUnderTest = {
    name: 'kalshi',
    wire: kalshiWire,
    catalogWire: kalshiWire,
    orders,
    openCatalog: () => new KalshiCatalog({ baseUrl: over(kalshiWire, urls.kalshiRest) }),
    openFeed: (listener) =>
      new KalshiFeed({
        wsUrl: over(kalshiWire, urls.kalshiWs),
        credentials: kalshiKey('read'),
        clock: systemClock,
        listener,
      }),
    openGateway: () =>
      new KalshiGateway({
        baseUrl: over(kalshiWire, urls.kalshiRest),
        credentials: kalshiKey('trade'),
        clock: systemClock,
        orderTimeoutMs: QUICK_MS,
        readTimeoutMs: QUICK_MS,
      }),
    venueBook: async ({ marketId }) =>
      kalshiBook(await getJson(`${urls.kalshiRest}/markets/${marketId}/orderbook`)),
  }
  const poly: VenueUnderTest = {
    name: 'polymarket',
    wire: polyWire,
    catalogWire: gammaWire,
    orders,
    openCatalog: () => new PolymarketCatalog({ gammaUrl: over(gammaWire, urls.gamma) }),
    openFeed: (listener) =>
      new PolymarketFeed({
        wsUrl: over(polyWire, urls.polyWs),
        restUrl: over(polyWire, urls.clob),
        clock: systemClock,
        listener,
      }),
    openGateway: () =>
      new PolymarketGateway({
        restUrl: over(polyWire, urls.clob),
        geoblockUrl: over(polyWire, `${urls.clob}/api/geoblock`),
        credentials: loadPolymarketCredentials({ path: polymarketKeyFile(settings) }),
        clock: systemClock,
        orderTimeoutMs: QUICK_MS,
        queryTimeoutMs: QUICK_MS,
        arrivalGraceMs: 2 * QUICK_MS,
      }),
    venueBook: async ({ tokenIds }) =>
      polyBook(await getJson(`${urls.clob}/book?token_id=${tokenIds?.[0] ?? ''}`)),
  }
  return {
    sim,
    venues: [kalshi, poly],
    close: async () => {
      for (const wire of [kalshiWire, polyWire, gammaWire]) await wire.close()
      await sim.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Fills against the books that are handed in: a gateway without a wire. */
export const openPaper = (bookOf: (marketId: string) => DisplayedBook | undefined): OrderGateway =>
  new PaperVenue({ venue: 'kalshi', latencyMs: 4, bookOf })

/** A live game's market with something to take on both sides, as the pairing hands it to exec. */
export async function tradable(venue: VenueUnderTest): Promise<GameMarket> {
  const catalog = venue.openCatalog()
  try {
    for (const league of ['nba', 'nhl', 'nfl'] as const) {
      const { markets } = await catalog.openMarkets(league, AbortSignal.timeout(10_000))
      // The last listed goes on for longest.
      for (const market of [...markets].reverse()) {
        if (market.kind !== 'moneyline') continue
        const { bids, asks } = await venue.venueBook(market)
        if (bids.length > 1 && asks.length > 1) return { ...market, kind: 'moneyline' }
      }
    }
  } finally {
    await catalog.close()
  }
  throw new ArbeesError('NO_MARKET', `${venue.name} has no market with two sides`)
}

const addressOf = (url: string) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) })

type Json = { readonly [field: string]: unknown }

async function getJson(url: string): Promise<Json> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return (await response.json()) as Json
}

const e4 = (text: string): number => Math.round(Number(text) * 1e4)
const e2 = (text: string): number => Math.floor(Number(text) * 100 + 1e-6)

function kalshiBook(answer: Json): VenueBook {
  const sides = answer.orderbook_fp as Readonly<Record<string, readonly (readonly [string, string])[] | null>>
  const bids = (sides.yes_dollars ?? []).map(([price, size]): Level => [e4(price), e2(size)])
  const asks = (sides.no_dollars ?? []).map(([price, size]): Level => [10_000 - e4(price), e2(size)])
  return sorted(bids, asks)
}

function polyBook(answer: Json): VenueBook {
  const side = (name: string): Level[] =>
    (answer[name] as readonly { price: string; size: string }[]).map(({ price, size }) => [
      e4(price),
      e2(size),
    ])
  return sorted(side('bids'), side('asks'))
}

const sorted = (bids: readonly Level[], asks: readonly Level[]): VenueBook => ({
  bids: [...bids].sort((a, b) => b[0] - a[0]),
  asks: [...asks].sort((a, b) => a[0] - b[0]),
})
