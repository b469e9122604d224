/** What the processes of the mirror benchmark tell each other. */

import type { PublisherEndpoint } from '../bus/endpoints.js'
import { VENUES } from '../model/venue.js'
import type { Venue } from '../model/venue.js'
import type { Watch, Written } from './mirror-window.js'
import type { Pace, PublisherResult } from './pacing.js'

/** Ours, and two as one writes them first: a command a message, each awaited; pipelines of what waits. */
export const MIRROR_KINDS = ['arbees', 'await', 'pipeline'] as const
export type MirrorKind = (typeof MIRROR_KINDS)[number]

/** Each is one of the monitors. */
export const MAX_PUBLISHERS = VENUES.length

export const MIRROR_ENV = 'sim'
/** Entries that the streams keep: more than any run writes, so that they can be counted. */
export const MIRROR_MAX_LENGTH = 2_000_000

/** The publishers, each a process; each has a bus address and a journal for every kind of mirror. */
export type ToMirrorPublisher =
  | { readonly type: 'bind'; readonly venue: Venue }
  | { readonly type: 'prepare'; readonly kind: MirrorKind; readonly pace: Pace }
  | { readonly type: 'go' }
  /** As fast as it goes, while nobody listens: a journal to be caught up with. */
  | { readonly type: 'fill'; readonly kind: MirrorKind; readonly count: number }

export type FromMirrorPublisher =
  | { readonly type: 'bound'; readonly endpoints: Readonly<Record<MirrorKind, PublisherEndpoint>> }
  | { readonly type: 'prepared'; readonly firstSeq: number }
  | { readonly type: 'done'; readonly result: PublisherResult }
  | { readonly type: 'filled'; readonly result: PublisherResult }

/** The mirrors, each a process. */
export type ToMirror =
  | {
      readonly type: 'join'
      readonly kind: MirrorKind
      readonly redisUrl: string
      readonly endpoints: readonly PublisherEndpoint[]
    }
  | { readonly type: 'watch'; readonly watch: Watch }
  /** Everything was published at `endedUs`: what is not in Redis `withinMs` later is not waited for. */
  | { readonly type: 'finish'; readonly endedUs: number; readonly withinMs: number }
  | { readonly type: 'leave' }

export type FromMirror =
  | { readonly type: 'joined' }
  | { readonly type: 'watching' }
  | { readonly type: 'finished'; readonly result: MirrorResult }
  | { readonly type: 'left' }

export interface MirrorResult {
  readonly written: Written
  /** Calls to Redis that failed. */
  readonly failedCalls: number
  readonly rssMib: number
}
