/**
 * The publishing process of the hop benchmark, forked by `hop.ts`. Over ZeroMQ it is our publisher; over Redis the same
 * envelope from the same codec. Ends when its parent does.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '../bus/curve.js'
import { Publisher } from '../bus/publisher.js'
import { ZapHandler } from '../bus/zap.js'
import { systemClock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { hostId } from '../core/ids.js'
import { encode } from '../messages/codec.js'
import { pricesSource } from '../messages/sources.js'
import { RedisPubSub } from '../redis/pubsub.js'
import { BUS_TRANSPORTS, HOP_ENV, HOP_PUBLISHER, perTick } from './hop-messages.js'
import type {
  BusTransport,
  FromPublisher,
  HopRun,
  PublisherResult,
  ToPublisher,
  Transport,
} from './hop-messages.js'
import { Metronome } from './metronome.js'
import { percentileOf } from './percentiles.js'
import { PriceWalk } from './price-walk.js'

/** Between preparation and the first tick, us. */
const LEAD_US = 20_000
/** Messages in a turn of the event loop when there is no schedule. */
const BURST = 500

interface Sink {
  readonly nextSeq: number
  /** Numbers, encodes and hands over one message that was due at `dueUs`. */
  publish(dueUs: number): void
  /** Resolves when what was handed over has left, as far as the transport tells. */
  flushed(): Promise<unknown>
}

const SOURCE = pricesSource(HOP_PUBLISHER)
/** More than any run writes. */
const RETAIN_BYTES = 4 * 2 ** 30
const now = () => systemClock.monoUs()

class ZeromqSink implements Sink {
  private readonly walk = new PriceWalk()
  constructor(private readonly publisher: Publisher) {}

  get nextSeq(): number {
    return this.publisher.channel(SOURCE).nextSeq
  }

  publish(dueUs: number): void {
    const { topic, payload, topLevel } = this.walk.next()
    this.publisher.channel(SOURCE).publish(topic, payload, { stamps: { recv: dueUs }, topLevel })
  }

  flushed(): Promise<unknown> {
    return Promise.resolve()
  }
}

/** The envelope of our publisher, without its socket: what a first-design `PUBLISH` of it would cost. */
class RedisSink implements Sink {
  nextSeq = 1
  private readonly walk = new PriceWalk()
  private readonly epoch = systemClock.nowMs()
  private readonly lastByTopic = new Map<string, number>()
  private last: Promise<unknown> = Promise.resolve()

  constructor(private readonly redis: RedisPubSub) {}

  publish(dueUs: number): void {
    const { topic, payload, topLevel } = this.walk.next()
    const seq = this.nextSeq++
    const prev = this.lastByTopic.get(topic) ?? 0
    this.lastByTopic.set(topic, seq)
    const text = encode(
      {
        env: HOP_ENV,
        source: SOURCE,
        epoch: this.epoch,
        seq,
        prev,
        timestampMs: systemClock.nowMs(),
        host: hostId(),
        stamps: { recv: dueUs, pub: now() },
      },
      payload,
      topLevel,
    )
    this.last = this.redis.publish(topic, text).catch(() => undefined)
  }

  flushed(): Promise<unknown> {
    return this.last
  }
}

/** The sum of user and system time of this process, us. */
const cpuUs = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const rssMib = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20)

async function publishRun(sink: Sink, run: HopRun): Promise<PublisherResult> {
  return run.rate === null ? publishUnpaced(sink, run) : publishPaced(sink, run, run.rate)
}

async function publishPaced(sink: Sink, run: HopRun, rate: number): Promise<PublisherResult> {
  const burst = perTick(rate)
  const tickUs = (burst * 1e6) / rate
  const warmUpTicks = run.warmUp / burst
  const measuredTicks = run.measured / burst
  const lateUs = new Float64Array(measuredTicks)
  let usedUs = 0
  const startUs = now() + LEAD_US
  await metronome.run({ startUs, tickUs, ticks: warmUpTicks + measuredTicks }, (tick, dueUs) => {
    if (tick === warmUpTicks) usedUs = cpuUs()
    if (tick >= warmUpTicks) lateUs[tick - warmUpTicks] = Math.max(0, now() - dueUs)
    for (let i = 0; i < burst; i++) sink.publish(dueUs)
  })
  const plannedUs = measuredTicks * tickUs
  const tookUs = Math.max(now() - (startUs + warmUpTicks * tickUs), plannedUs)
  return {
    cpuUs: cpuUs() - usedUs,
    lateP50Us: percentileOf(lateUs, 50),
    lateP99Us: percentileOf(lateUs, 99),
    achievedRate: (run.measured * 1e6) / tookUs,
    rssMib: rssMib(),
  }
}

