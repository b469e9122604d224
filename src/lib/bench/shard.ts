/**
 * From the bytes of a quote to the signal on a socket that another process reads, through a shard's own decoder, books,
 * strategy, record of inputs and journaled publisher; with ten, a hundred and a thousand live games, in turns.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { shardPublisher, sourcesOf } from '../bus/endpoints.js'
import { journalRoot } from '../bus/journal/paths.js'
import { Publisher } from '../bus/publisher.js'
import { systemClock } from '../core/clock.js'
import { Lifecycle } from '../core/lifecycle.js'
import { signalsSource } from '../messages/sources.js'
import type { RoleContext } from '../roles/role.js'
import { Shard } from '../roles/shard.js'
import { Histogram } from '../telemetry/histogram.js'
import { BenchProcess } from './bench-process.js'
import type { FrameRun } from './frame-figures.js'
import type { FromFrameReader, ToFrameReader } from './frame-messages.js'
import { drained, parseAlone } from './frame-runs.js'
import type { FrameBenchOptions } from './frame-runs.js'
import { describeMachine } from './machine.js'
import { createBenchContext } from './pipeline-context.js'
import { PIPELINE_ENV } from './pipeline-messages.js'
import { PlainReader } from './plain-reader.js'
import { cpuUs } from './process-cost.js'
import { ShardLoad } from './shard-load.js'
import type { Wire } from './shard-load.js'
import { SHARD_LOADS, summarizeShard } from './shard-report.js'
import type { ShardRun, ShardSummary } from './shard-report.js'

const INDEX = 0
const NAME = shardPublisher(INDEX)
/** Between two of these the sockets and the journal of inputs get their turn. */
const FRAMES_A_TURN = 32
/** Prepared at once, before a clock runs. */
const CHUNK = 2_048
const WARM_UP_MS = 300
const EDGE_EVERY = 50
const BEAT_EVERY_US = 100_000

/** Throws `BENCH_FAILED` when the reading process does not stand, and what binding throws. */
export async function benchShard({ rounds, forMs, signal, say }: FrameBenchOptions): Promise<ShardSummary> {
  const lifecycle = new Lifecycle()
  const root = mkdtempSync(join(tmpdir(), 'arbees-bench-shard-'))
  lifecycle.defer('state', () => rmSync(root, { recursive: true, force: true }))
  try {
    const reader = new BenchProcess<ToFrameReader, FromFrameReader>('frame-reader.js', 'reader')
    lifecycle.defer('reader', () => reader.close())
    const shards: BenchShard[] = []
    for (const [index, load] of SHARD_LOADS.entries()) {
      const shard = await BenchShard.open(join(root, String(index)), new ShardLoad(load))
      lifecycle.defer('shard', () => shard.close())
      reader.tell({ type: 'join', url: shard.url, publisher: NAME, prefixes: ['signals.'] })
      await reader.answer('joined')
      await shard.run(WARM_UP_MS, signal)
      shards.push(shard)
    }
    const runs = shards.map((): ShardRun[] => [])
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      for (const [index, shard] of shards.entries()) runs[index]?.push(await shard.run(forMs, signal))
      const quotes = runs.reduce((sum, list) => sum + (list[round]?.tookUs.length ?? 0), 0)
      say(`round ${round + 1}/${rounds}: ${quotes} quotes`)
    }
    const sent = shards.reduce((sum, { signals }) => sum + signals, 0)
    const received = await drained(reader, sent)
    return summarizeShard(runs, { sent, received, machine: describeMachine(null) })
  } finally {
    await lifecycle.close()
  }
}

class BenchShard {
  /** Published so far. */
  signals = 0
  private readonly shard: Shard
  private readonly reader: PlainReader
  private recvUs = 0
  private beatUs = -Infinity

  static async open(dir: string, load: ShardLoad): Promise<BenchShard> {
    const context = createBenchContext(NAME, dir)
    const publisher = await Publisher.bind({
      name: NAME,
      url: 'tcp://127.0.0.1:*',
      env: PIPELINE_ENV,
      clock: systemClock,
      sources: sourcesOf(NAME),
      journal: { root: journalRoot(context.settings), retainBytes: context.settings['journal.retain'] },
    })
    return new BenchShard(context, publisher, load)
  }

  private constructor(
    private readonly context: RoleContext,
    private readonly publisher: Publisher,
    private readonly load: ShardLoad,
  ) {
    const channel = publisher.channel(signalsSource(INDEX))
    const signals: ConstructorParameters<typeof Shard>[2] = {
      source: channel.source,
      epoch: channel.epoch,
      publish: (...message) => {
        const published = channel.publish(...message)
        this.signals++
        return published
      },
    }
    const hops = { monitor_shard: new Histogram(), decision: new Histogram() }
    this.shard = new Shard(context, INDEX, signals, hops, undefined, undefined)
    for (const source of this.load.sources) this.shard.inputs.state(source, true)
    const endpoint = { publisher: 'bench', url: '', recoveryUrl: '', sources: [] }
    this.reader = new PlainReader(PIPELINE_ENV, (message, topic, bytes) =>
      this.shard.onMessage({ message, topic, bytes, recvUs: this.recvUs, endpoint }),
    )
    this.hear(this.load.books())
  }

  get url(): string {
    return this.publisher.url
  }

  /** As many quotes as go in that time; the making of them is not counted. */
  async run(forMs: number, signal: AbortSignal): Promise<ShardRun> {
    this.hear(this.load.states())
    const tookUs: number[] = []
    const signalUs: number[] = []
    let usedUs = 0
    let spentMs = 0
    let bytes: readonly Buffer[] = []
    while (spentMs < forMs && !signal.aborted) {
      const frames = this.load.frames(CHUNK, EDGE_EVERY)
      bytes = frames.map(({ quote }) => quote.bytes)
      const cpuBeforeUs = cpuUs()
      const beganMs = performance.now()
      for (let at = 0; at < frames.length; at += FRAMES_A_TURN) {
        this.beat()
        for (const { book, quote } of frames.slice(at, at + FRAMES_A_TURN)) {
          this.hear([book])
          const before = this.signals
          const startMs = performance.now()
          this.hear([quote])
          const took = (performance.now() - startMs) * 1_000
          tookUs.push(took)
          if (this.signals > before) signalUs.push(took)
        }
        await setImmediate()
      }
      spentMs += performance.now() - beganMs
      usedUs += cpuUs() - cpuBeforeUs
    }
    const parse: FrameRun['parse'] = parseAlone(bytes, forMs / 8)
    return {
      tookUs: Float64Array.from(tookUs),
      signalUs: Float64Array.from(signalUs),
      cpuUs: usedUs,
      parse,
    }
  }

  async close(): Promise<void> {
    this.shard.close()
    this.publisher.close()
    await this.context.lifecycle.close()
  }

  private hear(messages: readonly Wire[]): void {
    for (const { topic, bytes } of messages) {
      this.recvUs = systemClock.monoUs()
      this.reader.read(topic, bytes)
    }
  }

  private beat(): void {
    const nowUs = systemClock.monoUs()
    if (nowUs - this.beatUs < BEAT_EVERY_US) return
    this.beatUs = nowUs
    for (const beat of this.load.beats()) this.shard.inputs.heartbeat(beat, nowUs)
  }
}
