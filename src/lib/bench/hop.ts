/**
 * One hop: real price envelopes between two processes through our publisher and subscriber, without journal, with it,
 * and with CURVE on top, round by round beside the same envelopes over Redis pub/sub, so that whatever the machine does
 * meanwhile happens to all.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../core/backoff.js'
import { systemClock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import { startPrivateRedis } from '../redis/private-server.js'
import { RedisPubSub } from '../redis/pubsub.js'
import { BUS_TRANSPORTS, TRANSPORTS } from './hop-messages.js'
import type { FromPublisher, HopRun, ToPublisher, Transport } from './hop-messages.js'
import { BenchProcess } from './bench-process.js'
import { HopReceiver } from './hop-receiver.js'
import { summarizeHop } from './hop-report.js'
import type { HopSummary, RoundResult } from './hop-report.js'
import { HopWindow } from './hop-window.js'
import { describeMachine } from './machine.js'
import { paceOf } from './pacing.js'

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
/** Once, before the first round: code compiled, sockets and heap at their size. */
const FIRST_WARM_UP_MS = 1_500
/** Without a schedule: enough to last, too few to reach a high-water mark. */
const UNPACED_MESSAGES = 60_000
/** What has not arrived this long after the last arrival is lost. */
const DRAIN_MS = 1_000

/** The process that publishes; see `hop-publisher.ts`. */
export const startPublisher = (): BenchProcess<ToPublisher, FromPublisher> =>
  new BenchProcess('hop-publisher.js', 'publishing process')

/** Throws `BENCH_FAILED` when the publishing process fails; without a Redis the reference is null. */
export async function benchHop(options: HopOptions): Promise<HopSummary> {
  const lifecycle = new Lifecycle()
  try {
    const bench = await HopBench.start(options, lifecycle)
    return await bench.run()
  } finally {
    for (const failure of await lifecycle.close()) options.say(`while stopping: ${failure}`)
  }
}

class HopBench {
  private constructor(
    private readonly options: HopOptions,
    private readonly publisher: BenchProcess<ToPublisher, FromPublisher>,
    private readonly receiver: HopReceiver,
    private readonly redis: { readonly version: string; readonly pubsub: RedisPubSub } | undefined,
  ) {}

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
    const redis = await startReference(options, lifecycle)
    if (redis === undefined) return new HopBench(options, publisher, receiver, undefined)
    await receiver.joinRedis(redis.url)
    publisher.tell({ type: 'connect', redisUrl: redis.url })
    await publisher.answer('connected')
    return new HopBench(options, publisher, receiver, redis)
  }

  async run(): Promise<HopSummary> {
    const { rounds, rates, forMs, signal, say } = this.options
    const transports = this.redis === undefined ? BUS_TRANSPORTS : TRANSPORTS
    for (const transport of transports) {
      say(`warm-up: ${transport}`)
      await this.measure({ transport, ...paceOf(Math.max(...rates), 0, FIRST_WARM_UP_MS) })
    }
    const results: RoundResult[] = []
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      // Whoever goes first meets the machine as the other left it: take turns.
      const turned = [
        ...transports.slice(round % transports.length),
        ...transports.slice(0, round % transports.length),
      ]
      const order: readonly Transport[] = round % 2 === 0 ? turned : turned.reverse()
      for (const rate of [...rates, null]) {
        for (const transport of order) {
          if (signal.aborted) break
          const run: HopRun =
            rate === null
              ? { transport, rate, warmUp: UNPACED_MESSAGES / 10, measured: UNPACED_MESSAGES }
              : { transport, ...paceOf(rate, Math.max(LEAST_WARM_UP_MS, forMs / 4), forMs) }
          const result = await this.measure(run)
          results.push(result)
          say(`round ${round + 1}/${rounds}: ${describe(result)}`)
        }
      }
    }
    return summarizeHop(results, describeMachine(this.redis?.version ?? null))
  }

  private async measure(run: HopRun): Promise<RoundResult> {
    this.publisher.tell({ type: 'prepare', run })
    const { firstSeq } = await this.publisher.answer('prepared')
    const window = new HopWindow(firstSeq + run.warmUp, run)
    this.receiver.watch(run.transport, window)
    const brokerBefore = await this.brokerCpuUs(run)
    this.publisher.tell({ type: 'go' })
    const { result } = await this.publisher.answer('done')
    await drained(window)
    const arrivals = window.arrivals()
    const brokerUs = (await this.brokerCpuUs(run)) - brokerBefore
    return {
      ...run,
      arrivals,
      publisher: result,
      // The server counts the warm-up too.
      brokerCpuUs: (brokerUs * run.measured) / (run.measured + run.warmUp),
    }
  }

  private async brokerCpuUs({ transport }: HopRun): Promise<number> {
    return transport === 'redis' && this.redis !== undefined ? this.redis.pubsub.serverCpuUs() : 0
  }
}

/** A private Redis and a connection that reads its processor time; undefined, and told, when there is none. */
async function startReference(
  { say }: HopOptions,
  lifecycle: Lifecycle,
): Promise<{ readonly url: string; readonly version: string; readonly pubsub: RedisPubSub } | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-bench-'))
  lifecycle.defer('folder', () => rmSync(dir, { recursive: true, force: true }))
  try {
    const server = await startPrivateRedis({ dir, onNotice: say })
    lifecycle.defer('redis', () => server.stop())
    const pubsub = new RedisPubSub(server.url)
    lifecycle.defer('redis connection', () => pubsub.close())
    return { url: server.url, version: server.version, pubsub }
  } catch (error) {
    say(`no Redis, so nothing to compare with: ${messageOf(error)}`)
    return undefined
  }
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
