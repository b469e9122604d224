/** How a role reads the bus: live, or as the mirror wrote it. One setting chooses, the role does not notice. */

import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { Gap } from '../bus/gap.js'
import type { Position } from '../bus/position.js'
import type { Problem, Received, ReceivedLegacy } from '../bus/subscriber.js'
import type { Clock } from '../core/clock.js'
import type { ArbeesError } from '../core/errors.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Env } from '../model/venue.js'

/** JOINING: not yet complete. GAP: something is missing, or its publisher is silent. Only LIVE may be traded on. */
export type ChannelState = 'JOINING' | 'LIVE' | 'GAP'

export interface BusReaderHandlers {
  /** In order and never twice, whichever way it came. */
  onMessage(received: Received): void
  /** Missing for good. */
  onGap(gap: Gap): void
  onState(source: string, state: ChannelState): void
  onHeartbeat(heartbeat: Heartbeat, endpoint: PublisherEndpoint, recvUs: number): void
  onLegacy?(received: ReceivedLegacy): void
  onProblem(problem: Problem): void
  /** Once until it is back. */
  onRedisDown(error: ArbeesError): void
}

export type BusReaderOptions = BusReaderHandlers & {
  /** The role's. */
  readonly name: string
  readonly redisUrl: string
  readonly endpoints: readonly PublisherEndpoint[]
  /** Topic prefixes, each ending in a dot; they take whole channels. */
  readonly prefixes: readonly string[]
  readonly env: Env
  readonly clock: Clock
  readonly keys: BusKeys | undefined
} & (
    | { readonly mode: 'snapshot' }
    | {
        readonly mode: 'gap-filled'
        /** What the role has of a source; `live`: nothing, and it wants only what comes. */
        readonly startAt: (source: string) => Position | 'live'
      }
  )

export interface BusReader {
  /** What was taken of a source. */
  position(source: string): Position | undefined
  close(): void
}
