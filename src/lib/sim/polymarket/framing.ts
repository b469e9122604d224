/** How events travel: as an object each, or several of one moment in an array, as the venue does either. */

import type { Prng } from '../prng.js'

const ARRAY_SHARE = 0.2
const MAX_TOGETHER = 4

/** Cuts the events of one moment, in order, into frames. */
export function frameEvents(events: readonly unknown[], prng: Prng): unknown[] {
  const frames: unknown[] = []
  for (let at = 0; at < events.length;) {
    const together = prng.chance(ARRAY_SHARE) ? prng.int(1, MAX_TOGETHER) : 0
    frames.push(together === 0 ? events[at] : events.slice(at, at + together))
    at += Math.max(1, together)
  }
  return frames
}
