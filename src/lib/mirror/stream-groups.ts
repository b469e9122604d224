/**
 * Consumer groups on our streams, and how near each is to losing what it has not read or not acknowledged: trimming
 * takes no account of them. Asked for on a timer; nothing here is on the way of a message.
 */

import { MODES, VENUES } from '../model/venue.js'
import type { RedisClient } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import type { RedisKeys } from '../redis/keys.js'
import { LuaScript } from '../redis/lua.js'
import { CLOSE_PERCENT, standingOf } from './group-standing.js'
import type { GroupPlace, GroupStanding, StreamWindow } from './group-standing.js'
import type { StreamLengths } from './routes.js'

export interface WatchedStream {
  readonly key: string
  /** Entries that it keeps, about. */
  readonly maxLength: number
}

/** Every stream that the mirror writes. */
export function watchedStreams(keys: RedisKeys, lengths: StreamLengths): WatchedStream[] {
  const of = (maxLength: number, ...names: readonly string[]): WatchedStream[] =>
    names.map((key) => ({ key, maxLength }))
  return [
    ...VENUES.flatMap((venue) => of(lengths.prices, keys.prices(venue), keys.orderbook(venue))),
    ...of(lengths.prices, keys.gameEvents()),
    ...of(lengths.signals, keys.signals()),
    ...MODES.flatMap((mode) => of(lengths.history, keys.orders(mode), keys.trades(mode))),
  ]
}

/** KEYS stream; ARGV first and last id, at most so many. Replies how many entries there are, and the last one's id. */
const COUNT_SCRIPT = new LuaScript(`
local entries = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])
local last = entries[#entries]
return {#entries, last and last[1] or ''}
`)
/** A longer count would hold Redis up for the mirror. */
const CHUNK = 250

/** Every group of the streams that exist. Throws what ioredis throws, `NOPERM` too. */
export async function readGroups(
  redis: RedisClient,
  streams: readonly WatchedStream[],
): Promise<GroupStanding[]> {
  const pipeline = redis.pipeline()
  for (const { key } of streams) pipeline.xinfo('GROUPS', key)
  const replies = (await pipeline.exec()) ?? []
  const standings: GroupStanding[] = []
  for (const [i, stream] of streams.entries()) {
    const [error, reply] = replies[i] ?? [new Error('no reply'), undefined]
    if (error !== null) {
      if (isNoStream(error)) continue
      throw error
    }
    const groups = listOf(reply).map(fieldsOf)
    if (groups.length > 0) standings.push(...(await readStream(redis, stream, groups)))
  }
  return standings
}

async function readStream(
  redis: RedisClient,
  { key, maxLength }: WatchedStream,
  groups: readonly ReadonlyMap<string, unknown>[],
): Promise<GroupStanding[]> {
  const info = fieldsOf(await redis.xinfo('STREAM', key))
  const first = listOf(info.get('first-entry'))[0]
  const window: StreamWindow = {
    maxLength,
    length: numberOf(info.get('length')) ?? 0,
    firstId: typeof first === 'string' ? first : undefined,
    added: numberOf(info.get('entries-added')),
  }
  const standings: GroupStanding[] = []
  for (const fields of groups) {
    const group = String(fields.get('name'))
    const pending = numberOf(fields.get('pending')) ?? 0
    const place: GroupPlace = {
      deliveredId: String(fields.get('last-delivered-id')),
      pendingId: pending > 0 ? await oldestPending(redis, key, group) : undefined,
      read: numberOf(fields.get('entries-read')),
      lag: numberOf(fields.get('lag')),
    }
    const passed = await countPassed(redis, key, window, place)
    standings.push({ stream: key, group, ...standingOf(window, place, passed) })
  }
  return standings
}

async function oldestPending(redis: RedisClient, key: string, group: string): Promise<string | undefined> {
  const [, oldest] = listOf(await redis.xpending(key, group))
  return typeof oldest === 'string' ? oldest : undefined
}

/** Entries that the group has behind it: counted only as far as it takes to know that it is not close. */
async function countPassed(
  redis: RedisClient,
  key: string,
  { length, maxLength }: StreamWindow,
  { deliveredId, pendingId, lag }: GroupPlace,
): Promise<number> {
  const enough = Math.floor(length - (maxLength * CLOSE_PERCENT) / 100) + 1
  if (enough <= 0) return length
  if (pendingId === undefined && lag !== undefined) return Math.max(0, length - lag)
  let passed = 0
  let from = '-'
  while (passed < enough) {
    const reply = listOf(
      await COUNT_SCRIPT.run(redis, [key], [from, pendingId ?? deliveredId, String(CHUNK)]),
    )
    const [count, last] = [numberOf(reply[0]) ?? 0, String(reply[1])]
    // Each chunk begins with the entry that the one before ended with: exclusive bounds need Redis 6.2.
    passed += from === '-' ? count : Math.max(0, count - 1)
    if (count < CHUNK) break
    from = last
  }
  // The oldest pending one is not behind it.
  return pendingId === undefined ? passed : Math.max(0, passed - 1)
}

const isNoStream = (error: Error): boolean =>
  /no such key/.test(error.message) || redisErrorCode(error) === 'WRONGTYPE'

const listOf = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : [])
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

/** Names and values in turns, as RESP2 has them. */
function fieldsOf(reply: unknown): ReadonlyMap<string, unknown> {
  const list = listOf(reply)
  return new Map(list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1]] as const] : [])))
}
