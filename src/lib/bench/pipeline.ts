/**
 * The pipeline: frames of a venue through monitor, shard and exec, three processes, to the bytes of an order, over our bus
 * and, round by round beside it, the same rooms with Redis pub/sub between them.
 */

import { join } from 'node:path'
import { sleep } from '../core/backoff.js'
import { ArbeesError } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import { BenchProcess } from './bench-process.js'
import { turnedOrder } from './hop.js'
import type { HopOptions } from './hop.js'
import { describeMachine } from './machine.js'
import { paceOf } from './pacing.js'
import { MESSAGES_PER_FRAME, PIPELINE_TRANSPORTS } from './pipeline-messages.js'
import type {
  Cost,
  FromExec,
  FromMonitor,
  FromShard,
  Link,
  PipelineTransport,
  Tick,
  ToExec,
  ToMonitor,
  ToShard,
} from './pipeline-messages.js'
import { describeRound, summarizePipeline } from './pipeline-report.js'
import type { PipelineRound, PipelineSummary } from './pipeline-report.js'
import { openScratch, startRedis } from './references.js'
import type { Broker } from './references.js'

/** Dropped before each measurement: a quarter of it, at least so long. */
const LEAST_WARM_UP_MS = 300
/** Once, before the first round. */
const FIRST_WARM_UP_MS = 2_000
const FIRST_WARM_UPS = 3
/** Signals a second that the frames ask for: exec syncs its ledger for each. */
const SIGNALS_PER_S = 100
/** What has not become an order so long after the last frame will not. */
const DRAIN_MS = 500
/** So often it is tried whether a signal comes through: a shard does not believe at once what it reads. */
const JOIN_TRIES = 20
const JOIN_MS = 200
const JOIN_RATE = 1_000

/** Throws `BENCH_FAILED` when a process fails; without a Redis there is nothing to compare with, and that is told. */
export async function benchPipeline(options: HopOptions): Promise<PipelineSummary> {
  const lifecycle = new Lifecycle()
  try {
    const bench = await PipelineBench.start(options, lifecycle)
    return await bench.run()
  } finally {
    for (const failure of await lifecycle.close()) options.say(`while stopping: ${failure}`)
  }
}

/** Three processes and what is between them. */
class Pipeline {
  private readonly monitor = new BenchProcess<ToMonitor, FromMonitor>('pipeline-monitor.js', 'monitor')
  private readonly shard = new BenchProcess<ToShard, FromShard>('pipeline-shard.js', 'shard')
  private readonly exec = new BenchProcess<ToExec, FromExec>('pipeline-exec.js', 'exec')

  constructor(
    private readonly transport: PipelineTransport,
    private readonly redis: Broker | undefined,
  ) {}

  async open(dir: string): Promise<void> {
    const { monitor, shard, exec, transport, redis } = this
    const link: Link = transport === 'redis' ? { transport, redisUrl: redis?.redisUrl ?? '' } : { transport }
    monitor.tell({ type: 'open', link, dir: join(dir, 'monitor') })
    const { endpoints } = await monitor.answer('opened')
    shard.tell({ type: 'open', link, dir: join(dir, 'shard'), endpoints })
    const { endpoints: signals } = await shard.answer('opened')
    const games = endpoints.filter(({ publisher }) => publisher === 'orchestrator')
    exec.tell({ type: 'open', link, dir: join(dir, 'exec'), signals, games })
    await exec.answer('opened')
  }

  /** Resolves when a signal has come through. Throws `BENCH_FAILED`. */
  async join(): Promise<void> {
    for (let tries = 0; tries < JOIN_TRIES; tries++) {
      const { ticks } = await this.measure(JOIN_RATE, 0, JOIN_MS)
      if (ticks.length > 0) return
    }
    throw new ArbeesError('BENCH_FAILED', `no signal came through over ${this.transport}`)
  }

