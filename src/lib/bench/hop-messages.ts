/** What the two processes of the hop benchmark tell each other. */

import type { KeyPair } from '../bus/curve.js'
import type { Pace, PublisherResult } from './pacing.js'

/** Ways of our own bus: bare, with the journal in front of each send, and with CURVE on top. */
export const BUS_TRANSPORTS = ['zeromq', 'zeromq+journal', 'zeromq+journal+curve'] as const
export type BusTransport = (typeof BUS_TRANSPORTS)[number]
/** The same envelopes, from the same processes, through a broker. */
export const BROKER_TRANSPORTS = ['redis', 'redis-streams', 'nats'] as const
export type BrokerTransport = (typeof BROKER_TRANSPORTS)[number]
/** Messages of the same size between two C programs. */
export const LIBZMQ_TRANSPORT = 'libzmq-c'
export const TRANSPORTS = [...BUS_TRANSPORTS, ...BROKER_TRANSPORTS, LIBZMQ_TRANSPORT] as const
export type Transport = (typeof TRANSPORTS)[number]

/** Where a broker is: a URL of Redis, a port of NATS. */
export interface BrokerPlace {
  readonly transport: BrokerTransport
  readonly redisUrl: string
  readonly natsPort: number
}

/** Topics and pattern of what is published. */
export const HOP_PREFIX = 'prices.kalshi.'
export const HOP_PUBLISHER = 'kalshi'
export const HOP_ENV = 'sim'

export interface HopRun extends Pace {
  readonly transport: Transport
}

/** A run that the publishing process makes. */
export interface PublisherRun extends Pace {
  readonly transport: Exclude<Transport, typeof LIBZMQ_TRANSPORT>
}

export type ToPublisher =
  | { readonly type: 'connect'; readonly place: BrokerPlace }
  | { readonly type: 'prepare'; readonly run: PublisherRun }
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
