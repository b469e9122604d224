/** What a backtest is asked for. */

import { sleep } from '../core/backoff.js'
import { systemClock } from '../core/clock.js'
import type { LoadedSettings } from '../core/config.js'
import { Pace } from '../history/pace.js'
import type { Refusal } from '../messages/codec.js'
import type { PastTally } from '../operator/past-tally.js'
import type { ReplayFrom } from '../operator/run-replay.js'

/** What is merged by time. */
export type MergedOrigin = Omit<ReplayFrom, 'follow'>

export interface BacktestOptions {
  readonly loaded: LoadedSettings
  /** The shards' inputs when not said, and the journals where there are none. */
  readonly from?: MergedOrigin | undefined
  /** That shard alone. */
  readonly shard?: number | undefined
  /** Of its inputs; the newest when not said. */
  readonly epoch?: number | undefined
  readonly latenciesMs: readonly number[]
  readonly minEdgesMicros: readonly number[]
  /** Most contracts in one plan, x 100; the shard's own when not said. */
  readonly maxSizeE2?: number | undefined
  /** Compare with what was published. */
  readonly diff: boolean
  /** So many times as fast as it was; Infinity: as fast as it goes. */
  readonly speed: number
  readonly signal: AbortSignal
  readonly onProgress: (progress: BacktestProgress) => void
  readonly onRefused: (refusal: Refusal) => void
  /** One line. */
  readonly talk: (line: string) => void
}

export type BacktestProgress =
  | { readonly kind: 'turns'; readonly done: number; readonly total: number }
  | { readonly kind: 'messages'; readonly tally: PastTally }

/** Undefined where nothing has to wait. */
export function paceOf({
  speed,
  signal,
}: BacktestOptions): ((timestampMs: number) => Promise<unknown> | undefined) | undefined {
  if (speed === Infinity) return undefined
  const pace = new Pace(speed)
  return (timestampMs) => {
    const delayMs = pace.delayMs(timestampMs, systemClock.monoUs() / 1000)
    return delayMs > 0 ? sleep(delayMs, signal) : undefined
  }
}
