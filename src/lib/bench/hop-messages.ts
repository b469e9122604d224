/** What the two processes of the hop benchmark tell each other. */

import type { KeyPair } from '../bus/curve.js'
import type { Pace, PublisherResult } from './pacing.js'

/** Ways of our own bus: bare, with the journal in front of each send, and with CURVE on top. */
export const BUS_TRANSPORTS = ['zeromq', 'zeromq+journal', 'zeromq+journal+curve'] as const
export type BusTransport = (typeof BUS_TRANSPORTS)[number]
export const TRANSPORTS = [...BUS_TRANSPORTS, 'redis'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** Topics and pattern of what is published. */
export const HOP_PREFIX = 'prices.kalshi.'
export const HOP_PUBLISHER = 'kalshi'
export const HOP_ENV = 'sim'

export interface HopRun extends Pace {
  readonly transport: Transport
}

export type ToPublisher =
  | { readonly type: 'connect'; readonly redisUrl: string }
  | { readonly type: 'prepare'; readonly run: HopRun }
  /** As fast as it goes, before anyone listens: a journal to be caught up with. */
  | { readonly type: 'fill'; readonly transport: BusTransport; readonly count: number }
  /** The receiver is ready. */
  | { readonly type: 'go' }

/** Made for one run: what the reader needs for the encrypted transport. */
export interface HopKeys {
  readonly reader: KeyPair
  readonly publisherKey: string
}

export type FromPublisher =
  | { readonly type: 'bound'; readonly urls: Readonly<Record<BusTransport, string>>; readonly keys: HopKeys }
  | { readonly type: 'connected' }
  | { readonly type: 'prepared'; readonly firstSeq: number }
  | { readonly type: 'filled'; readonly recoveryUrl: string; readonly epoch: number; readonly last: number }
  | { readonly type: 'done'; readonly result: PublisherResult }