async function publishUnpaced(sink: Sink, run: HopRun): Promise<PublisherResult> {
  await publishBursts(sink, run.warmUp)
  const usedUs = cpuUs()
  const beganUs = now()
  await publishBursts(sink, run.measured)
  const tookUs = now() - beganUs
  return {
    cpuUs: cpuUs() - usedUs,
    lateP50Us: null,
    lateP99Us: null,
    achievedRate: (run.measured * 1e6) / Math.max(1, tookUs),
    rssMib: rssMib(),
  }
}

async function publishBursts(sink: Sink, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += BURST) {
    for (let i = 0; i < Math.min(BURST, count - sent); i++) sink.publish(now())
    await sink.flushed()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const tell = (message: FromPublisher | { type: 'failed'; message: string }): void => {
  process.send?.(message, undefined, undefined, () => undefined)
}

const folder = mkdtempSync(join(tmpdir(), 'arbees-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const readerKey = generateKeyPair()
const publisherKey = generateKeyPair()
await ZapHandler.start({ allows: (key) => key === readerKey.publicKey, onRefused: () => undefined })

async function bind(transport: BusTransport): Promise<Publisher> {
  const root = join(folder, transport)
  return Publisher.bind({
    name: HOP_PUBLISHER,
    url: 'tcp://127.0.0.1:*',
    env: HOP_ENV,
    clock: systemClock,
    sources: [SOURCE],
    ...(transport === 'zeromq'
      ? {}
      : { journal: { root, retainBytes: RETAIN_BYTES }, recoveryUrl: 'tcp://127.0.0.1:*' }),
    ...(transport.endsWith('curve') ? { keys: { own: publisherKey, serverKeyOf: () => undefined } } : {}),
  })
}

const publishers = Object.fromEntries(
  await Promise.all(BUS_TRANSPORTS.map(async (transport) => [transport, await bind(transport)] as const)),
) as Record<BusTransport, Publisher>
const sinks: Partial<Record<Transport, Sink>> = Object.fromEntries(
  BUS_TRANSPORTS.map((transport) => [transport, new ZeromqSink(publishers[transport])]),
)
const metronome = new Metronome()
let prepared: { readonly sink: Sink; readonly run: HopRun } | undefined

async function handle(message: ToPublisher): Promise<void> {
  switch (message.type) {
    case 'connect': {
      sinks.redis = new RedisSink(new RedisPubSub(message.redisUrl))
      tell({ type: 'connected' })
      return
    }
    case 'fill': {
      const sink = sinks[message.transport]
      if (sink !== undefined) await publishBursts(sink, message.count)
      const { recoveryUrl = '' } = publishers[message.transport]
      const { epoch, lastSeq } = publishers[message.transport].channel(SOURCE)
      tell({ type: 'filled', recoveryUrl, epoch, last: lastSeq })
      return
    }
    case 'prepare': {
      const sink = sinks[message.run.transport]
      if (sink === undefined) throw new Error(`${message.run.transport} is not connected`)
      prepared = { sink, run: message.run }
      tell({ type: 'prepared', firstSeq: sink.nextSeq })
      return
    }
    case 'go': {
      if (prepared === undefined) throw new Error('nothing is prepared')
      tell({ type: 'done', result: await publishRun(prepared.sink, prepared.run) })
    }
  }
}

process.on('message', (message: ToPublisher) => {
  handle(message).catch((error: unknown) => tell({ type: 'failed', message: messageOf(error) }))
})
process.on('disconnect', () => process.exit(0))
// A terminal's Ctrl-C reaches the whole group: the parent decides when this process ends.
process.on('SIGINT', () => undefined)
const urls = Object.fromEntries(
  BUS_TRANSPORTS.map((transport) => [transport, publishers[transport].url]),
) as Record<BusTransport, string>
tell({ type: 'bound', urls, keys: { reader: readerKey, publisherKey: publisherKey.publicKey } })
