/** How a role reads the bus: live, or as the mirror wrote it. One setting chooses, the role does not notice. */

import type { Settings } from '../core/config.js'
import type { BusReader, BusReaderOptions } from './bus-reader.js'
import { FallbackReader } from './fallback-reader.js'
import { WindowReader } from './window-reader.js'

/** Connects at once, and keeps trying. Throws `UNKNOWN_KEY` and `BAD_REDIS_URL` (exit 4). */
export function openBusReader(transport: Settings['transport'], options: BusReaderOptions): BusReader {
  return transport === 'redis' ? new WindowReader(options) : new FallbackReader(options)
}
