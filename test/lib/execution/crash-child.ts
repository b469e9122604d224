/**
 * A small exec: recovers, then takes every signal it is given, one after the other, as if replayed after a restart.
 * `<dataDir> <url> <signals> <step> <occurrence>` kills itself with SIGKILL at that step; `naive` as the step keeps no
 * ledger and dies between the legs of the second signal. Without a step it ends by itself. With `manual` behind that
 * each is an order that somebody types, asked for twice.
 */

import { systemClock } from '../../../src/lib/core/clock.js'
import { hostId } from '../../../src/lib/core/ids.js'
import type { Ledger } from '../../../src/lib/execution/ledger.js'
import { recover } from '../../../src/lib/execution/recovery.js'
import { gamesPayload, signalsPayload } from '../../../src/lib/messages/convert.js'
import type { ManualOrder } from '../../../src/lib/model/manual-order.js'
import { ExecIntake } from '../../../src/lib/roles/exec-intake.js'
import { ExecMarkets } from '../../../src/lib/roles/exec-markets.js'
import { ExecOrders } from '../../../src/lib/roles/exec-orders.js'
import { ExecTotals } from '../../../src/lib/roles/exec-totals.js'
import type { RoleContext } from '../../../src/lib/roles/role.js'
import { Counters } from '../../../src/lib/telemetry/counters.js'
import { Histogram } from '../../../src/lib/telemetry/histogram.js'
import { GAME_ID, kalshiMarket, orderOf, polyMarket, signal } from '../risk/samples.js'
import { Harness } from './harness.js'
import { HttpGateway } from './http-gateway.js'

const [, , dataDir = '', url = '', count = '0', step = '', occurrence = '1', kind = ''] = process.argv
/** Each has markets of its own: one that a death leaves unhedged must not close the next. */
const signals = Array.from({ length: Number(count) }, (_, index) => {
  const legs = signal().legs.map((leg) => ({ ...leg, marketId: `${leg.marketId}-${index}` }))
  return signal({ id: `signal-${index}`, pair: `pair-${index}`, legs })
})
const listed = signals.flatMap(({ legs }) => {
  const [poly, kalshi] = legs.map(({ marketId }) => ({ marketId }))
  return [polyMarket(poly), kalshiMarket(kalshi)]
})

let seen = 0
function dieAt(reached: string): void {
  if (reached === step && ++seen === Number(occurrence)) process.kill(process.pid, 'SIGKILL')
}

/** Puts the points of death around the ledger's writes. */
function arm(ledger: Ledger): void {
  const see = ledger.see.bind(ledger)
  const intent = ledger.intent.bind(ledger)
  const append = ledger.append.bind(ledger)
  ledger.see = (...args) => {
    const result = see(...args)
    dieAt('after_seen')
    return result
  }
  ledger.intent = (...args) => {
    dieAt('before_intent')
    intent(...args)
    dieAt('after_intent')
  }
  ledger.append = (kind, ...args) => {
    const what = ['filled', 'partial', 'none', 'rejected', 'delayed', 'unknown'].includes(kind)
      ? 'outcome'
      : kind
    dieAt(`before_${what}`)
    append(kind, ...args)
    dieAt(`after_${what}`)
  }
}

async function naive(): Promise<void> {
  const gateway = new HttpGateway('poly', url)
  for (const [index, plan] of signals.entries()) {
    for (const leg of [0, 1]) {
      const order = orderOf(plan, leg)
      await gateway.send(
        gateway.prepare(order, leg === 0 ? polyMarket() : kalshiMarket()),
        () => undefined,
        () => true,
      )
      if (index === 1 && leg === 0 && occurrence === '1') process.kill(process.pid, 'SIGKILL')
    }
  }
}

async function careful(): Promise<void> {
  const harness = new Harness({ url, dataDir })
  arm(harness.ledger)
  const { counts } = harness.listener
  const totals = new ExecTotals(harness.ledger, {
    get: (name) => counts[name] ?? 0,
    set: (name, value) => void (counts[name] = value),
  })
  /** As a role does to its supervisor: the death that comes after a conclusion leaves it unreported. */
  const report = () => {
    totals.markTold()
    const { orders, fills } = counts
    process.stdout.write(`${JSON.stringify({ orders, fills })}\n`)
  }
  report()
  await harness.execution.gateways.poly.warm()
  await recover(harness.execution, harness.orders)
  const markets = new ExecMarkets()
  const team = { code: 'MIA', name: 'Miami', score: 0 }
  markets.applyGame(
    gamesPayload({
      league: 'nba',
      gameId: GAME_ID,
      home: team,
      away: { ...team, code: 'BOS' },
      status: 'live',
      period: 1,
      startMs: 0,
      provider: 'test',
      fetchedMs: 0,
      markets: listed,
      shard: 0,
    }),
  )
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  const context = { clock: systemClock, counters: new Counters(), log } as unknown as RoleContext
  const intake = new ExecIntake(context, harness.execution, harness.plans, markets, new Histogram())
  const orders = new ExecOrders(context, harness.execution, intake, markets)
  for (const [index, plan] of signals.entries()) {
    if (kind === 'manual') {
      const order = typed(plan, index)
      for (const _ of [1, 2]) orders.answer(order)
    } else intake.onMessage(received(plan))
    await harness.settled()
    report()
  }
  harness.close({ keep: true })
}

const ignore = (): void => undefined

/** Its hedge alone, as somebody would type it; the venue treats it as the signal of that number. */
function typed(plan: ReturnType<typeof signal>, index: number): ManualOrder {
  const { venue, marketId, outcome, side, limitE4, sizeE2 } = plan.legs[1]!
  return {
    ...{ order_id: String(index), env: 'sim', mode: 'live', by: 'ops@host', venue, market_id: marketId },
    ...{ outcome, side, limit: limitE4 / 10_000, size: sizeE2 / 100, valid_ms: 1_500 },
    ...{ asked_ms: Date.now(), asked_us: systemClock.monoUs(), host: hostId() },
  }
}

function received(plan: ReturnType<typeof signal>): Parameters<ExecIntake['onMessage']>[0] {
  const header = {
    v: 1,
    env: 'sim',
    source: 'shard-0.signals',
    epoch: 1,
    seq: 1,
    timestamp_ms: Date.now(),
    host: 'elsewhere',
    trace: 'kalshi.prices/1/1',
    stamps: {},
  } as const
  const topic = { family: 'signals', scope: 'trade', id: plan.id } as const
  const message = { family: 'signals', topic, header, payload: signalsPayload(plan) } as const
  const endpoint = { publisher: 'shard-0', url: '', sources: [] }
  return { message, bytes: Buffer.alloc(0), topic: `signals.trade.${plan.id}`, recvUs: 0, endpoint }
}

await (step === 'naive' ? naive() : careful())
