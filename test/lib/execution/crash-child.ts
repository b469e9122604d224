/**
 * A small exec: recovers, then takes every signal it is given, one after the other, as if replayed after a restart.
 * `<dataDir> <url> <signals> <step> <occurrence>` kills itself with SIGKILL at that step; `naive` as the step keeps no
 * ledger and dies between the legs of the second signal. Without a step it ends by itself.
 */

import { systemClock } from '../../../src/lib/core/clock.js'
import type { Ledger } from '../../../src/lib/execution/ledger.js'
import { recover } from '../../../src/lib/execution/recovery.js'
import { gamesPayload, signalsPayload } from '../../../src/lib/messages/convert.js'
import { ExecIntake } from '../../../src/lib/roles/exec-intake.js'
import { ExecMarkets } from '../../../src/lib/roles/exec-markets.js'
import { ExecTotals } from '../../../src/lib/roles/exec-totals.js'
import { Counters } from '../../../src/lib/telemetry/counters.js'
import { Histogram } from '../../../src/lib/telemetry/histogram.js'
import { GAME_ID, kalshiMarket, orderOf, polyMarket, signal } from '../risk/samples.js'
import { Harness } from './harness.js'
import { HttpGateway } from './http-gateway.js'

const [, , dataDir = '', url = '', count = '0', step = '', occurrence = '1'] = process.argv
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
  const context = { clock: systemClock, counters: new Counters() } as ConstructorParameters<
    typeof ExecIntake
  >[0]
  const intake = new ExecIntake(context, harness.execution, harness.plans, markets, new Histogram())
  for (const plan of signals) {
    intake.onMessage(received(plan))
    await harness.settled()
    report()
  }
  harness.close({ keep: true })
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
