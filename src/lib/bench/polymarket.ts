/** What a frame of Polymarket costs the monitor, with each book's hash checked and without. */

import { benchFrames, type FrameBenchOptions } from './frame-runs.js'
import { describeMachine } from './machine.js'
import { polymarketSource } from './polymarket-frames.js'
import { summarizePolymarket } from './polymarket-report.js'
import type { PolymarketSummary } from './polymarket-report.js'

/** Throws what `benchFrames` throws. */
export async function benchPolymarket(options: FrameBenchOptions): Promise<PolymarketSummary> {
  const alarms = { resyncs: 0, doubts: 0 }
  const sources = {
    checked: polymarketSource(true, alarms),
    unchecked: polymarketSource(false, { resyncs: 0, doubts: 0 }),
  }
  const { runs, sent, received } = await benchFrames('poly', sources, options)
  return summarizePolymarket(runs, alarms, { sent, received, machine: describeMachine(null) })
}
