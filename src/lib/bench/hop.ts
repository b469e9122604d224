/**
 * One hop: real price envelopes between two processes through our publisher and subscriber, without journal, with it,
 * and with CURVE on top, round by round beside the same envelopes through brokers and beside C programs over libzmq, so that
 * whatever the machine does meanwhile happens to all.
 */

import { sleep } from '../core/backoff.js'
import { systemClock } from '../core/clock.js'
import { Lifecycle } from '../core/lifecycle.js'
import { pricesSource } from '../messages/sources.js'
import { BUS_TRANSPORTS, HOP_ENV, HOP_PUBLISHER, LIBZMQ_TRANSPORT, TRANSPORTS } from './hop-messages.js'
import type { FromPublisher, HopRun, ToPublisher, Transport } from './hop-messages.js'
import { BenchProcess } from './bench-process.js'
import { HopReceiver } from './hop-receiver.js'
import { summarizeHop } from './hop-report.js'
import type { HopSummary, RoundResult } from './hop-report.js'
import { HopWindow } from './hop-window.js'
import { describeMachine } from './machine.js'
import type { LibzmqHop } from './libzmq-hop.js'
import { paceOf } from './pacing.js'
import { PlainChannel } from './plain-channel.js'
import { PriceWalk } from './price-walk.js'
import { buildLibzmq, startNatsBroker, startRedis } from './references.js'
import type { Broker } from './references.js'

export interface HopOptions {
  readonly rounds: number
  /** Measured part of a case, ms. */
  readonly forMs: number
  readonly rates: readonly number[]
  readonly signal: AbortSignal
  /** Progress and warnings. */
  readonly say: (line: string) => void
}

/** Dropped before each measurement: a quarter of it, at least so long. */
const LEAST_WARM_UP_MS = 300
/** Once, before the first round: code compiled, sockets and heap at their size; less where little is measured. */
const FIRST_WARM_UP_MS = 1_500
const FIRST_WARM_UPS = 3
/** Without a schedule: enough to last, too few to reach a high-water mark. */
const MAX_UNPACED = 60_000
const UNPACED_PER_MS = 30
/** What has not arrived this long after the last arrival is lost. */
const DRAIN_MS = 1_000

/** The process that publishes; see `hop-publisher.ts`. */
export const startPublisher = (): BenchProcess<ToPublisher, FromPublisher> =>
  new BenchProcess('hop-publisher.js', 'publishing process')

/** Throws `BENCH_FAILED` when the publishing process fails; a reference that is not here is left out. */
export async function benchHop(options: HopOptions): Promise<HopSummary> {
  const lifecycle = new Lifecycle()
  try {
    const bench = await HopBench.start(options, lifecycle)
    return await bench.run()
  } finally {
    for (const failure of await lifecycle.close()) options.say(`while stopping: ${failure}`)
  }
}

/** What is compared with in this run. */
interface References {
  readonly brokers: ReadonlyMap<Transport, Broker>
  readonly libzmq: LibzmqHop | undefined
}

class HopBench {
  private readonly transports: readonly Transport[]

  private constructor(
    private readonly options: HopOptions,
    private readonly publisher: BenchProcess<ToPublisher, FromPublisher>,
    private readonly receiver: HopReceiver,
    private readonly references: References,
  ) {
    const { brokers, libzmq } = references
    const isHere = (transport: Transport) =>
      transport === LIBZMQ_TRANSPORT
        ? libzmq !== undefined
        : brokers.has(transport) || BUS_TRANSPORTS.some((ours) => ours === transport)
    this.transports = TRANSPORTS.filter(isHere)
  }

  static async start(options: HopOptions, lifecycle: Lifecycle): Promise<HopBench> {
    const publisher = startPublisher()
    lifecycle.defer('publishing process', () => publisher.close())
    const { urls, keys } = await publisher.answer('bound')
    const receiver = new HopReceiver()
    lifecycle.defer('receiver', () => receiver.close())
    const readerKeys = { own: keys.reader, serverKeyOf: () => keys.publisherKey }
    for (const transport of BUS_TRANSPORTS) {
      await receiver.join(transport, urls[transport], transport.endsWith('curve') ? readerKeys : undefined)
    }
    const starting = { lifecycle, say: options.say }
    const redis = await startRedis(['redis', 'redis-streams'], starting)
    const brokers = [...redis, ...(await startNatsBroker(starting))]
    const libzmq = await buildLibzmq(starting)
    for (const broker of brokers) {
      const { transport, redisUrl, natsPort } = broker
      await receiver.joinBroker(broker)
      publisher.tell({ type: 'connect', place: { transport, redisUrl, natsPort } })
      await publisher.answer('connected')
    }
    return new HopBench(options, publisher, receiver, {
      brokers: new Map(brokers.map((broker) => [broker.transport, broker])),
      libzmq,
    })
  }

