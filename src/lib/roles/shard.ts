/**
 * A shard keeps the books of both venues and the games that are its own, and decides the moment a price arrives, or can
 * be believed again: never on a timer, never behind an await, never by asking Redis.
 */

import type { Channel, MessageIdentity, PublishOptions, SealPayload } from '../bus/channel.js'
import { shardPublisher } from '../bus/endpoints.js'
import type { Problem, Received, ReceivedLegacy } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import { codeOf, messageOf } from '../core/errors.js'
import { hostId } from '../core/ids.js'
import { openBusReader } from '../history/open-bus-reader.js'
import { signalsPayload } from '../messages/convert.js'
import { readLegacyPrice } from '../messages/legacy.js'
import type { Header, SignalsPayload, Stamps } from '../messages/payloads.js'
import { sealSignal } from '../messages/signal-seal.js'
import { signalsSource } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import type { StrategySignal } from '../model/signal.js'
import { Histogram } from '../telemetry/histogram.js'
import { countProblem } from './count-problem.js'
import { bindPublisher } from './bind-publisher.js'
import { loadSignalKey } from './bus-keys.js'
import { busReading } from './bus-reading.js'
import { openRedisPublish } from './redis-publish.js'
import type { RedisPublish } from './redis-publish.js'
import type { RoleContext } from './role.js'
import { ShardDecider } from './shard-decider.js'
import type { LateDecision, ShardInputs } from './shard-decider.js'
import { openRecorder } from './shard-recorder.js'
import type { ShardRecorder } from './shard-recorder.js'
import type { ShardHead } from './shard-turn.js'
import { endpointOf, legacyEndpoints } from './wiring.js'

/** Gross edge per contract above which a pair is rather thought wrong than lucky: 30 cents. */
const MAX_EDGE_MICROS = 300_000
/** Keeps price x size in a safe integer, whatever is configured: a million contracts. */
const MAX_SIZE_E2 = 100_000_000
/** The same complaint is logged at most so often. */
const COMPLAIN_EVERY_MS = 60_000

export async function runShard(context: RoleContext, index: number): Promise<void> {
  const { settings, clock, counters, lifecycle } = context
  const name = shardPublisher(index)
  const source = signalsSource(index)
  const hops = { monitor_shard: new Histogram(), decision: new Histogram() }
  let isFenced = () => true
  context.report = () => {
    if (settings.shards > 1) counters.set('fenced', isFenced() ? 1 : 0)
    return {
      counts: counters.snapshot(),
      hops: { monitor_shard: hops.monitor_shard.beat(), decision: hops.decision.beat() },
    }
  }
  const signalKey = loadSignalKey(settings)
  const publisher = await bindPublisher(context, name)
  await sleep(publisher.joinGraceLeftMs(), lifecycle.signal)
  if (lifecycle.signal.aborted) return
  const shard = new Shard(
    context,
    index,
    publisher.channel(source),
    hops,
    openRedisPublish(context),
    signalKey,
  )
  isFenced = () => shard.isFenced
  lifecycle.defer('inputs', () => shard.close())
  const reader = openBusReader(settings.transport, {
    ...busReading(context),
    name,
    mode: 'snapshot',
    endpoints: [
      ...['kalshi', 'poly', 'orchestrator'].map((from) => endpointOf(settings, from)),
      ...legacyEndpoints(settings),
    ],
    prefixes: ['prices.', 'orderbook.', 'games.'],
    env: settings.env,
    clock,
    keys: context.keys,
    onMessage: (received) => shard.onMessage(received),
    onGap: (gap) => {
      counters.add('gaps')
      shard.inputs.gap(gap.source)
      shard.complain(`gap on ${gap.source}: ${gap.from} to ${gap.to ?? '?'} (${gap.reason})`, gap.source)
    },
    onConflated: ({ message }) => {
      counters.add('conflated')
      // Heard, though nobody looked at it.
      counters.add(message.family === 'prices' ? 'quotes' : 'books')
    },
    onState: (of, state) => shard.sendLate(shard.inputs.state(of, state === 'LIVE')),
    onHeartbeat: (heartbeat, _endpoint, recvUs) => {
      const decisions = shard.inputs.heartbeat(heartbeat, recvUs)
      if (decisions === undefined) counters.add('old_heartbeats')
      else shard.sendLate(decisions)
    },
    onLegacy: (received) => shard.onLegacy(received),
    onProblem: (problem) => shard.onProblem(problem),
  })
  lifecycle.defer('reader', () => reader.close())
  context.ready()
}

/** What the strategy may do, from the settings. */
export function strategySettings(settings: RoleContext['settings']): ShardHead['strategy'] {
  return {
    minEdgeMicros: settings['strategy.min_edge_micros'],
    delayCostMicrosPerS: settings['strategy.delay_cost_micros_per_s'],
    maxSizeE2: Math.min(settings['strategy.max_size'] * 100, MAX_SIZE_E2),
    maxEdgeMicros: MAX_EDGE_MICROS,
    validMs: settings['strategy.valid'],
  }
}

interface Hops {
  /** From the monitor's publish to here, quotes of this host. */
  readonly monitor_shard: Histogram
  /** From a quote's arrival to its decision, for quotes that touch a combination. */
  readonly decision: Histogram
}

/** Takes in what comes and sends what it decides. */
export class Shard {
  /** Everything that decisions depend on goes in here, and is written down on its way. */
  readonly inputs: ShardInputs
  private readonly recorder: ShardRecorder
  private readonly decider: ShardDecider
  private readonly host = hostId()
  private readonly complainedMs = new Map<string, number>()

