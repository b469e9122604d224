import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { loadPolymarketCredentials } from '../../../../src/lib/venues/polymarket/auth.js'
import { PolymarketGateway } from '../../../../src/lib/venues/polymarket/gateway.js'
import { Harness } from '../../execution/harness.js'
import { HttpVenue } from '../../execution/http-venue.js'
import { until } from '../../poll.js'
import { kalshiMarket } from '../../risk/samples.js'
import { polyGet, startBench, type Bench } from '../../sim/harness.js'
import { openMarkets, signalOf } from './unknown-outcome-drill.js'

const SPEED = 8

interface TradeRow {
  readonly taker_order_id: string
  readonly status: string
  readonly size: string
}

let dir: string
let bench: Bench
let harness: Harness
const kalshi = new HttpVenue(() => ({ kind: 'fill', perMille: 1000 }))
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-settlement-'))
  const faults = join(dir, 'faults.jsonl')
  const lines = ['failed', 'retried'].map((end) => ({
    venue: 'poly',
    at_ms: 0,
    fault: 'trades',
    end,
    times: 1,
  }))
  writeFileSync(faults, lines.map((line) => JSON.stringify(line)).join('\n'))
  bench = await startBench({ speed: SPEED, seed: 3, faults })
  await kalshi.listen()
  const { clob } = bench.sim.urls
  harness = new Harness({
    url: kalshi.url,
    gateways: {
      poly: new PolymarketGateway({
        restUrl: clob,
        geoblockUrl: `${clob}/api/geoblock`,
        credentials: loadPolymarketCredentials({ path: `${bench.dir}/polymarket.json` }),
        clock: systemClock,
      }),
    },
    timing: {
      delayedPollMs: 50,
      delayedLimitMs: 5_000,
      reportAtMs: [20, 200, 500, 1_000, 3_000],
      settlementAskMs: [100],
    },
  })
})
afterAll(async () => {
  await harness.orders.settlements.leave()
  harness.close()
  await kalshi.close()
  await bench.close()
  rmSync(dir, { recursive: true, force: true })
})

it('a fill is final when the venue says so of each of its trades: one that it gives up is voided, one that it retries is not', async () => {
  const market = (await openMarkets(bench, SPEED))[0]!
  for (const n of [0, 2, 4]) {
    const hedge = kalshiMarket({ marketId: `KXDRILL-${n}` })
    const plan = signalOf(n, market)
    await harness.run(plan, { markets: [market, hedge], signalMs: Date.now() + n })
    // What is given up leaves its hedge alone, which closes the market until its game is final.
    harness.execution.risk.releaseGame(plan.gameId)
  }
  const orders = () =>
    harness.ledger
      .history()
      .plans.flatMap((plan) => plan.orders)
      .filter(({ prepared }) => prepared.request.venue === 'poly')
  await until(() => orders().length === 3 && orders().every(({ settled }) => settled), 'all are final')
  const { data } = (await polyGet(bench, '/data/trades')).body as { readonly data: readonly TradeRow[] }
  const failedE6 = (id: string | undefined) =>
    data
      .filter(({ taker_order_id: taker, status }) => taker === id && status === 'FAILED')
      .reduce((sum, { size }) => sum + Math.round(Number(size) * 1e6), 0)
  const voided = orders().map(({ voidedE6 }) => voidedE6)
  expect(voided).toEqual(orders().map(({ prepared }) => failedE6(prepared.venueOrderId)))
  expect(voided.filter((sizeE6) => sizeE6 > 0)).toHaveLength(1)
  expect(new Set(data.map(({ status }) => status))).toEqual(new Set(['FAILED', 'CONFIRMED']))
  expect(harness.listener.trades.filter(({ status }) => status === 'voided')).toMatchObject([
    { filledE6: Math.max(...voided), cashMicros: 0 },
  ])
})
