/** What the processes of the pipeline benchmark tell each other: monitor, shard and exec, a set for each transport. */

import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { Pace, PublisherResult } from './pacing.js'

export const PIPELINE_TRANSPORTS = ['zeromq+journal', 'redis'] as const
export type PipelineTransport = (typeof PIPELINE_TRANSPORTS)[number]

export const PIPELINE_ENV = 'sim'
/** A frame of the venue is a book and a quote on the bus. */
export const MESSAGES_PER_FRAME = 2

/** What messages go over: the bus, where each process binds what it publishes, or a Redis. */
export type Link =
  { readonly transport: 'zeromq+journal' } | { readonly transport: 'redis'; readonly redisUrl: string }

export type ToMonitor =
  | { readonly type: 'open'; readonly link: Link; readonly dir: string }
  /** Frames for a stretch; every `signalEvery` of them, one makes an edge. */
  | { readonly type: 'prepare'; readonly pace: Pace; readonly signalEvery: number }
  | { readonly type: 'go' }
  | { readonly type: 'cost' }
export type FromMonitor =
  | { readonly type: 'opened'; readonly endpoints: readonly PublisherEndpoint[] }
  | { readonly type: 'prepared' }
  | { readonly type: 'done'; readonly result: PublisherResult; readonly edges: readonly number[] }
  | Cost

export type ToShard =
  | {
      readonly type: 'open'
      readonly link: Link
      readonly dir: string
      readonly endpoints: readonly PublisherEndpoint[]
    }
  | { readonly type: 'cost' }
export type FromShard = { readonly type: 'opened'; readonly endpoints: readonly PublisherEndpoint[] } | Cost

export type ToExec =
  | {
      readonly type: 'open'
      readonly link: Link
      readonly dir: string
      readonly signals: readonly PublisherEndpoint[]
      readonly games: readonly PublisherEndpoint[]
    }
  /** What came since it was asked last. */
  | { readonly type: 'take' }
  | { readonly type: 'cost' }
export type FromExec =
  { readonly type: 'opened' } | { readonly type: 'taken'; readonly ticks: readonly Tick[] } | Cost

/** Of a process since its start. */
export interface Cost {
  readonly type: 'cost'
  readonly cpuUs: number
  /** What it counted: `quotes`, `no_signal:<reason>`, `denied:<code>`. */
  readonly counts: Readonly<Record<string, number>>
}

/** A signal as exec heard it. The host's monotonic clock, us. */
export interface Tick {
  /** When the frame that caused it was due. */
  readonly dueUs: number
  readonly shardInUs: number
  readonly shardOutUs: number
  /** When exec had it. */
  readonly heardUs: number
  /** When the bytes of its opening order were handed over, its intent on disk; undefined when there were none. */
  readonly orderUs: number | undefined
}
