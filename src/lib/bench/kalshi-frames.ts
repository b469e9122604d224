/**
 * What a Kalshi frame costs the monitor: from its bytes to both messages on a real socket that is read, through the
 * monitor's own parser, session, book, mapper, encoder and publisher. Beside it `JSON.parse` alone on the same frames,
 * in turns.
 */

import { setImmediate } from 'node:timers/promises'
import { sourcesOf } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import { systemClock } from '../core/clock.js'
import { ArbeesError } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import { orderbookSource, pricesSource } from '../messages/sources.js'
import { BookAnnouncer } from '../roles/monitor.js'
import { Counters } from '../telemetry/counters.js'
import { parseFrame } from '../venues/kalshi/frames.js'
import { BookSession } from '../venues/kalshi/session.js'
import { BenchProcess } from './bench-process.js'
import type { HopOptions } from './hop.js'
import { HOP_ENV, HOP_PUBLISHER } from './hop-messages.js'
import type { FromKalshiReader, ToKalshiReader } from './kalshi-messages.js'
import type { KalshiRun } from './kalshi-report.js'
import { KalshiFrames } from './pipeline-frames.js'
import { BENCH_GAMES } from './pipeline-markets.js'
import { cpuUs } from './process-cost.js'

/** Between two of these the sockets get their turn: what a busy second of a venue brings at once. */
const FRAMES_A_TURN = 32
/** One in so many makes an edge, as in the pipeline. */
const EDGE_EVERY = 50
/** Prepared at once, before a clock runs. */
const CHUNK = 4_096
const WARM_UP_MS = 300
/** The reader is given so long to take what was sent. */
const DRAIN_MS = 5_000

type Options = Pick<HopOptions, 'rounds' | 'forMs' | 'signal' | 'say'>

export interface KalshiFrameRuns {
  readonly runs: readonly KalshiRun[]
  /** Messages of all, and those that the reader has seen of them. */
  readonly sent: number
  readonly received: number
}

/** Throws `BENCH_FAILED` when the reading process does not stand. */
export async function benchKalshiFrames({ rounds, forMs, signal, say }: Options): Promise<KalshiFrameRuns> {
  const lifecycle = new Lifecycle()
  try {
    const publisher = await Publisher.bind({
      name: HOP_PUBLISHER,
      url: 'tcp://127.0.0.1:*',
      env: HOP_ENV,
      clock: systemClock,
      sources: sourcesOf(HOP_PUBLISHER),
    })
    lifecycle.defer('publisher', () => publisher.close())
    const reader = new BenchProcess<ToKalshiReader, FromKalshiReader>('kalshi-reader.js', 'reader')
    lifecycle.defer('reader', () => reader.close())
    reader.tell({ type: 'join', url: publisher.url })
    await reader.answer('joined')
    const monitor = new BenchMonitor(publisher)
    await monitor.publish(WARM_UP_MS, signal)
    parseAlone(monitor.frames, WARM_UP_MS)
    const runs: KalshiRun[] = []
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      const published = await monitor.publish(forMs, signal)
      runs.push({ ...published, parse: parseAlone(monitor.frames, forMs / 4) })
      say(`round ${round + 1}/${rounds}: ${published.tookUs.length} frames`)
    }
    const sent = monitor.published
    return { runs, sent, received: await drained(reader, sent) }
  } finally {
    await lifecycle.close()
  }
}

class BenchMonitor {
  published = 0
  /** Those that were published last. */
  frames: readonly Buffer[] = []
  private readonly venue = new KalshiFrames()
  private readonly session = new BookSession({
    useYesPrice: false,
    snapshotTimeoutMs: 2_000,
    quietMs: 5_000,
    silenceAnswerMs: 2_000,
    commandTimeoutMs: 5_000,
  })
  private readonly markets = new Map(BENCH_GAMES.map(({ kalshi }) => [kalshi.marketId, kalshi]))
  private readonly bookSeqs = new Map<string, number>()
  private readonly announce: BookAnnouncer

