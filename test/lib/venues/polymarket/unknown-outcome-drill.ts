/**
 * The venue takes an order and its answer never comes: again and again, over the real gateway, ledger and execution,
 * against the simulated venue. Each order must be found by its hash, and none posted twice; beside it a client that
 * posts again when nobody answers, each time with a new salt, as the venue's own client does.
 */

import { setMaxListeners } from 'node:events'
import { rmSync } from 'node:fs'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { recover } from '../../../../src/lib/execution/recovery.js'
import type { GameMarket } from '../../../../src/lib/model/game.js'
import type { Outcome } from '../../../../src/lib/model/venue.js'
import type { Signal } from '../../../../src/lib/model/signal.js'
import { loadPolymarketCredentials } from '../../../../src/lib/venues/polymarket/auth.js'
import { PolymarketGateway } from '../../../../src/lib/venues/polymarket/gateway.js'
import type { PreparedOrder } from '../../../../src/lib/venues/ports.js'
import { Harness } from '../../execution/harness.js'
import { HttpVenue } from '../../execution/http-venue.js'
import { kalshiMarket, orderOf, signal } from '../../risk/samples.js'
import { call, polyGet, startBench, type Bench, type Json } from '../../sim/harness.js'
import { CuttingProxy } from './cutting-proxy.js'

export interface DrillOptions {
  readonly orders: number
  /** At a time: what the gateway has connections for. */
  readonly parallel: number
  /** Orders of the client that posts again. */
  readonly naive: number
  /** Of the simulated venue: its delay of a second takes so much less. */
  readonly speed: number
  /** Lives of exec; each but the last ends while its orders have no answer. */
  readonly lives: number
}

export interface DrillReport {
  /** Orders of ours with an intent. */
  readonly orders: number
  /** Of these, the venue took. */
  readonly taken: number
  /** Answers that went astray. */
  readonly kept: number
  /** Of ours: taken by the venue a second time. */
  readonly doubled: number
  /** Of ours: posted again, by order hash and by leg, whether the venue took that or not. */
  readonly reposted: number
  readonly legsReposted: number
  /** Orders of which the ledger says exactly what the venue's trades say. */
  readonly found: number
  /** Of these, how many filled. */
  readonly filled: number
  readonly problems: readonly string[]
  /** From the last order's bytes until everything was known. */
  readonly endedMs: number
  /** Of the client that posts again. */
  readonly naiveDoubled: number
}

const SIZE_E2 = 600
const PLENTY = { orderMicros: 1e9, gameMicros: 1e15, totalMicros: 1e15 }

