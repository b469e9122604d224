/**
 * A shard keeps the books of both venues and the games that are its own, and decides the moment a price arrives: never
 * on a timer, never behind an await, never by asking Redis.
 */

import type { Channel, MessageIdentity, PublishOptions, SealPayload } from '../bus/channel.js'
import { shardPublisher } from '../bus/endpoints.js'
import type { Problem, Received, ReceivedLegacy } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import { codeOf, messageOf } from '../core/errors.js'
import { hostId } from '../core/ids.js'
import { TeamCodeBook } from '../games/team-codes.js'
import { openBusReader } from '../history/open-bus-reader.js'
import { gameStateOf, signalsPayload } from '../messages/convert.js'
import { readLegacyPrice } from '../messages/legacy.js'
import type {
  GameNoticePayload,
  GamesPayload,
  Header,
  PricesPayload,
  SignalsPayload,
  Stamps,
} from '../messages/payloads.js'
import { sealSignal } from '../messages/signal-seal.js'
import { signalsSource } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import { CrossVenueStrategy } from '../strategy/cross-venue-strategy.js'
import type { StrategySettings } from '../strategy/cross-venue-strategy.js'
import { Histogram } from '../telemetry/histogram.js'
import { countProblem } from './count-problem.js'
import { bindPublisher } from './bind-publisher.js'
import { loadSignalKey } from './bus-keys.js'
import { busReading } from './bus-reading.js'
import { openRedisPublish } from './redis-publish.js'
import type { RedisPublish } from './redis-publish.js'
import type { RoleContext } from './role.js'
import { ShardBooks } from './shard-books.js'
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
  context.report = () => ({
    counts: counters.snapshot(),
    hops: { monitor_shard: hops.monitor_shard.beat(), decision: hops.decision.beat() },
  })
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
      shard.books.applyGap(gap)
      shard.complain(`gap on ${gap.source}: ${gap.from} to ${gap.to ?? '?'} (${gap.reason})`, gap.source)
    },
    onConflated: ({ message }) => {
      counters.add('conflated')
      // Heard, though nobody looked at it.
      counters.add(message.family === 'prices' ? 'quotes' : 'books')
    },
    onState: (of, state) => shard.books.applyState(of, state === 'LIVE'),
    onHeartbeat: (heartbeat, _endpoint, recvUs) => {
      if (!shard.books.applyHeartbeat(heartbeat, recvUs)) counters.add('old_heartbeats')
    },
    onLegacy: (received) => shard.onLegacy(received),
    onProblem: (problem) => shard.onProblem(problem),
  })
  lifecycle.defer('reader', () => reader.close())
  context.ready()
}

/** What the strategy may do, from the settings. */
function strategySettings(settings: RoleContext['settings']): StrategySettings {
  return {
    minEdgeMicros: settings['strategy.min_edge_micros'],
    maxSizeE2: Math.min(settings['strategy.max_size'] * 100, MAX_SIZE_E2),
    maxEdgeMicros: MAX_EDGE_MICROS,
    validMs: settings['strategy.valid'],
  }
}

interface Hops {
  /** From the monitor's publish to here, quotes of this host. */
  readonly monitor_shard: Histogram
  /** From a quote's arrival to its decision, for quotes that touch a pair. */
  readonly decision: Histogram
}

class Shard {
  readonly books: ShardBooks
  private readonly strategy: CrossVenueStrategy
  private readonly host = hostId()
  private readonly complainedMs = new Map<string, number>()

  constructor(
    private readonly context: RoleContext,
    index: number,
    private readonly signals: Channel,
    private readonly hops: Hops,
    private readonly redis: RedisPublish | undefined,
    private readonly signalKey: Buffer | undefined,
  ) {
    const { settings, clock, counters } = context
    this.strategy = new CrossVenueStrategy(strategySettings(settings), (reason) =>
      counters.add('no_signal', reason),
    )
    this.books = new ShardBooks({
      index,
      codes: new TeamCodeBook(),
      host: this.host,
      nowMs: () => clock.nowMs(),
      onPairGone: (pair) => this.strategy.forget(pair),
    })
  }

  onMessage({ message, recvUs, isLate }: Received): void {
    const { header, topic } = message
    switch (message.family) {
      case 'orderbook': {
        const { payload } = message
        if (payload.venue !== topic.scope || payload.market_id !== topic.id)
          return this.refuse('topic_payload_differ')
        this.context.counters.add('books')
        const misfit = this.books.applyBook(payload, header, recvUs)
        if (misfit !== undefined) this.refuse(misfit)
        return
      }
      case 'prices': {
        const { payload } = message
        if (payload.venue !== topic.scope || payload.market_id !== topic.id)
          return this.refuse('topic_payload_differ')
        return this.onQuote(payload, header, recvUs, isLate === true)
      }
      case 'games':
        return this.onGame(message.payload, header, topic.id, recvUs)
      default:
        return
    }
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

  private onQuote(payload: PricesPayload, header: Header, recvUs: number, isLate: boolean): void {
    const { clock, counters } = this.context
    const sameHost = header.host === this.host
    if (sameHost && !isLate && header.stamps.pub !== undefined)
      this.hops.monitor_shard.record(recvUs - header.stamps.pub)
    counters.add('quotes')
    const { pairs, book } = this.books.applyQuote(payload, header, recvUs)
    if (pairs.length === 0) return
    const signals = this.strategy.evaluate(pairs, book.quoteMessage, clock.monoUs())
    const shardOut = clock.monoUs()
    this.hops.decision.record(shardOut - recvUs)
    for (const signal of signals) {
      const topic = formatTopic({ family: 'signals', scope: 'trade', id: signal.id })
      const stamps = stampsOf(header, sameHost, recvUs, shardOut)
      const payload = signalsPayload(signal)
      if (!this.tryPublish(topic, this.sealed(payload, shardOut), { stamps, trace: header.trace })) continue
      this.redis?.signal(payload)
      counters.add('signals')
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

  private onGame(
    payload: GamesPayload | GameNoticePayload,
    header: Header,
    topicId: string,
    recvUs: number,
  ): void {
    // A notice says nothing that the state itself does not.
    if (!('markets' in payload) || topicId === '') return
    if (payload.game_id !== topicId) return this.refuse('topic_payload_differ')
    const state = gameStateOf(payload)
    if (state === undefined) return this.refuse('bad_tick_or_size')
    this.books.applyGame(state, header.timestamp_ms, recvUs)
    const { counters } = this.context
    counters.set('games', this.books.gameCount)
    counters.set('pairs', this.books.pairCount)
    counters.set('markets', this.books.marketCount)
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
