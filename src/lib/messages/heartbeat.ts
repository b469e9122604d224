/**
 * Heartbeats: every 200 ms on `health.<publisher>`, outside every channel (no seq, not journaled, through no gate).
 * They say how far each channel got, so that a lost tail is seen, and what the role counts, so that `status` can ask
 * the bus alone.
 */

import type { Env } from '../model/venue.js'

export const HEARTBEAT_MS = 200
/** A publisher silent for so long is suspect. */
export const SUSPECT_MS = 600

const JOURNAL_STATES = ['none', 'on', 'degraded'] as const

export interface ChannelBeat {
  readonly source: string
  readonly epoch: number
  readonly last_seq: number
  /** Oldest message that can still be asked for; null when nothing is kept. */
  readonly oldest: { readonly epoch: number; readonly seq: number } | null
  readonly journal: (typeof JOURNAL_STATES)[number]
}

export interface FeedBeat {
  readonly name: string
  readonly state: string
  /** Time since continuity was last proved, us; null before the first proof. */
  readonly proved_ago_us: number | null
  readonly markets: number
  readonly reconnects: number
}

/** Latency of one hop since the role's start. */
export interface HopBeat {
  readonly p50_us: number
  readonly p99_us: number
  readonly n: number
}

/** What a role counts about itself: `<what>` or `<what>:<reason>`, e.g. `parse_errors:not_json`. */
export type Counts = Readonly<Record<string, number>>

export interface Heartbeat {
  readonly v: 1
  readonly publisher: string
  readonly env: Env
  readonly host: string
  readonly pid: number
  /** Publisher's wall clock. */
  readonly timestamp_ms: number
  /** Publisher's monotonic clock: comparable on the same host. */
  readonly mono_us: number
  readonly channels: readonly ChannelBeat[]
  readonly feeds: readonly FeedBeat[]
  readonly counts: Counts
  readonly hops: Readonly<Record<string, HopBeat>>
  /** The last one of a clean stop: the channels end here. */
  readonly closing: boolean
}

/** Parses a heartbeat body; undefined for anything else. */
export function parseHeartbeat(text: string): Heartbeat | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isHeartbeat(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isHeartbeat(value: unknown): value is Heartbeat {
  if (!isRecord(value) || value['v'] !== 1) return false
  const { publisher, env, host, pid, timestamp_ms, mono_us, channels, feeds, counts, hops, closing } = value
  return (
    [publisher, env, host].every((text) => typeof text === 'string') &&
    [pid, timestamp_ms, mono_us].every(isCount) &&
    typeof closing === 'boolean' &&
    Array.isArray(channels) &&
    channels.every(isChannelBeat) &&
    Array.isArray(feeds) &&
    feeds.every(isFeedBeat) &&
    isRecord(counts) &&
    Object.values(counts).every(isCount) &&
    isRecord(hops) &&
    Object.values(hops).every(isHopBeat)
  )
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value < Infinity

function isChannelBeat(value: unknown): value is ChannelBeat {
  return (
    isRecord(value) &&
    typeof value['source'] === 'string' &&
    Number.isSafeInteger(value['epoch']) &&
    isCount(value['last_seq']) &&
    Number.isSafeInteger(value['last_seq']) &&
    (value['oldest'] === null || isPosition(value['oldest'])) &&
    (JOURNAL_STATES as readonly unknown[]).includes(value['journal'])
  )
}

const isPosition = (value: unknown): boolean =>
  isRecord(value) && Number.isSafeInteger(value['epoch']) && Number.isSafeInteger(value['seq'])

function isFeedBeat(value: unknown): value is FeedBeat {
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    typeof value['state'] === 'string' &&
    (value['proved_ago_us'] === null || isCount(value['proved_ago_us'])) &&
    isCount(value['markets'])
  )
}

function isHopBeat(value: unknown): value is HopBeat {
  return isRecord(value) && isCount(value['p50_us']) && isCount(value['p99_us']) && isCount(value['n'])
}
