/** The reader of `arbees bench kalshi`: a publisher without one would send nothing. */

import { sourcesOf } from '../bus/endpoints.js'
import { Subscriber } from '../bus/subscriber.js'
import { systemClock } from '../core/clock.js'
import { serveParent } from './bench-child.js'
import { HOP_ENV, HOP_PUBLISHER } from './hop-messages.js'
import type { FromKalshiReader, ToKalshiReader } from './kalshi-messages.js'

let received = 0

const join = (url: string): Promise<FromKalshiReader> =>
  new Promise((resolve) => {
    // Lives as long as the process.
    new Subscriber({
      endpoints: [{ publisher: HOP_PUBLISHER, url, sources: sourcesOf(HOP_PUBLISHER) }],
      prefixes: ['prices.kalshi.', 'orderbook.kalshi.'],
      env: HOP_ENV,
      clock: systemClock,
      onMessage: () => void received++,
      onHeartbeat: () => resolve({ type: 'joined' }),
    })
  })

serveParent<ToKalshiReader, FromKalshiReader>((message) =>
  message.type === 'join' ? join(message.url) : Promise.resolve({ type: 'counted', received }),
)
