/**
 * Exec turns signals into orders: at most once each, within limits, every outcome on record and on the bus. On sim
 * data it trades live against the simulator; on demo and prod data it trades on paper, and nothing else.
 */

import { setMaxListeners } from 'node:events'
import { resolve } from 'node:path'
import { sleep } from '../core/backoff.js'
import type { Execution } from '../execution/execution.js'
import { haltPath } from '../execution/halt-files.js'
import { Ledger } from '../execution/ledger.js'
import { OrderRunner } from '../execution/order-runner.js'
import { EXECUTION_TIMING } from '../execution/plan.js'
import { PlanRunner } from '../execution/plan-runner.js'
import { recover } from '../execution/recovery.js'
import { openBusReader } from '../history/open-bus-reader.js'
import { limitsOf } from '../risk/limits.js'
import { RiskBook } from '../risk/risk-book.js'
import { Histogram } from '../telemetry/histogram.js'
import { ExecAccounts } from './exec-accounts.js'
import { ExecBus } from './exec-bus.js'
import { DRAIN_TIMING, drain } from './exec-drain.js'
import type { DrainTiming } from './exec-drain.js'
import { createGateways, modeOf } from './exec-gateways.js'
import { followHaltKey, openHalt } from './exec-halt.js'
import { ExecIntake } from './exec-intake.js'
import { ExecMarkets } from './exec-markets.js'
import { ExecMessages } from './exec-messages.js'
import { ExecOrders } from './exec-orders.js'
import { ExecTotals } from './exec-totals.js'
import { bindPublisher } from './bind-publisher.js'
import { loadSignalKey } from './bus-keys.js'
import { busReading } from './bus-reading.js'
import type { RoleContext } from './role.js'
import { endpointOf, shardEndpoints } from './wiring.js'

/** What ends after a drain: the ledger's last writes. */
const DRAIN_SLACK_MS = 2_000
const CHECKPOINT_MS = 5_000
/** Signals of before that are still put on record: what a stream of Redis keeps. */
const MAX_BEHIND = 1_000
/** A signal that is missed waits for nobody longer than it would be valid. */
const OUT_OF_REACH_MS = 1_000