  constructor(
    private readonly context: RoleContext,
    index: number,
    private readonly signals: Pick<Channel, 'source' | 'epoch' | 'publish'>,
    private readonly hops: Hops,
    private readonly redis: RedisPublish | undefined,
    private readonly signalKey: Buffer | undefined,
  ) {
    const { settings, counters } = context
    const strategy = strategySettings(settings)
    const { host } = this
    const { source, epoch } = signals
    this.recorder = openRecorder(context, {
      ...{ shard: index, shards: settings.shards, host },
      ...{ signals: { source, epoch }, strategy },
    })
    const decider = new ShardDecider({
      index,
      shards: settings.shards,
      host,
      strategy,
      clock: this.recorder,
      onNoSignal: (reason) => counters.add('no_signal', reason),
      onWorthless: ({ key, row }) => {
        counters.add('worthless', row)
        this.complain(`not traded, it could pay nothing (${row}): ${key}`, key)
      },
      onRefused: (reason) => this.refuse(reason),
    })
    this.decider = decider
    this.inputs = this.recorder.around(decider)
  }

  /** There are other shards, and the orchestrator is silent: it may have moved every game. */
  get isFenced(): boolean {
    const { lease } = this.decider
    return lease !== undefined && !lease.isFresh(this.context.clock.monoUs())
  }

  onMessage({ message, recvUs, isLate }: Received): void {
    const { counters } = this.context
    const { header } = message
    if (message.family === 'orderbook') counters.add('books')
    if (message.family === 'prices') {
      counters.add('quotes')
      const { pub } = header.stamps
      if (header.host === this.host && isLate !== true && pub !== undefined)
        this.hops.monitor_shard.record(recvUs - pub)
    }
    const signals = this.inputs.message(message, recvUs)
    if (signals !== undefined) this.send(signals, header, recvUs)
    if (message.family !== 'games') return
    counters.set('games', this.decider.books.gameCount)
    counters.set('combinations', this.decider.books.combinationCount)
    counters.set('markets', this.decider.books.marketCount)
  }

  onLegacy({ legacy, source }: ReceivedLegacy): void {
    const { counters, log } = this.context
    if (legacy.family === 'prices') {
      const price = readLegacyPrice(legacy.body)
      if ('reason' in price) return this.refuse(price.reason)
    }
    counters.add('unguarded')
    if (this.isNew(source)) {
      log.info(`${source} sends first-design ${legacy.family}: shown, never traded on`)
    }
  }

  onProblem(problem: Problem): void {
    countProblem(this.context.counters, problem)
    const { reason, detail } = problem
    this.complain(`refused (${reason}): ${detail}`, reason)
  }

  /** A warning, at most once a minute for the same key. */
  complain(text: string, key: string): void {
    if (this.isNew(key)) this.context.log.warn(text)
  }

  sendLate(decisions: readonly LateDecision[]): void {
    for (const { trigger, signals } of decisions) this.send(signals, trigger, this.context.clock.monoUs())
  }

  close(): void {
    this.recorder.close()
  }

  private send(signals: readonly StrategySignal[], header: Header, recvUs: number): void {
    // Whoever hears a signal can find out what it was decided on.
    if (signals.length > 0) this.recorder.flush()
    const shardOut = this.context.clock.monoUs()
    this.hops.decision.record(shardOut - recvUs)
    for (const signal of signals) {
      const topic = formatTopic({ family: 'signals', scope: 'trade', id: signal.id })
      const stamps = stampsOf(header, header.host === this.host, recvUs, shardOut)
      const payload = signalsPayload(signal)
      if (!this.tryPublish(topic, this.sealed(payload, shardOut), { stamps, trace: header.trace })) continue
      this.redis?.signal(payload)
      this.context.counters.add('signals')
    }
  }

  /** False when the journal refused it: what cannot be put on record is not traded. */
  private tryPublish(topic: string, payload: SignalsPayload | SealPayload, options: PublishOptions): boolean {
    try {
      this.signals.publish(topic, payload, options)
      return true
    } catch (error) {
      if (codeOf(error) !== 'JOURNAL_FAILED') throw error
      this.context.counters.add('signals_refused', 'journal')
      this.complain(`signal not sent: ${messageOf(error)}`, 'journal')
      return false
    }
  }

  /** With a key: the payload with a seal over it and over the message that it becomes. */
  private sealed(
    payload: SignalsPayload,
    shardOutUs: number,
  ): SignalsPayload | ((identity: MessageIdentity) => SignalsPayload) {
    const { signalKey, host } = this
    if (signalKey === undefined) return payload
    const { env } = this.context.settings
    return (identity) => sealSignal(signalKey, { ...identity, env, host, shardOutUs }, payload)
  }

  private refuse(reason: string): void {
    this.context.counters.add('parse_errors', reason)
    this.complain(`refused a message: ${reason}`, reason)
  }

  private isNew(key: string): boolean {
    const nowMs = this.context.clock.nowMs()
    const lastMs = this.complainedMs.get(key)
    if (lastMs !== undefined && nowMs - lastMs < COMPLAIN_EVERY_MS) return false
    if (this.complainedMs.size > 200) this.complainedMs.clear()
    this.complainedMs.set(key, nowMs)
    return true
  }
}

/** The trigger's receive stamp is kept only where it is of this host: stamps of one message share a clock. */
function stampsOf(header: Header, sameHost: boolean, shardIn: number, shardOut: number): Stamps {
  const { venue_ms, recv } = header.stamps
  return {
    ...(venue_ms === undefined ? {} : { venue_ms }),
    ...(recv === undefined || !sameHost ? {} : { recv }),
    shard_in: shardIn,
    shard_out: shardOut,
  }
}
