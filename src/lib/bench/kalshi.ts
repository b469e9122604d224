/** What arbees costs at Kalshi: a frame on its way to a quote, and an order on its way to its outcome. */

import type { HopOptions } from './hop.js'
import { benchKalshiFrames } from './kalshi-frames.js'
import { benchKalshiOrders } from './kalshi-orders.js'
import { summarizeKalshi } from './kalshi-report.js'
import type { KalshiSummary } from './kalshi-report.js'
import { describeMachine } from './machine.js'

/** Throws what `benchKalshiFrames` and `benchKalshiOrders` throw. */
export async function benchKalshi(
  options: Pick<HopOptions, 'rounds' | 'forMs' | 'signal' | 'say'>,
): Promise<KalshiSummary> {
  const { runs, sent, received } = await benchKalshiFrames(options)
  const orders = await benchKalshiOrders(options)
  return summarizeKalshi({ runs, orders }, { sent, received, machine: describeMachine(null) })
}