  async measure(rate: number, warmUpMs: number, measuredMs: number): Promise<PipelineRound> {
    const { monitor, exec, transport } = this
    const pace = paceOf(rate / MESSAGES_PER_FRAME, warmUpMs, measuredMs)
    monitor.tell({ type: 'prepare', pace, signalEvery: Math.max(1, Math.round(pace.rate / SIGNALS_PER_S)) })
    await monitor.answer('prepared')
    const before = await this.costs()
    monitor.tell({ type: 'go' })
    const { result, edges } = await monitor.answer('done')
    await sleep(DRAIN_MS)
    const after = await this.costs()
    exec.tell({ type: 'take' })
    const { ticks } = await exec.answer('taken')
    const measuredFromUs = result.endedUs - (pace.measured * 1e6) / result.achievedRate
    const isMeasured = (dueUs: number) => dueUs >= measuredFromUs
    const frames = pace.warmUp + pace.measured
    return {
      transport,
      rate,
      signals: edges.filter(isMeasured).length,
      ticks: ticks.filter((tick: Tick) => isMeasured(tick.dueUs)),
      publisher: { ...result, achievedRate: result.achievedRate * MESSAGES_PER_FRAME },
      cpuUs: {
        monitor: after.cpuUs.monitor - before.cpuUs.monitor,
        shard: after.cpuUs.shard - before.cpuUs.shard,
        exec: after.cpuUs.exec - before.cpuUs.exec,
        broker: after.cpuUs.broker - before.cpuUs.broker,
      },
      messages: frames * MESSAGES_PER_FRAME,
      counts: differenceOf(after.counts, before.counts),
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.monitor.close(), this.shard.close(), this.exec.close()])
  }

  /** Of the three processes and the broker. */
  private async costs(): Promise<{ cpuUs: PipelineRound['cpuUs']; counts: Cost['counts'] }> {
    const { monitor, shard, exec, transport, redis } = this
    const ask = { type: 'cost' } as const
    for (const process of [monitor, shard, exec]) process.tell(ask)
    const costs = [
      await monitor.answer('cost'),
      await shard.answer('cost'),
      await exec.answer('cost'),
    ] as const
    const [ofMonitor, ofShard, ofExec] = costs
    return {
      cpuUs: {
        monitor: ofMonitor.cpuUs,
        shard: ofShard.cpuUs,
        exec: ofExec.cpuUs,
        broker: transport === 'redis' ? ((await redis?.cpuUs()) ?? 0) : 0,
      },
      counts: Object.assign({}, ...costs.map(({ counts }) => counts)) as Cost['counts'],
    }
  }
}

const differenceOf = (after: Cost['counts'], before: Cost['counts']): Cost['counts'] =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  )

class PipelineBench {
  private constructor(
    private readonly options: HopOptions,
    private readonly pipelines: ReadonlyMap<PipelineTransport, Pipeline>,
    private readonly redisVersion: string | null,
  ) {}

  static async start(options: HopOptions, lifecycle: Lifecycle): Promise<PipelineBench> {
    const [redis] = await startRedis(['redis'], { lifecycle, say: options.say })
    const dir = openScratch(lifecycle)
    const pipelines = new Map<PipelineTransport, Pipeline>()
    const transports = PIPELINE_TRANSPORTS.filter((each) => each !== 'redis' || redis !== undefined)
    for (const transport of transports) {
      const pipeline = new Pipeline(transport, redis)
      lifecycle.defer(`pipeline over ${transport}`, () => pipeline.close())
      await pipeline.open(join(dir, transport))
      await pipeline.join()
      pipelines.set(transport, pipeline)
    }
    return new PipelineBench(options, pipelines, redis?.version ?? null)
  }

  async run(): Promise<PipelineSummary> {
    const { rounds, rates, forMs, signal, say } = this.options
    for (const [transport, pipeline] of this.pipelines) {
      say(`warm-up: ${transport}`)
      await pipeline.measure(Math.max(...rates), 0, Math.min(FIRST_WARM_UP_MS, FIRST_WARM_UPS * forMs))
    }
    const results: PipelineRound[] = []
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      for (const rate of rates) {
        for (const [transport, pipeline] of turnedOrder([...this.pipelines], round)) {
          if (signal.aborted) break
          const result = await pipeline.measure(rate, Math.max(LEAST_WARM_UP_MS, forMs / 4), forMs)
          results.push(result)
          say(`round ${round + 1}/${rounds}: ${transport} ${rate}/s ${describeRound(result)}`)
        }
      }
    }
    return summarizePipeline(results, describeMachine(this.redisVersion))
  }
}
