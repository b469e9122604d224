/** What the two processes of the hop benchmark tell each other. */

export type Transport = 'redis' | 'zeromq'

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
  /** The receiver is ready. */
  | { readonly type: 'go' }

export type FromPublisher =
  | { readonly type: 'bound'; readonly url: string }
  | { readonly type: 'connected' }
  | { readonly type: 'prepared'; readonly firstSeq: number }
  | { readonly type: 'done'; readonly result: PublisherResult }
  | { readonly type: 'failed'; readonly message: string }

export interface PublisherResult {
  /** Processor time of the publishing process over the measured part, us. */
  readonly cpuUs: number
  /** Median and 99th percentile of how late messages were handed over, us; null without a schedule. */
  readonly lateP50Us: number | null
  readonly lateP99Us: number | null
  /** Messages a second over the measured part. */
  readonly achievedRate: number
}