export async function unknownOutcomeDrill(options: DrillOptions): Promise<DrillReport> {
  const bench = await startBench({ speed: options.speed, seed: 3 })
  const proxy = await CuttingProxy.listen(bench.sim.urls.clob)
  const naive = await CuttingProxy.listen(bench.sim.urls.clob)
  const kalshi = new HttpVenue(() => ({ kind: 'fill', perMille: 1000 }))
  await kalshi.listen()
  let dataDir: string | undefined
  try {
    const problems: string[] = []
    let harness: Harness | undefined
    let startedMs = performance.now()
    for (let life = 0; life < options.lives; life++) {
      const isLast = life === options.lives - 1
      harness = lifeOf(bench, proxy, kalshi, options, dataDir)
      dataDir = harness.dataDir
      const { inFlight } = await recover(harness.execution, harness.orders)
      if (life > 0 && inFlight === 0) problems.push('the life before left nothing in flight')
      const share = Math.ceil(options.orders / options.lives)
      await play(
        harness,
        bench,
        options,
        { from: life * share, to: Math.min(options.orders, (life + 1) * share) },
        !isLast,
      )
      startedMs = performance.now()
      await harness.settled()
      await harness.orders.settlements.leave()
      if (!isLast) harness.close({ keep: true })
    }
    const endedMs = Math.round(performance.now() - startedMs)
    const orders = harness!.ledger
      .history()
      .plans.flatMap((plan) => plan.orders)
      .filter(({ prepared }) => prepared.request.venue === 'poly')
    harness!.close({ keep: true })
    const filledAt = await filledByOrder(bench)
    const isFound = ({ prepared, filledE6, state }: (typeof orders)[number]): boolean =>
      filledE6 === (filledAt.get(prepared.venueOrderId!) ?? 0) && state !== 'unknown' && state !== 'sent'
    const lost = orders.filter((order) => !isFound(order))
    for (const { prepared, state, filledE6 } of lost.slice(0, 3)) {
      const told = filledAt.get(prepared.venueOrderId!) ?? 0
      problems.push(`${prepared.request.signalId}: the ledger says ${state} ${filledE6}, the venue ${told}`)
    }
    const ours = new Set(orders.map(({ prepared }) => prepared.venueOrderId!))
    const strange = [...proxy.taken.values()].flat().filter((id) => !ours.has(id)).length
    if (strange > 0) problems.push(`${strange} orders at the venue are not in the ledger`)
    const naiveDoubled = await postAgain(bench, naive, options)
    return {
      orders: orders.length,
      taken: [...proxy.taken.values()].flat().length,
      kept: proxy.kept,
      doubled: proxy.doubled,
      reposted: proxy.reposted,
      legsReposted: proxy.legsReposted,
      found: orders.length - lost.length,
      filled: orders.filter(({ filledE6 }) => filledE6 > 0).length,
      problems,
      endedMs,
      naiveDoubled,
    }
  } finally {
    await proxy.close()
    await naive.close()
    await kalshi.close()
    await bench.close()
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
  }
}

function lifeOf(
  bench: Bench,
  proxy: CuttingProxy,
  kalshi: HttpVenue,
  { speed }: DrillOptions,
  dataDir: string | undefined,
): Harness {
  const delayMs = 1000 / speed
  const harness = new Harness({
    url: kalshi.url,
    ...(dataDir === undefined ? {} : { dataDir }),
    limits: PLENTY,
    gateways: { poly: gatewayOf(bench, proxy) },
    timing: {
      delayedPollMs: 200,
      delayedLimitMs: 2_000,
      unknownAtMs: [1.1, 1.5, 2.5, 4, 8, 13, 20]
        .map((delays) => delays * delayMs + 20)
        .concat(15_000, 20_000),
      reportAtMs: [10, 500, 1000, 3000],
      settlementAskMs: [3_000],
    },
  })
  setMaxListeners(0, harness.cut.signal)
  return harness
}

const gatewayOf = (bench: Bench, proxy: CuttingProxy): PolymarketGateway =>
  new PolymarketGateway({
    restUrl: proxy.url,
    geoblockUrl: `${proxy.url}/api/geoblock`,
    credentials: loadPolymarketCredentials({ path: `${bench.dir}/polymarket.json` }),
    clock: systemClock,
    orderTimeoutMs: 250,
    arrivalGraceMs: 3_000,
  })

/** Plans whose opening leg is at Polymarket; `leave`: the life ends while the last of them have no answer. */
async function play(
  harness: Harness,
  bench: Bench,
  { parallel, speed }: DrillOptions,
  { from, to }: { readonly from: number; readonly to: number },
  leave: boolean,
): Promise<void> {
  for (let at = from; at < to;) {
    const markets = await openMarkets(bench, speed)
    const first = at
    // What the plans before left unhedged closes their markets, until their games are final.
    for (let n = 0; n < first; n++) harness.execution.risk.releaseGame(gameOf(n))
    // No two plans that are open at once take the same offer.
    at = Math.min(to, first + Math.min(parallel, 2 * markets.length))
    for (let n = first; n < at; n++) {
      const market = markets[(n - first) % markets.length]!
      const outcome = n - first < markets.length ? 'yes' : 'no'
      harness.start(signalOf(n, market, outcome), {
        markets: [market, kalshiMarket({ marketId: hedgeOf(n) })],
        signalMs: signedMs(n),
      })
    }
    if (leave && at === to) break
    await harness.plans.idle()
  }
  if (leave) {
    // Their bytes are out, and nobody has said what became of them.
    await new Promise((resolve) => setTimeout(resolve, 100))
    harness.cut.abort()
  }
}

