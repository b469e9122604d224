/** `arbees replay`: what was, once more, at a pace of its own, until it is over or goes on as what is. */

import { setImmediate } from 'node:timers/promises'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import { codeOf } from '../core/errors.js'
import { Pace } from '../history/pace.js'
import type { Past, PastItem } from '../history/past.js'
import { PastTally } from './past-tally.js'
import { StreamBounds } from './stream-bounds.js'
import type { BoundOptions, EndReason } from './stream-bounds.js'

/** Where it goes. */
export interface ReplaySink {
  /**
   * Resolves when there is room for more, or all was handed on and the signal aborts. Throws when it aborts before that,
   * or nothing can be written.
   */
  write(items: readonly PastItem[], signal: AbortSignal): Promise<void>
  /** Everything is where it belongs when this resolves. */
  close(): Promise<void>
}

export interface ReplayOptions extends BoundOptions {
  /** Opened once; its pages end early when the signal aborts. */
  readonly past: (signal: AbortSignal) => Past
  /** So many times as fast as it was; Infinity: as fast as it goes. */
  readonly speed: number
  /** Asked before each message instead: false is the end. */
  readonly step?: ((signal: AbortSignal) => Promise<boolean>) | undefined
  readonly sink: ReplaySink
  readonly clock: Clock
  /** After each message or stretch of them. */
  readonly onProgress: (tally: PastTally) => void
}

export interface ReplaySummary {
  readonly ended: EndReason | 'over'
  readonly tally: PastTally
}

/** Throws what reading and writing throw. */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const run = new Replay(options)
  try {
    return await run.run()
  } finally {
    run.close()
  }
}

class Replay {
  private readonly stop = new AbortController()
  private readonly bounds: StreamBounds
  private readonly pace: Pace
  private ended: EndReason | 'over' = 'over'
  private readonly tally = new PastTally()

  constructor(private readonly options: ReplayOptions) {
    this.bounds = new StreamBounds(options)
    this.pace = new Pace(options.speed)
    void this.bounds.ended.then((reason) => {
      this.ended = reason
      this.stop.abort()
    })
  }

  close(): void {
    this.stop.abort()
    this.bounds.stop()
  }

  async run(): Promise<ReplaySummary> {
    const { signal } = this.stop
    try {
      for await (const page of this.options.past(signal)) {
        await this.play(page)
        if (this.bounds.isOver) break
        // At full speed nothing else here lets signals and timers have their turn.
        await setImmediate()
      }
    } catch (error) {
      // Whoever waited was told to stop. Who is not there was not there before that, either.
      if (!signal.aborted || codeOf(error) === 'REDIS_UNREACHABLE') {
        await this.options.sink.close().catch(() => undefined)
        throw error
      }
    }
    await this.options.sink.close()
    return { ended: this.ended, tally: this.tally }
  }

  private async play(page: readonly PastItem[]): Promise<void> {
    const { sink, onProgress } = this.options
    for (let start = 0; start < page.length && !this.bounds.isOver;) {
      const end = await this.nextStretch(page, start)
      if (this.bounds.isOver) return
      const stretch = page.slice(start, end)
      await sink.write(stretch, this.stop.signal)
      for (const item of stretch) {
        this.tally.note(item)
        if (item.kind === 'message') this.bounds.tick()
      }
      onProgress(this.tally)
      start = end
    }
  }

  /** Waits until what begins at `start` is due; says where it ends. */
  private async nextStretch(page: readonly PastItem[], start: number): Promise<number> {
    const { clock, step, count = Infinity } = this.options
    const nowMs = (): number => clock.monoUs() / 1000
    if (step !== undefined) {
      if (page[start]?.kind === 'message' && !(await step(this.stop.signal))) this.bounds.stop()
      return start + 1
    }
    const delayMs = this.pace.delayMs(page[start]?.timestampMs ?? 0, nowMs())
    if (delayMs > 0) await sleep(delayMs, this.stop.signal)
    let left = count - this.tally.messages
    let end = start
    for (let item = page[end]; item !== undefined && left > 0; item = page[end]) {
      if (end > start && this.pace.delayMs(item.timestampMs, nowMs()) > 0) break
      if (item.kind === 'message') left--
      end++
    }
    return end
  }
}
