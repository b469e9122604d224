/** The schedule of `arbees latency --probe`. */

import { systemClock } from '../core/clock.js'
import { Metronome } from './metronome.js'

/** So many ticks a second: below what a recovery socket grants one reader. */
const TICKS_PER_SECOND = 100

/**
 * Calls at each tick with when it was due (the host's monotonic clock, us), from a process that does nothing else: a
 * timer of ours would be up to a millisecond late. Returns what ends it.
 */
export function probeTicks(onTick: (dueUs: number) => void, onBroken: (error: unknown) => void): () => void {
  const metronome = new Metronome()
  const tickUs = 1e6 / TICKS_PER_SECOND
  const schedule = { startUs: systemClock.monoUs() + tickUs, tickUs, ticks: Number.MAX_SAFE_INTEGER }
  metronome.run(schedule, (_tick, dueUs) => onTick(dueUs)).catch(onBroken)
  return () => metronome.close()
}