/** No two legs have it in common; close to now, since an order of an earlier life is dated by it. */
const signedMs = (n: number): number => Math.floor(performance.timeOrigin) + n

/** A market of its own for each plan: a pair that one leaves open takes no other. */
const hedgeOf = (n: number): string => `KXDRILL-${n}`

const gameOf = (n: number): string => `game-${n}`

export function signalOf(
  n: number,
  market: GameMarket,
  outcome: Outcome = n % 2 === 0 ? 'yes' : 'no',
): Signal {
  const [poly, hedge] = signal({ sizeE2: SIZE_E2 }).legs as [Signal['legs'][0], Signal['legs'][0]]
  return signal({
    id: `drill-${n}`,
    gameId: gameOf(n),
    pair: `drill-${n}`,
    sizeE2: SIZE_E2,
    legs: [
      { ...poly, marketId: market.marketId, outcome, limitE4: 9900 },
      { ...hedge, marketId: hedgeOf(n), limitE4: 100 },
    ],
  })
}

export async function openMarkets({ sim }: Bench, speed: number): Promise<GameMarket[]> {
  const { body } = await call(`${sim.urls.gamma}/events?tag_id=100639&closed=false`)
  return (body as Json[]).flatMap(({ markets }: Json): GameMarket[] =>
    (markets as Json[]).slice(0, 1).flatMap((market) => {
      if (market.orderPriceMinTickSize !== 0.01 || market.acceptingOrders !== true) return []
      const tokenIds = JSON.parse(String(market.clobTokenIds)) as [string, string]
      return {
        venue: 'poly',
        marketId: String(market.conditionId),
        kind: 'moneyline',
        selection: 'x',
        tickE4: 100,
        sizeStepE2: 1,
        minSizeE2: 500,
        fees: { ratePpm: 50_000, roundUpToMicros: 10 },
        takerDelayMs: 1000 / speed,
        tokenIds,
        negRisk: market.negRisk === true,
      }
    }),
  )
}

/** What the venue's own trades say that each order filled, contracts x 10^6. */
async function filledByOrder(bench: Bench): Promise<Map<string, number>> {
  const filled = new Map<string, number>()
  for (let cursor = 'MA=='; cursor !== 'LTE=';) {
    const { body } = await polyGet(bench, `/data/trades?next_cursor=${encodeURIComponent(cursor)}`)
    const { data, next_cursor: next } = body as { data: Json[]; next_cursor: string }
    for (const { taker_order_id: id, size } of data) {
      filled.set(String(id), (filled.get(String(id)) ?? 0) + Math.round(Number(size) * 1e6))
    }
    cursor = next
  }
  return filled
}

/** Without a hash to ask for: no answer means that it did not arrive. */
async function postAgain(
  bench: Bench,
  proxy: CuttingProxy,
  { naive: many, parallel, speed }: DrillOptions,
): Promise<number> {
  const gateway = gatewayOf(bench, proxy)
  const always = (): boolean => true
  const post = async (market: GameMarket, n: number): Promise<void> => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const request = orderOf(signalOf(n, market), 0, { attempt, signalMs: signedMs(n) })
      const prepared: PreparedOrder = gateway.prepare(request, market)
      const { kind } = await gateway.send(prepared, () => undefined, always)
      if (kind !== 'unknown') return
    }
  }
  for (let at = 0; at < many; at += parallel) {
    const [market] = await openMarkets(bench, speed)
    const batch = Array.from({ length: Math.min(parallel, many - at) }, (_, index) => at + index)
    await Promise.all(batch.map((n) => post(market!, n)))
  }
  await gateway.close()
  return proxy.doubled
}