  async run(): Promise<HopSummary> {
    const { rounds, rates, forMs, signal, say } = this.options
    const { transports } = this
    const firstWarmUpMs = Math.min(FIRST_WARM_UP_MS, FIRST_WARM_UPS * forMs)
    const unpaced = Math.min(MAX_UNPACED, UNPACED_PER_MS * forMs)
    for (const transport of transports) {
      // The C programs have nothing to warm up.
      if (transport === LIBZMQ_TRANSPORT) continue
      say(`warm-up: ${transport}`)
      await this.measure({ transport, ...paceOf(Math.max(...rates), 0, firstWarmUpMs) })
    }
    const results: RoundResult[] = []
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      for (const rate of [...rates, null]) {
        for (const transport of turnedOrder(transports, round)) {
          if (signal.aborted) break
          const run: HopRun =
            rate === null
              ? { transport, rate, warmUp: Math.ceil(unpaced / 10), measured: unpaced }
              : { transport, ...paceOf(rate, Math.max(LEAST_WARM_UP_MS, forMs / 4), forMs) }
          const result = await this.measure(run)
          results.push(result)
          say(`round ${round + 1}/${rounds}: ${describe(result)}`)
        }
      }
    }
    const { brokers, libzmq } = this.references
    const versionOf = (transport: Transport) => brokers.get(transport)?.version ?? null
    const references = { nats: versionOf('nats'), libzmq_c: libzmq?.version ?? null }
    return summarizeHop(results, describeMachine(versionOf('redis')), references)
  }

  private async measure(run: HopRun): Promise<RoundResult> {
    const { transport } = run
    if (transport === LIBZMQ_TRANSPORT) return this.measureLibzmq(run)
    this.publisher.tell({ type: 'prepare', run: { ...run, transport } })
    const { firstSeq } = await this.publisher.answer('prepared')
    const window = new HopWindow(firstSeq + run.warmUp, run)
    this.receiver.watch(transport, window)
    const broker = this.references.brokers.get(transport)
    const cpuBefore = (await broker?.cpuUs()) ?? 0
    this.publisher.tell({ type: 'go' })
    const { result } = await this.publisher.answer('done')
    await drained(window)
    const arrivals = window.arrivals()
    const brokerUs = ((await broker?.cpuUs()) ?? 0) - cpuBefore
    return {
      ...run,
      arrivals,
      publisher: result,
      // The server counts the warm-up too.
      brokerCpuUs: (brokerUs * run.measured) / (run.measured + run.warmUp),
    }
  }

  private async measureLibzmq(run: HopRun): Promise<RoundResult> {
    const { libzmq } = this.references
    if (libzmq === undefined) throw new RangeError('there is no C program')
    return { ...run, ...(await libzmq.measure(SAMPLE.topic, SAMPLE.bytes, run)), brokerCpuUs: 0 }
  }
}

/** Whoever goes first meets the machine as the other left it: take turns. */
export function turnedOrder<T>(all: readonly T[], round: number): readonly T[] {
  const turned = [...all.slice(round % all.length), ...all.slice(0, round % all.length)]
  return round % 2 === 0 ? turned : turned.reverse()
}

/** Topic and length of what the others send, in the middle of a run. */
const SAMPLE = sampleEnvelope()

function sampleEnvelope(): { readonly topic: string; readonly bytes: number } {
  let bytes = 0
  const channel = new PlainChannel(pricesSource(HOP_PUBLISHER), HOP_ENV, (_topic, text) => {
    bytes = Buffer.byteLength(text)
  })
  const { topic, payload, topLevel } = new PriceWalk().next()
  channel.publish(topic, payload, { stamps: { recv: systemClock.monoUs() }, topLevel })
  // A seq and a prev of one digit here, of four or five there.
  return { topic, bytes: bytes + 2 * 4 }
}

/** Resolves when everything has arrived, or nothing more does. */
export async function drained(window: HopWindow): Promise<void> {
  const doneUs = systemClock.monoUs()
  while (!window.complete) {
    const quietUs = systemClock.monoUs() - Math.max(doneUs, window.lastArrivalUs)
    if (quietUs > DRAIN_MS * 1000) return
    await sleep(10)
  }
}

function describe({ transport, rate, measured, arrivals }: RoundResult): string {
  const { received, fromSchedule, rate: arrived } = arrivals
  const dropped = measured - received
  const lost = dropped === 0 ? '' : `, ${dropped} dropped`
  return rate === null
    ? `${transport} unpaced ${Math.round(arrived)}/s${lost}`
    : `${transport} ${rate}/s p50 ${fromSchedule.p50_us} us, p99 ${fromSchedule.p99_us} us${lost}`
}
