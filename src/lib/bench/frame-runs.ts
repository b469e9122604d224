/**
 * What a frame of a venue costs the monitor: from its bytes to both messages on a real socket that is read, through the
 * monitor's own encoder and publisher. Beside it `JSON.parse` alone on the same frames, in turns.
 */

import { setImmediate } from 'node:timers/promises'
import { sourcesOf } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import { systemClock } from '../core/clock.js'
import { Lifecycle } from '../core/lifecycle.js'
import { orderbookSource, pricesSource } from '../messages/sources.js'
import type { Venue } from '../model/venue.js'
import { BookAnnouncer } from '../roles/monitor.js'
import { Counters } from '../telemetry/counters.js'
import type { BookUpdate } from '../venues/ports.js'
import { BenchProcess } from './bench-process.js'
import type { FrameRun } from './frame-figures.js'
import type { FromFrameReader, ToFrameReader } from './frame-messages.js'
import type { HopOptions } from './hop.js'
import { HOP_ENV } from './hop-messages.js'
import { cpuUs } from './process-cost.js'

/** Between two of these the sockets get their turn: what a busy second of a venue brings at once. */
const FRAMES_A_TURN = 32
/** Prepared at once, before a clock runs. */
const CHUNK = 4_096
const WARM_UP_MS = 300
/** The reader is given so long to take what was sent. */
const DRAIN_MS = 5_000

export type FrameBenchOptions = Pick<HopOptions, 'rounds' | 'forMs' | 'signal' | 'say'>

type Announce = (update: Omit<BookUpdate, 'bookSeq'>) => void

/** A connection of a venue without its socket: frames, and the monitor's own way from their bytes to a book. */
export interface FrameSource {
  /** What a new connection says first. */
  opening(): readonly Buffer[]
  /** The next `count` frames. */
  take(count: number): readonly Buffer[]
  onFrame(bytes: Buffer, recvUs: number, announce: Announce): void
}

export interface FrameRuns<Name extends string> {
  /** Of each source, a run a round. */
  readonly runs: Readonly<Record<Name, readonly FrameRun[]>>
  /** Messages of all, and those that the reader has seen of them. */
  readonly sent: number
  readonly received: number
}

/** The sources in turns, round by round. Throws `BENCH_FAILED` when the reading process does not stand. */
export async function benchFrames<Name extends string>(
  venue: Venue,
  sources: Readonly<Record<Name, FrameSource>>,
  { rounds, forMs, signal, say }: FrameBenchOptions,
): Promise<FrameRuns<Name>> {
  const lifecycle = new Lifecycle()
  try {
    const publisher = await Publisher.bind({
      name: venue,
      url: 'tcp://127.0.0.1:*',
      env: HOP_ENV,
      clock: systemClock,
      sources: sourcesOf(venue),
    })
    lifecycle.defer('publisher', () => publisher.close())
    const reader = new BenchProcess<ToFrameReader, FromFrameReader>('frame-reader.js', 'reader')
    lifecycle.defer('reader', () => reader.close())
    const prefixes = [`prices.${venue}.`, `orderbook.${venue}.`]
    reader.tell({ type: 'join', url: publisher.url, publisher: venue, prefixes })
    await reader.answer('joined')
    const channels = [orderbookSource(venue), pricesSource(venue)].map((source) => publisher.channel(source))
    const [orderbook, prices] = channels as [(typeof channels)[number], (typeof channels)[number]]
    const announcer = new BookAnnouncer({ counters: new Counters() }, orderbook, prices, undefined)
    const names = Object.keys(sources) as Name[]
    const monitors = names.map((name) => new BenchMonitor(sources[name], announcer))
    for (const monitor of monitors) {
      await monitor.publish(WARM_UP_MS, signal)
      parseAlone(monitor.frames, WARM_UP_MS)
    }
    const runs = Object.fromEntries(names.map((name) => [name, [] as FrameRun[]])) as Record<Name, FrameRun[]>
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      let frames = 0
      for (const [index, monitor] of monitors.entries()) {
        const published = await monitor.publish(forMs, signal)
        const parse = parseAlone(monitor.frames, forMs / 4)
        runs[names[index] as Name].push({ ...published, parse })
        frames += published.tookUs.length
      }
      say(`round ${round + 1}/${rounds}: ${frames} frames`)
    }
    const sent = monitors.reduce((sum, { published }) => sum + published, 0)
    return { runs, sent, received: await drained(reader, sent) }
  } finally {
    await lifecycle.close()
  }
}

class BenchMonitor {
  published = 0
  /** Those that were published last. */
  frames: readonly Buffer[] = []
  private readonly bookSeqs = new Map<string, number>()

  constructor(
    private readonly source: FrameSource,
    private readonly announcer: BookAnnouncer,
  ) {
    for (const bytes of source.opening()) this.onFrame(bytes)
  }

  /** As many as go in that time; the making of the frames is not counted. */
  async publish(forMs: number, signal: AbortSignal): Promise<Omit<FrameRun, 'parse'>> {
    const tookUs: number[] = []
    let usedUs = 0
    let spentMs = 0
    while (spentMs < forMs && !signal.aborted) {
      const frames = this.source.take(CHUNK)
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
    this.source.onFrame(bytes, systemClock.monoUs(), (update) => {
      const { marketId } = update.market
      const bookSeq = (this.bookSeqs.get(marketId) ?? 0) + 1
      this.bookSeqs.set(marketId, bookSeq)
      this.announcer.publish({ ...update, bookSeq })
      this.published += 2
    })
  }
}

/** Half of the time without a look at the clock, for the cost; half with one around each frame. */
export function parseAlone(frames: readonly Buffer[], forMs: number): FrameRun['parse'] {
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

/** How many of `sent` the reader has, given some time for the last. */
export async function drained(
  reader: BenchProcess<ToFrameReader, FromFrameReader>,
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
