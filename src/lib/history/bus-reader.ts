/** A reader of the bus, whichever way it reads. */

import type { Position } from '../bus/position.js'
import type { RecoveringSubscriberOptions } from '../bus/recovering-subscriber.js'
import type { ArbeesError } from '../core/errors.js'
import type { LinkState } from './link-state.js'

/** A channel that is not LIVE is not traded on: something of it is missing, or its publisher is silent. */
export type BusReaderOptions = RecoveringSubscriberOptions & {
  /** The reader's, shown by Redis. */
  readonly name: string
  readonly redisUrl: string
  /** How this reader stands to a publisher has changed; told of the live bus alone. */
  readonly onLink?: (publisher: string, state: LinkState) => void
  /** Redis is needed and does not answer; once until it does. */
  readonly onRedisDown?: (error: ArbeesError) => void
}

export interface BusReader {
  /** Everything of a source up to here was handed on or is a gap; undefined while it has not begun. */
  position(source: string): Position | undefined
  /** Nothing is handed on any more. */
  close(): void
}
