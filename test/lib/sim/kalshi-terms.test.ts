/** Fees and prices that change while the client trades: it hears of them, and reckons what is charged. */

import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { takerFeeMicros } from '../../../src/lib/model/fees.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import { Scenario } from '../../../src/lib/sim/scenario.js'
import { KalshiCatalog } from '../../../src/lib/venues/kalshi/catalog.js'
import type { CatalogChange } from '../../../src/lib/venues/kalshi/catalog-change.js'
import { KalshiFeed } from '../../../src/lib/venues/kalshi/feed.js'
import { KalshiGateway } from '../../../src/lib/venues/kalshi/gateway.js'
import { startBench, until, type Bench } from './harness.js'

/** The test turns the clock of both sides; ten seconds are a tenth of one in the scenario. */
let turnedMs = 0
const clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() + turnedMs,
  monoUs: () => systemClock.monoUs() + turnedMs * 1000,
}
const turn = (seconds: number) => (turnedMs += seconds * 1000)
const { signal: never } = new AbortController()

const dir = mkdtempSync(join(tmpdir(), 'terms-'))
const scenario = new Scenario({ seed: 1, nowMs: Date.now() })
scenario.advance(0)
// The third game: whole cents, and it does not end soon.
const named = scenario.games[2]!.kalshi[0]
let bench: Bench
let catalog: KalshiCatalog
let feed: KalshiFeed
let gateway: KalshiGateway
const changes: CatalogChange[] = []

beforeAll(async () => {
  const faults = [
    { at_ms: 1000, fault: 'fees', event: named.eventTicker, fee_type: 'quadratic', fee_multiplier: 0.5 },
    { at_ms: 2000, fault: 'fees', event: named.eventTicker, fee_multiplier: 2, ahead_ms: 120_000 },
    { at_ms: 5000, fault: 'waiver', market: named.id, for_ms: 180_000 },
    { at_ms: 8000, fault: 'prices', market: named.id, structure: 'tapered_deci_cent', for_ms: 100_000 },
  ]
  const file = join(dir, 'faults.jsonl')
  writeFileSync(file, faults.map((line) => JSON.stringify({ venue: 'kalshi', ...line })).join('\n'))
  bench = await startBench({ speed: 0.01, faults: file, clock })
  const credentials = { keyId: bench.trade.id, privateKey: createPrivateKey(bench.trade.pem) }
  const { kalshiRest: baseUrl, kalshiWs: wsUrl } = bench.sim.urls
  catalog = new KalshiCatalog({ baseUrl, clock })
  gateway = new KalshiGateway({ baseUrl, credentials, clock, keepWarmMs: 0 })
  feed = new KalshiFeed({
    ...{ wsUrl, credentials, clock: systemClock },
    onCatalogChange: (change) => {
      changes.push(change)
      catalog.apply(change)
    },
    listener: { onBook: () => undefined, onVerdict: () => undefined, onNotice: () => undefined },
  })
  const { markets } = await catalog.openMarkets('nba', never)
  feed.follow(markets.filter(({ marketId }) => marketId === named.id))
  await until(() => changes.length > 0, 'the catalog channel')
})
afterAll(async () => {
  await feed.close()
  await gateway.close()
  await catalog.close()
  await bench.close()
  rmSync(dir, { recursive: true, force: true })
})

