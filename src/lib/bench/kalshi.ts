/** What arbees costs at Kalshi: a frame on its way to a quote, and an order on its way to its outcome. */

import type { HopOptions } from './hop.js'
import { benchFrames } from './frame-runs.js'
import { kalshiSource } from './kalshi-frames.js'
import { benchKalshiOrders } from './kalshi-orders.js'
import { summarizeKalshi } from './kalshi-report.js'
import type { KalshiSummary } from './kalshi-report.js'
import { describeMachine } from './machine.js'

/** Throws what `benchFrames` and `benchKalshiOrders` throw. */
export async function benchKalshi(
  options: Pick<HopOptions, 'rounds' | 'forMs' | 'signal' | 'say'>,
): Promise<KalshiSummary> {
  const { runs, sent, received } = await benchFrames('kalshi', { kalshi: kalshiSource() }, options)
  const orders = await benchKalshiOrders(options)
  return summarizeKalshi({ runs: runs.kalshi, orders }, { sent, received, machine: describeMachine(null) })
}
