/**
 * Latency by asking, on a schedule that waits for nobody: each tick is a question that was due then, and its latency
 * counts from there. One question at a time is on its way; the next one stands for every tick that came due meanwhile.
 * So what is slow to answer is seen by all who would have asked (no coordinated omission), and never flooded.
 */

import type { Clock } from '../core/clock.js'
import type { Hop } from './latency-hops.js'
import type { LatencyRun } from './latency.js'
import { LatencyRecorder } from './latency-recorder.js'
import type { RecorderOptions } from './latency-recorder.js'
import { StreamBounds } from './stream-bounds.js'
import type { BoundOptions } from './stream-bounds.js'

/** Somebody who answers. */
export interface Echo {
  readonly hop: Hop
  /** Who, in one word. */
  readonly name: string
  /** False when there was no answer. Never rejects. */
  ask(): Promise<boolean>
}

/** Something of this process that is measured at each tick, from there on. */
export interface Gauge {
  readonly hop: Hop
  measure(onReading: (us: number) => void): void
}

/** Calls at each tick with when it was due (our host's monotonic clock, us); returns what ends it. */
export type Ticks = (onTick: (dueUs: number) => void, onBroken: (error: unknown) => void) => () => void

export interface ProbeOptions extends BoundOptions, RecorderOptions {
  readonly echoes: readonly Echo[]
  readonly gauges: readonly Gauge[]
  readonly ticks: Ticks
  readonly talk: (line: string) => void
}

/** What is still not answered at the end is counted with the time it took so far, from this age on. */
const LATE_US = 50_000

/** Runs until a bound is reached. Rejects when the schedule breaks. */
export async function runProbe(options: ProbeOptions): Promise<LatencyRun> {
  const { clock, echoes, gauges, ticks, talk } = options
  // To connect is no part of an answer.
  await Promise.all(echoes.map((echo) => echo.ask()))
  const recorder = new LatencyRecorder(options)
  const bounds = new StreamBounds(options)
  const record = (hop: Hop, name: string, us: number) =>
    recorder.record({ hop, reading: { us, clock: 'monotonic' }, source: `${name}.probe`, topic: name })
  const askers = echoes.map(
    (echo) =>
      new Asker(echo, clock, {
        onLatency: (us) => record(echo.hop, echo.name, us),
        onAnswer: () => {
          recorder.count()
          bounds.tick()
        },
      }),
  )
  let broke: (error: unknown) => void = () => undefined
  const broken = new Promise<never>((_, reject) => (broke = reject))
  const endTicks = ticks((dueUs) => {
    if (bounds.isOver) return
    for (const asker of askers) asker.tick(dueUs)
    for (const gauge of gauges) gauge.measure((us) => bounds.isOver || record(gauge.hop, 'here', us))
  }, broke)
  try {
    const ended = await Promise.race([bounds.ended, broken])
    for (const asker of askers) asker.close()
    for (const { echo, answers } of askers) if (answers === 0) talk(`no answer from ${echo.name}`)
    const lost = askers.filter(({ losses }) => losses > 0)
    return {
      ...recorder.finish(),
      ended,
      gaps: 0,
      missing: 0,
      problems: Object.fromEntries(lost.map(({ echo, losses }) => [`no_answer:${echo.name}`, losses])),
      channels: [],
      backwards: 0,
      unmatched: 0,
      unmirrored: 0,
      skews: [],
      reported: [],
    }
  } finally {
    endTicks()
    recorder.close()
    bounds.stop()
  }
}

interface AskerHandlers {
  /** One for each tick. */
  readonly onLatency: (us: number) => void
  /** One for each question. */
  readonly onAnswer: () => void
}

class Asker {
  answers = 0
  losses = 0
  /** Ticks that the question on its way stands for, and those that wait for the next one. */
  private asked: readonly number[] = []
  private due: number[] = []
  private isAsking = false
  private closed = false

  constructor(
    readonly echo: Echo,
    private readonly clock: Clock,
    private readonly handlers: AskerHandlers,
  ) {}

  tick(dueUs: number): void {
    this.due.push(dueUs)
    if (!this.isAsking) void this.ask()
  }

  close(): void {
    this.closed = true
    const nowUs = this.clock.monoUs()
    this.tell(
      [...this.asked, ...this.due].filter((dueUs) => nowUs - dueUs > LATE_US),
      nowUs,
    )
  }

  private async ask(): Promise<void> {
    this.isAsking = true
    while (this.due.length > 0) {
      this.asked = this.due
      this.due = []
      const answered = await this.echo.ask()
      if (this.closed) return
      if (answered) this.answers++
      else this.losses++
      this.tell(this.asked, this.clock.monoUs())
      this.asked = []
      if (answered) this.handlers.onAnswer()
    }
    this.isAsking = false
  }

  /** Who has not answered once is not slow but not there: nothing is known of it. */
  private tell(ticks: readonly number[], nowUs: number): void {
    if (this.answers === 0) return
    for (const dueUs of ticks) this.handlers.onLatency(nowUs - dueUs)
  }
}