/** The market as the client knows it now. */
const market = (): GameMarket => {
  const found = catalog.current('nba')?.markets.find(({ marketId }) => marketId === named.id)
  return { ...found!, kind: 'moneyline' }
}
const heard = async (kind: CatalogChange['kind']) => {
  await until(() => changes.some((change) => change.kind === kind), kind)
  changes.length = 0
}
const SIZE_E2 = 713
let orders = 0
const send = (limitE4: number, of = market()) => {
  const ids = { orderId: `terms-${++orders}`, signalId: 's', leg: 0, attempt: 0, signalMs: 1 }
  const terms = { outcome: 'yes', side: 'buy', limitE4, sizeE2: SIZE_E2 } as const
  const prepared = gateway.prepare({ ...ids, ...terms, venue: 'kalshi', marketId: named.id }, of)
  return gateway
    .send(
      prepared,
      () => undefined,
      () => true,
    )
    .then((outcome) => ({ prepared, outcome }))
}
/** What a fill was charged, what the client reckons for it, and what it comes to by another rate. */
async function fees(): Promise<{ charged: number; reckoned: number; by: (ratePpm: number) => number }> {
  const { prepared, outcome } = await send(9900)
  if (outcome.kind !== 'filled') throw new Error(JSON.stringify(outcome))
  const report = await until(async () => {
    turn(1)
    return gateway.report(prepared, outcome).catch(() => undefined)
  }, 'the fill')
  const priceE4 = report.cashMicros / SIZE_E2
  const by = (ratePpm: number) => takerFeeMicros({ ratePpm, roundUpToMicros: 100 }, priceE4, SIZE_E2)
  return { charged: report.feesMicros, reckoned: by(market().fees.ratePpm), by }
}

it('fees that change are charged, announced and reckoned alike, before and after', async () => {
  const before = await fees()
  expect(before.charged).toBeGreaterThan(0)
  expect(before.reckoned).toBe(before.charged)

  turn(100)
  await heard('event_fees')
  expect(market().fees.ratePpm).toBe(35_000)
  const half = await fees()
  expect(half.reckoned).toBe(half.charged)
  expect(half.charged).toBe(half.by(35_000))

  // Announced for in two minutes: nothing changes until a minute before, when the dearer one counts.
  turn(100)
  await catalog.openMarkets('nba', never)
  const listings = new KalshiCatalog({ baseUrl: bench.sim.urls.kalshiRest, clock })
  const rate = async () => {
    const { markets } = await listings.openMarkets('nba', never)
    return markets.find(({ marketId }) => marketId === named.id)?.fees.ratePpm
  }
  await until(async () => {
    const { event_fee_changes: told } = (await (
      await fetch(`${bench.sim.urls.kalshiRest}/events/fee_changes`)
    ).json()) as { event_fee_changes: { event_ticker: string; fee_multiplier_override: number }[] }
    return told.some((each) => each.event_ticker === named.eventTicker && each.fee_multiplier_override === 2)
  }, 'the announcement')
  expect(await rate()).toBe(35_000)
  const early = await fees()
  expect(early.charged).toBe(early.by(35_000))
  turn(80)
  expect(await rate()).toBe(140_000)
  const late = await fees()
  expect(late.charged).toBe(late.by(35_000))
  turn(60)
  await heard('event_fees')
  const double = await fees()
  expect(double.charged).toBe(double.by(140_000))
  expect(double.reckoned).toBe(double.charged)
  expect(await rate()).toBe(140_000)
  await listings.close()
})

it('a waiver is charged nothing, reckoned so while it surely lasts, and ends', async () => {
  turn(170)
  await heard('market_renamed')
  await catalog.openMarkets('nba', never)
  expect(await fees()).toMatchObject({ charged: 0, reckoned: 0 })
  turn(130)
  const last = await fees()
  expect(last.charged).toBe(0)
  expect(last.reckoned).toBeGreaterThan(0)
  turn(60)
  const after = await until(async () => {
    const paid = await fees()
    return paid.charged > 0 && paid
  }, 'the end of the waiver')
  expect(after.charged).toBe(after.by(140_000))
  expect(after.reckoned).toBe(after.charged)
})

it('finer prices are sent and taken from when they are announced, and refused when they are gone', async () => {
  await catalog.openMarkets('nba', never)
  const coarse = market()
  expect(() => send(9910, coarse)).toThrow('no price of the market')
  turn(120)
  await heard('market_prices')
  const fine = market()
  expect(fine.priceRanges).toHaveLength(3)
  expect((await send(9910)).outcome.kind).toBe('filled')
  expect(() => send(4510)).toThrow('no price of the market')
  turn(110)
  await heard('market_prices')
  expect((await send(9910, fine)).outcome).toMatchObject({ kind: 'rejected', code: 'invalid_price' })
  expect(() => send(9910)).toThrow('no price of the market')
})
