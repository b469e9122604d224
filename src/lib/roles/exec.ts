/**
 * Exec turns signals into orders: at most once each, within limits, every outcome on record and on the bus. On sim
 * data it trades live against the simulator; on demo and prod data it trades on paper, and nothing else.
 */

import { Publisher } from '../bus/publisher.js'
import { Subscriber } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import type { Execution } from '../execution/execution.js'
import { HaltLatch } from '../execution/halt.js'
import { Ledger } from '../execution/ledger.js'
import { OrderRunner } from '../execution/order-runner.js'
import { EXECUTION_TIMING } from '../execution/plan.js'
import { PlanRunner } from '../execution/plan-runner.js'
import { tryAppend } from '../execution/record.js'
import { recover } from '../execution/recovery.js'
import type { HopBeat } from '../messages/heartbeat.js'
import { ORDERS_SOURCE, TRADES_SOURCE } from '../messages/sources.js'
import { limitsOf } from '../risk/limits.js'
import { RiskBook } from '../risk/risk-book.js'
import { Histogram } from '../telemetry/histogram.js'
import { ExecBus } from './exec-bus.js'
import { createGateways, modeOf } from './exec-gateways.js'
import { ExecIntake } from './exec-intake.js'
import { ExecMarkets } from './exec-markets.js'
import { ExecMessages } from './exec-messages.js'
import type { RoleContext } from './role.js'
import { endpointOf, endpointUrl, shardEndpoints } from './wiring.js'

/** Open plans have so long to end at a stop; then their waits are cut and what is unknown stays unknown. */
const DRAIN_MS = 8_000
const CUT_MS = 1_000
const CHECKPOINT_MS = 5_000

export async function runExec(context: RoleContext): Promise<void> {
  const { settings, clock, counters, lifecycle, log } = context
  const mode = modeOf(settings)
  const ledger = Ledger.open({ dataDir: settings.data_dir, env: settings.env, mode, clock })
  lifecycle.defer('ledger', () => ledger.close())
  const hops = { shard_exec: new Histogram(), tick_to_order: new Histogram() }
  const risk = new RiskBook(limitsOf(settings))
  context.report = () => {
    counters.set('exposure_usd', risk.totalMicros / 1e6)
    counters.set('open_plans', risk.openPlans)
    return {
      counts: counters.snapshot(),
      hops: { shard_exec: hopBeat(hops.shard_exec), tick_to_order: hopBeat(hops.tick_to_order) },
    }
  }
  const publisher = await Publisher.bind({
    name: 'exec',
    url: endpointUrl(settings, 'exec'),
    env: settings.env,
    clock,
    sources: [ORDERS_SOURCE, TRADES_SOURCE],
    allowPlainBind: settings.allow_plain_bind,
    details: () => context.report(),
  })
  lifecycle.defer('publisher', () => publisher.close())
  log.info(`publishes on ${publisher.url}`)

  const markets = new ExecMarkets()
  const gateways = createGateways(context, mode, markets)
  for (const gateway of Object.values(gateways)) lifecycle.defer(gateway.venue, () => gateway.close())
  const listener = new ExecMessages(context, mode, publisher, hops.tick_to_order)
  const halt = new HaltLatch(settings.data_dir, (why) => {
    log.error(`halted: ${why}; no entries until it is removed and exec restarted`)
    tryAppend({ ledger, listener }, 'halted', {}, { why })
  })
  lifecycle.defer('halt', () => halt.close())
  const cut = new AbortController()
  const execution: Execution = {
    env: settings.env,
    mode,
    gateways,
    ledger,
    risk,
    clock,
    timing: EXECUTION_TIMING,
    listener,
    cut: cut.signal,
    entryBlock: () => {
      if (lifecycle.signal.aborted) return 'STOPPING'
      if (ledger.broken !== undefined) return 'LEDGER_FAILED'
      return halt.check() ? 'HALTED' : undefined
    },
  }
  const orders = new OrderRunner(execution)
  const plans = new PlanRunner(execution, orders)
  lifecycle.defer('open plans', () => drain(plans, orders, cut), DRAIN_MS + 2 * CUT_MS)

  const bus = new ExecBus(context, markets, execution)
  const details = new Subscriber({
    endpoints: ['kalshi', 'poly', 'orchestrator'].map((from) => endpointOf(settings, from)),
    prefixes: mode === 'paper' ? ['games.', 'orderbook.'] : ['games.'],
    env: settings.env,
    clock,
    onMessage: (received) => bus.onDetails(received),
    onGap: (gap) => bus.onGap(gap),
    onProblem: (problem) => bus.onProblem(problem),
  })
  lifecycle.defer('details', () => details.close())
  if (!halt.check() && ledger.history().halted) {
    ledger.append('resumed', {})
    log.info('the halt is over')
  }
  halt.watch()
  await Promise.all(Object.values(gateways).map((gateway) => gateway.warm()))
  await sleep(publisher.joinGraceLeftMs(), lifecycle.signal)
  if (lifecycle.signal.aborted) return
  const recovering = recover(execution, orders)
  orders.track(recovering.then(() => undefined))
  const recovered = await recovering
  log.info(`${mode} on ${settings.env} data, ledger ${ledger.path}`, { ...recovered })
  if (lifecycle.signal.aborted) return

  const intake = new ExecIntake(context, execution, plans, markets, hops.shard_exec)
  const signals = new Subscriber({
    endpoints: shardEndpoints(settings),
    prefixes: ['signals.trade.'],
    env: settings.env,
    clock,
    onMessage: (received) => intake.onMessage(received),
    onGap: (gap) => bus.onGap(gap),
    onProblem: (problem) => bus.onProblem(problem),
  })
  lifecycle.defer('signals', () => signals.close())
  const checkpoints = setInterval(() => {
    if (plans.openPlans === 0) ledger.checkpointWhenLong()
  }, CHECKPOINT_MS)
  lifecycle.defer('checkpoints', () => clearInterval(checkpoints))
  context.ready()
}

/** Open plans and the money of their fills end by themselves; what takes too long is cut and found at the next start. */
async function drain(plans: PlanRunner, orders: OrderRunner, cut: AbortController): Promise<void> {
  const ended = plans.idle().then(() => orders.settled())
  const timer = setTimeout(() => cut.abort(), DRAIN_MS)
  await ended
  clearTimeout(timer)
}

const hopBeat = (histogram: Histogram): HopBeat => ({
  p50_us: histogram.percentile(50),
  p99_us: histogram.percentile(99),
  n: histogram.count,
})
