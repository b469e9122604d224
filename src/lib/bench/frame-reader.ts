/** The reader of a benchmark of frames: a publisher without one would send nothing. */

import { sourcesOf } from '../bus/endpoints.js'
import { Subscriber } from '../bus/subscriber.js'
import { systemClock } from '../core/clock.js'
import { serveParent } from './bench-child.js'
import type { FromFrameReader, ToFrameReader } from './frame-messages.js'
import { HOP_ENV } from './hop-messages.js'

let received = 0

const join = ({
  url,
  publisher,
  prefixes,
}: Extract<ToFrameReader, { readonly type: 'join' }>): Promise<FromFrameReader> =>
  new Promise((resolve) => {
    // Lives as long as the process.
    new Subscriber({
      endpoints: [{ publisher, url, sources: sourcesOf(publisher) }],
      prefixes,
      env: HOP_ENV,
      clock: systemClock,
      onMessage: () => void received++,
      onHeartbeat: () => resolve({ type: 'joined' }),
    })
  })

serveParent<ToFrameReader, FromFrameReader>((message) =>
  message.type === 'join' ? join(message) : Promise.resolve({ type: 'counted', received }),
)