/** Returns once signals are taken; the rest is the lifecycle's. `timing` is for tests. */
export async function runExec(context: RoleContext, timing: DrainTiming = DRAIN_TIMING): Promise<void> {
  const { settings, clock, counters, lifecycle, log } = context
  const mode = modeOf(settings)
  const signalKey = loadSignalKey(settings)
  const ledger = Ledger.open({ dataDir: settings.data_dir, env: settings.env, mode, clock })
  const totals = new ExecTotals(ledger, counters)
  lifecycle.defer('ledger', () => {
    // The final report follows.
    totals.markTold()
    ledger.close()
  })
  const hops = { shard_exec: new Histogram(), tick_to_order: new Histogram() }
  const limits = limitsOf(settings)
  const risk = new RiskBook(limits)
  let recovered = false
  const report = () => {
    counters.set('recovering', recovered ? 0 : 1)
    // At a stop it is closed, which is no failure.
    if (!lifecycle.signal.aborted) counters.set('ledger_failed', ledger.broken === undefined ? 0 : 1)
    counters.set('limit_usd', limits.totalMicros / 1e6)
    counters.set('exposure_usd', risk.totalMicros / 1e6)
    counters.set('open_plans', risk.openPlans)
    counters.set('quarantined', risk.quarantined)
    return {
      counts: counters.snapshot(),
      hops: { shard_exec: hops.shard_exec.beat(), tick_to_order: hops.tick_to_order.beat() },
    }
  }
  context.report = () => {
    totals.markTold()
    return report()
  }
  const markets = new ExecMarkets()
  const gateways = createGateways(context, mode, markets, (reason) =>
    halt.halt({ level: 'entries', reason, by: 'kalshi' }),
  )
  const accounts = new ExecAccounts(context, Object.values(gateways), ledger, (order) => halt.halt(order))
  const halt = openHalt(context, ledger, mode, () => accounts.resume())
  /** Filled once it may be asked. */
  const manual: { orders?: ExecOrders } = {}
  const publisher = await bindPublisher(context, 'exec', report, {
    onHalt: (order) => {
      halt.halt(order)
      return { level: halt.level() ?? order.level, env: settings.env, mode }
    },
    onOrder: (order) => manual.orders?.answer(order) ?? { env: settings.env, mode, refused: 'NOT_READY' },
  })

  for (const gateway of Object.values(gateways)) lifecycle.defer(gateway.venue, () => gateway.close())
  const listener = new ExecMessages(context, mode, publisher, hops.tick_to_order)
  const cut = new AbortController()
  // Every wait of every open plan listens to it.
  setMaxListeners(0, cut.signal)
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
      if (halt.level() !== undefined) return 'HALTED'
      return recovered ? undefined : 'RECOVERING'
    },
    hedgeBlock: () => (halt.level() === 'all' ? 'HALTED' : undefined),
  }
  const orders = new OrderRunner(execution)
  const plans = new PlanRunner(execution, orders)
  const bus = new ExecBus(context, markets, execution)
  const details = openBusReader(settings.transport, {
    ...busReading(context),
    name: 'exec-details',
    mode: 'snapshot',
    endpoints: ['kalshi', 'poly', 'orchestrator'].map((from) => endpointOf(settings, from)),
    prefixes: mode === 'paper' ? ['games.', 'orderbook.'] : ['games.'],
    env: settings.env,
    clock,
    keys: context.keys,
    onMessage: (received) => bus.onDetails(received),
    onState: (source, state) => bus.onState(source, state),
    onHeartbeat: (heartbeat, _endpoint, recvUs) => bus.onHeartbeat(heartbeat, recvUs),
    onGap: (gap) => bus.onGap(gap),
    onProblem: (problem) => bus.onProblem(problem),
  })
  lifecycle.defer('details', () => details.close())
  // Plans that end at a stop still need books to fill on, on paper.
  const work = { plans, orders, gateways: Object.values(gateways), cut }
  const drainMs = timing.drainMs + timing.cutMs + DRAIN_SLACK_MS
  lifecycle.defer('open plans', () => drain(work, timing), drainMs)
  log.info(`halt file: ${resolve(haltPath(settings.data_dir))}`)
  halt.watch()
  const keyHeard = followHaltKey(context, halt)
  const warming = Promise.all(Object.values(gateways).map((gateway) => gateway.warm()))
  // Whoever awaits it below hears of a failure.
  warming.catch(() => undefined)
  await sleep(publisher.joinGraceLeftMs(), lifecycle.signal)
  if (lifecycle.signal.aborted) return
  // Heard from here on, though none is taken before recovery has ended: each is denied, on record and told.
  const intake = new ExecIntake(context, execution, plans, markets, hops.shard_exec, signalKey)
  manual.orders = new ExecOrders(context, execution, intake, markets, signalKey)
  const signals = openBusReader(settings.transport, {
    ...busReading(context),
    name: 'exec-signals',
    mode: 'gap-filled',
    startAt: (source) => ledger.lastSeen(source) ?? 'live',
    maxBehind: MAX_BEHIND,
    outOfReachMs: OUT_OF_REACH_MS,
    endpoints: shardEndpoints(settings),
    prefixes: ['signals.trade.'],
    env: settings.env,
    clock,
    keys: context.keys,
    onMessage: (received) => intake.onMessage(received),
    onGap: (gap) => {
      intake.onGap(gap)
      bus.onGap(gap)
    },
    onProblem: (problem) => bus.onProblem(problem),
  })
  lifecycle.defer('signals', () => signals.close())
  const checkpoints = setInterval(() => {
    if (plans.openPlans === 0) ledger.checkpointWhenLong()
  }, CHECKPOINT_MS)
  lifecycle.defer('checkpoints', () => clearInterval(checkpoints))

  await warming
  if (lifecycle.signal.aborted) return
  const recovering = recover(execution, orders)
  orders.track(recovering.then(() => undefined))
  const found = await recovering
  await keyHeard
  log.info(`${mode} on ${settings.env} data, ledger ${ledger.path}`, { ...found })
  recovered = true
  if (!lifecycle.signal.aborted) accounts.watch()
  if (!lifecycle.signal.aborted) context.ready()
}
