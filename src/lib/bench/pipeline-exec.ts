/**
 * The executing process of the pipeline benchmark, forked by `pipeline.ts`: from a signal through intake, risk, the looks at
 * what halts, the prepared order and its intent on disk to the bytes, which a venue on paper takes and never fills.
 */

import { sourcesOf } from '../bus/endpoints.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import type { Received } from '../bus/subscriber.js'
import { systemClock } from '../core/clock.js'
import type { Execution } from '../execution/execution.js'
import { Ledger } from '../execution/ledger.js'
import { OrderRunner } from '../execution/order-runner.js'
import { PaperVenue } from '../execution/paper-venue.js'
import { EXECUTION_TIMING } from '../execution/plan.js'
import type { ExecutionListener } from '../execution/plan.js'
import { PlanRunner } from '../execution/plan-runner.js'
import { openBusReader } from '../history/open-bus-reader.js'
import type { Venue } from '../model/venue.js'
import { limitsOf } from '../risk/limits.js'
import { RiskBook } from '../risk/risk-book.js'
import { openHalt } from '../roles/exec-halt.js'
import { ExecIntake } from '../roles/exec-intake.js'
import { ExecMarkets } from '../roles/exec-markets.js'
import { ExecMessages } from '../roles/exec-messages.js'
import type { RoleContext } from '../roles/role.js'
import { journalRoot } from '../bus/journal/paths.js'
import { Histogram } from '../telemetry/histogram.js'
import { serveParent } from './bench-child.js'
import { connectBroker } from './brokers.js'
import { costOf, createBenchContext } from './pipeline-context.js'
import { PIPELINE_ENV } from './pipeline-messages.js'
import type { FromExec, Tick, ToExec } from './pipeline-messages.js'
import { PlainReader } from './plain-reader.js'

/** What a venue takes to answer: a plan is over before its pair makes the next signal. */
const PAPER_LATENCY_MS = 2
const SIGNALS = ['signals.trade.'] as const
const GAMES = ['games.'] as const

type Open = Extract<ToExec, { type: 'open' }>
type Live<T> = { -readonly [K in keyof T]: T[K] }

/** Signals since they were taken, by trace: the identity of the quote that caused one. */
let ticks = new Map<string, Live<Tick>>()
let context: RoleContext | undefined

class Exec {
  private readonly markets = new ExecMarkets()
  private readonly intake: ExecIntake

  constructor(context: RoleContext, publisher: Publisher) {
    const { settings, clock } = context
    const ledger = Ledger.open({ dataDir: settings.data_dir, env: PIPELINE_ENV, mode: 'paper', clock })
    const halt = openHalt(context, ledger, 'paper')
    halt.watch()
    const paper = (venue: Venue) =>
      new PaperVenue({ venue, latencyMs: PAPER_LATENCY_MS, bookOf: () => undefined })
    const execution: Execution = {
      env: PIPELINE_ENV,
      mode: 'paper',
      gateways: { kalshi: paper('kalshi'), poly: paper('poly') },
      ledger,
      risk: new RiskBook(limitsOf(settings)),
      clock,
      timing: EXECUTION_TIMING,
      listener: listening(new ExecMessages(context, 'paper', publisher, new Histogram())),
      cut: new AbortController().signal,
      entryBlock: () => {
        if (ledger.broken !== undefined) return 'LEDGER_FAILED'
        return halt.level() === undefined ? undefined : 'HALTED'
      },
      hedgeBlock: () => (halt.level() === 'all' ? 'HALTED' : undefined),
    }
    const orders = new OrderRunner(execution)
    const plans = new PlanRunner(execution, orders)
    this.intake = new ExecIntake(context, execution, plans, this.markets, new Histogram())
  }

  onSignal(received: Received): void {
    const { header } = received.message
    const { recv: dueUs, shard_in: shardInUs, shard_out: shardOutUs } = header.stamps
    if (dueUs !== undefined && shardInUs !== undefined && shardOutUs !== undefined) {
      const heardUs = received.recvUs
      ticks.set(header.trace, { dueUs, shardInUs, shardOutUs, heardUs, orderUs: undefined })
    }
    this.intake.onMessage(received)
  }

  onGame({ message }: Pick<Received, 'message'>): void {
    if (message.family === 'games' && 'markets' in message.payload) this.markets.applyGame(message.payload)
  }
}

/** Notes when bytes are written. */
const listening = (messages: ExecMessages): ExecutionListener => ({
  onOrder: (update) => {
    const tick = ticks.get(update.trace)
    if (tick !== undefined && update.request.leg === 0) tick.orderUs ??= update.stamps['order']
    messages.onOrder(update)
  },
  onTrade: (update) => messages.onTrade(update),
  onCount: (name, reason) => messages.onCount(name, reason),
  onBytes: (request, stamps) => messages.onBytes(request, stamps),
  onAlarm: (text) => messages.onAlarm(text),
})

function openBus(exec: Exec, role: RoleContext, { signals, games }: Open): void {
  const shared = { redisUrl: role.settings.redis_url, env: PIPELINE_ENV, clock: systemClock } as const
  openBusReader('zmq', {
    ...shared,
    name: 'exec-details',
    mode: 'snapshot',
    endpoints: games,
    prefixes: GAMES,
    onMessage: (received) => exec.onGame(received),
  })
  openBusReader('zmq', {
    ...shared,
    name: 'exec-signals',
    mode: 'gap-filled',
    startAt: () => 'live',
    endpoints: signals,
    prefixes: SIGNALS,
    onMessage: (received) => exec.onSignal(received),
  })
}

async function openRedis(exec: Exec, redisUrl: string): Promise<void> {
  const endpoint: PublisherEndpoint = { publisher: 'redis', url: '', recoveryUrl: '', sources: [] }
  let recvUs = 0
  const reader = new PlainReader(PIPELINE_ENV, (message, topic, bytes) => {
    if (message.family === 'games') exec.onGame({ message })
    else exec.onSignal({ message, topic, bytes, recvUs, endpoint })
  })
  const link = await connectBroker({ transport: 'redis', redisUrl, natsPort: 0 })
  await link.subscribe([...SIGNALS, ...GAMES], (topic, bytes) => {
    recvUs = systemClock.monoUs()
    reader.read(topic, bytes)
  })
}

async function open(message: Open): Promise<void> {
  const { link, dir } = message
  const role = createBenchContext('exec', dir)
  context = role
  const publisher = await Publisher.bind({
    name: 'exec',
    url: 'tcp://127.0.0.1:*',
    env: PIPELINE_ENV,
    clock: systemClock,
    sources: sourcesOf('exec'),
    journal: { root: journalRoot(role.settings), retainBytes: role.settings['journal.retain'] },
  })
  const exec = new Exec(role, publisher)
  if (link.transport === 'redis') await openRedis(exec, link.redisUrl)
  else openBus(exec, role, message)
}

serveParent<ToExec, FromExec>(async (message) => {
  switch (message.type) {
    case 'open': {
      await open(message)
      return { type: 'opened' }
    }
    case 'take': {
      const taken = [...ticks.values()]
      ticks = new Map()
      return { type: 'taken', ticks: taken }
    }
    case 'cost':
      return costOf(context)
  }
})
