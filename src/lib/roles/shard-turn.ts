/**
 * One turn of a shard's event loop as it lies in its journal of inputs: what it took in, in the order it took it in,
 * and behind each input the readings of the clock meanwhile. A JSON object:
 *
 *     {"v":1,"head":{…},"inputs":[["m","kalshi.prices",1769500000123,42,98765432109,98765432150],…]}
 *
 * A message is named by its place and lies in the journal of its publisher; a heartbeat, which nobody journals, is
 * here with all that counts of it. The head says what else decisions depend on; it comes first, and again now and then,
 * for whoever finds the beginning gone.
 */

import type { Position } from '../bus/position.js'
import { isObject } from '../messages/checks.js'
import { isSource } from '../messages/sources.js'
import type { StrategyLimits } from '../strategy/plan.js'
import type { BooksBeat } from './shard-books.js'

/** What a shard decides with. */
export interface ShardHead {
  readonly shard: number
  /** How many there were. */
  readonly shards: number
  /** `hostId()` of the shard. */
  readonly host: string
  /** The life of its signals. */
  readonly signals: { readonly source: string; readonly epoch: number }
  readonly strategy: StrategyLimits & { readonly validMs: number }
  /** Channels of which nothing is missing, before the inputs of this turn. */
  readonly live: readonly string[]
}

/** Times are the shard's monotonic clock. */
export type TurnInput = { readonly clock: readonly number[] } & (
  | (Position & { readonly kind: 'message'; readonly source: string; readonly recvUs: number })
  | { readonly kind: 'heartbeat'; readonly beat: BooksBeat; readonly recvUs: number }
  | { readonly kind: 'gap'; readonly source: string }
  | { readonly kind: 'state'; readonly source: string; readonly isLive: boolean }
)

export interface Turn {
  readonly head: ShardHead | undefined
  readonly inputs: readonly TurnInput[]
}

/** Inputs without their end: readings of the clock and a bracket follow. Sources are well-formed. */
export const messageText = (source: string, epoch: number, seq: number, recvUs: number): string =>
  `["m","${source}",${epoch},${seq},${recvUs}`
export const gapText = (source: string): string => `["g","${source}"`
export const stateText = (source: string, isLive: boolean): string => `["s","${source}",${isLive}`
export function heartbeatText(beat: BooksBeat, recvUs: number): string {
  const { publisher, host, timestamp_ms, mono_us, closing } = beat
  const channels = beat.channels.map(({ source, epoch }) => ({ source, epoch }))
  const feeds = beat.feeds.map(({ proved_ago_us }) => ({ proved_ago_us }))
  const counts: BooksBeat = { publisher, host, timestamp_ms, mono_us, closing, channels, feeds }
  return `["b",${JSON.stringify(counts)},${recvUs}`
}

/** `inputs`: each with its end, a comma between them. */
export const turnText = (inputs: string, head?: ShardHead): string =>
  `{"v":1,${head === undefined ? '' : `"head":${JSON.stringify(head)},`}"inputs":[${inputs}]}`

/** Undefined for anything else than a turn. */
export function parseTurn(data: Buffer): Turn | undefined {
  let value: unknown
  try {
    value = JSON.parse(data.toString('utf8'))
  } catch {
    return undefined
  }
  if (!isObject(value) || value['v'] !== 1 || !Array.isArray(value['inputs'])) return undefined
  const { head } = value
  if (head !== undefined && !isHead(head)) return undefined
  const inputs: TurnInput[] = []
  for (const each of value['inputs']) {
    const input = Array.isArray(each) ? parseInput(each) : undefined
    if (input === undefined) return undefined
    inputs.push(input)
  }
  return { head, inputs }
}

function parseInput([kind, what, ...rest]: readonly unknown[]): TurnInput | undefined {
  const [first, ...others] = rest
  switch (kind) {
    case 'm': {
      const [seq, recvUs, ...clock] = others
      const fits = isText(what) && [first, seq, recvUs].every(isNumber) && clock.every(isNumber)
      if (!fits) return undefined
      return {
        kind: 'message',
        source: what,
        epoch: Number(first),
        seq: Number(seq),
        recvUs: Number(recvUs),
        clock,
      }
    }
    case 'b':
      if (!isBeat(what) || !isNumber(first) || !others.every(isNumber)) return undefined
      return { kind: 'heartbeat', beat: what, recvUs: first, clock: others }
    case 'g':
      return isText(what) && rest.every(isNumber) ? { kind: 'gap', source: what, clock: rest } : undefined
    case 's':
      if (!isText(what) || typeof first !== 'boolean' || !others.every(isNumber)) return undefined
      return { kind: 'state', source: what, isLive: first, clock: others }
    default:
      return undefined
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && isSource(value)
const isNumber = (value: unknown): value is number => typeof value === 'number'

const STRATEGY_NUMBERS = [
  'minEdgeMicros',
  'delayCostMicrosPerS',
  'maxSizeE2',
  'maxEdgeMicros',
  'validMs',
] as const

function isHead(value: unknown): value is ShardHead {
  if (!isObject(value)) return false
  const { shard, shards, host, signals, strategy, live } = value
  return (
    isNumber(shard) &&
    isNumber(shards) &&
    typeof host === 'string' &&
    isObject(signals) &&
    isText(signals['source']) &&
    isNumber(signals['epoch']) &&
    isObject(strategy) &&
    STRATEGY_NUMBERS.every((name) => isNumber(strategy[name])) &&
    Array.isArray(live) &&
    live.every(isText)
  )
}

function isBeat(value: unknown): value is BooksBeat {
  if (!isObject(value)) return false
  const { publisher, host, timestamp_ms, mono_us, closing, channels, feeds } = value
  return (
    typeof publisher === 'string' &&
    typeof host === 'string' &&
    isNumber(timestamp_ms) &&
    isNumber(mono_us) &&
    typeof closing === 'boolean' &&
    Array.isArray(channels) &&
    channels.every((each) => isObject(each) && isText(each['source']) && isNumber(each['epoch'])) &&
    Array.isArray(feeds) &&
    feeds.every(
      (each) => isObject(each) && (each['proved_ago_us'] === null || isNumber(each['proved_ago_us'])),
    )
  )
}