  constructor(publisher: Publisher) {
    const channel = (source: string) => publisher.channel(source)
    this.announce = new BookAnnouncer(
      { counters: new Counters() },
      channel(orderbookSource('kalshi')),
      channel(pricesSource('kalshi')),
      undefined,
    )
    const nowUs = systemClock.monoUs()
    const subscribe = this.session.follow(this.markets.keys(), nowUs).find(({ kind }) => kind === 'send')
    if (subscribe?.kind !== 'send') throw new ArbeesError('BENCH_FAILED', 'nothing was subscribed to')
    for (const bytes of this.venue.opening(subscribe.command.id)) this.onFrame(bytes)
  }

  /** As many as go in that time; the making of the frames is not counted. */
  async publish(forMs: number, signal: AbortSignal): Promise<Omit<KalshiRun, 'parse'>> {
    const tookUs: number[] = []
    let usedUs = 0
    let spentMs = 0
    while (spentMs < forMs && !signal.aborted) {
      const frames = this.venue.take(CHUNK, EDGE_EVERY, systemClock.nowMs()).map(({ bytes }) => bytes)
      this.frames = frames
      const cpuBeforeUs = cpuUs()
      const beganMs = performance.now()
      for (let at = 0; at < frames.length; at += FRAMES_A_TURN) {
        for (const bytes of frames.slice(at, at + FRAMES_A_TURN)) {
          const startMs = performance.now()
          this.onFrame(bytes)
          tookUs.push((performance.now() - startMs) * 1_000)
        }
        await setImmediate()
      }
      spentMs += performance.now() - beganMs
      usedUs += cpuUs() - cpuBeforeUs
    }
    return { tookUs: Float64Array.from(tookUs), cpuUs: usedUs }
  }

  private onFrame(bytes: Buffer): void {
    const recvUs = systemClock.monoUs()
    for (const effect of this.session.onFrame(parseFrame(bytes), recvUs)) {
      const market = effect.kind === 'book' ? this.markets.get(effect.ticker) : undefined
      if (effect.kind !== 'book' || market === undefined) {
        if (effect.kind === 'proof' || effect.kind === 'notice') continue
        throw new ArbeesError('BENCH_FAILED', `unexpected: ${JSON.stringify(effect)}`)
      }
      const { book, state, venueMs } = effect
      const bookSeq = (this.bookSeqs.get(market.marketId) ?? 0) + 1
      this.bookSeqs.set(market.marketId, bookSeq)
      const venueTime = venueMs === undefined ? {} : { venueMs }
      this.announce.publish({ market, book, state, bookSeq, recvUs, ...venueTime })
      this.published += 2
    }
  }
}

/** Half of the time without a look at the clock, for the cost; half with one around each frame. */
function parseAlone(frames: readonly Buffer[], forMs: number): KalshiRun['parse'] {
  const cpuBeforeUs = cpuUs()
  let count = 0
  during(forMs / 2, () => {
    for (const bytes of frames) JSON.parse(bytes.toString('utf8'))
    count += frames.length
  })
  const costUs = (cpuUs() - cpuBeforeUs) / count
  const tookUs: number[] = []
  during(forMs / 2, () => {
    for (const bytes of frames) {
      const startMs = performance.now()
      JSON.parse(bytes.toString('utf8'))
      tookUs.push((performance.now() - startMs) * 1_000)
    }
  })
  return { tookUs: Float64Array.from(tookUs), costUs }
}

/** Once at least. */
function during(forMs: number, act: () => void): void {
  const endMs = performance.now() + forMs
  do act()
  while (performance.now() < endMs)
}

async function drained(
  reader: BenchProcess<ToKalshiReader, FromKalshiReader>,
  sent: number,
): Promise<number> {
  const deadlineMs = performance.now() + DRAIN_MS
  for (;;) {
    reader.tell({ type: 'count' })
    const { received } = await reader.answer('counted')
    if (received >= sent || performance.now() > deadlineMs) return received
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
