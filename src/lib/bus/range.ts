/**
 * What a reader asks of a publisher's journal, and what it is told: one bounded chunk of one epoch, and what lies
 * behind it. Pure data: the recovery socket carries it, the simulator hands it over.
 */

/** Messages of `epoch` from `from` on, at most to `to`. Epoch 0, before every epoch, finds the oldest one. */
export interface RangeRequest {
  readonly epoch: number
  readonly from: number
  readonly to?: number
}

/** Why the journal has a hole where messages were. */
export type HoleReason =
  /** Older than what is kept. */
  | 'retention'
  /** The disk was full: published, never written. */
  | 'degraded'
  /** Written, and damaged since. */
  | 'corrupt'

export interface RangeReply<T> {
  /** As asked. */
  readonly epoch: number
  readonly from: number
  /** The journal has heard of the epoch; when not, only `next` says something. */
  readonly known: boolean
  /** From `from` on, without holes; null for one that cannot be read. */
  readonly records: readonly { readonly seq: number; readonly value: T | null }[]
  /** What cannot be had right behind the records; `to` is null when nobody knows how far it goes. */
  readonly hole: { readonly to: number | null; readonly reason: HoleReason } | null
  /** Last seq of the epoch that the journal knows to have been published. */
  readonly last: number
  /** Whether `last` is the end: null while the epoch lives; unknown after a crash of the machine. */
  readonly end: 'known' | 'unknown' | null
  /** The epoch after it; null when there is none. */
  readonly next: number | null
}

/** The newest message of each topic, in bounded chunks that are asked for one by one. */
export interface SnapshotReply<T> {
  /** Where the channel stood when this chunk was made: every message up to here is in it, or in a later chunk. */
  readonly epoch: number
  readonly seq: number
  /** Nothing that the epoch published has been left out. */
  readonly complete: boolean
  readonly values: readonly {
    readonly topic: string
    readonly seq: number
    /** Null for one that cannot be read. */
    readonly value: T | null
  }[]
  /** Where the next chunk begins; null when this is the last. */
  readonly next: number | null
}
