/** What the two processes of the hop benchmark tell each other. */

import type { KeyPair } from '../bus/curve.js'

/** Ways of our own bus: bare, with the journal in front of each send, and with CURVE on top. */
export const BUS_TRANSPORTS = ['zeromq', 'zeromq+journal', 'zeromq+journal+curve'] as const
export type BusTransport = (typeof BUS_TRANSPORTS)[number]
export const TRANSPORTS = [...BUS_TRANSPORTS, 'redis'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** Topics and pattern of what is published. */
export const HOP_PREFIX = 'prices.kalshi.'
export const HOP_PUBLISHER = 'kalshi'
export const HOP_ENV = 'sim'

/** One stretch of publishing. */
export interface HopRun {
  readonly transport: Transport
  /** Messages a second on a fixed schedule; null: as fast as they go. */
  readonly rate: number | null
  /** Published first and not measured; like `measured` a multiple of `perTick(rate)`. */
  readonly warmUp: number
  readonly measured: number
}

/** Messages that are due together, once a millisecond: a venue's frames come in bursts. */
export const perTick = (rate: number): number => Math.max(1, Math.round(rate / 1000))

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

export interface PublisherResult {
  /** Processor time of the publishing process over the measured part, us. */
  readonly cpuUs: number
  /** Median and 99th percentile of how late messages were handed over, us; null without a schedule. */
  readonly lateP50Us: number | null
  readonly lateP99Us: number | null
  /** Messages a second over the measured part. */
  readonly achievedRate: number
  /** Memory of the publishing process at the end, MiB. */
  readonly rssMib: number
}
