/** Everything about the mirror that Redis holds, in one round trip. */

import type { Checkpoint } from '../bus/position.js'
import { isBefore } from '../bus/position.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { parseEntry } from '../history/stream-entry.js'
import type { RawEntry, StreamEntry } from '../history/stream-entry.js'
import { parseHeartbeat } from '../messages/heartbeat.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { HEALTH_KEPT_MS } from '../mirror/health-writer.js'
import type { RedisClient } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import type { RedisKeys } from '../redis/keys.js'

type Question = readonly [command: string, key: string, ...rest: readonly (string | number)[]]

export interface ChannelLook {
  readonly checkpoint: Checkpoint | undefined
  /** Newest entry of the channel in its streams; undefined when it is not among the newest of them. */
  readonly newest: StreamEntry | undefined
  /** A gap record reaches to the checkpoint: there need be no entry. */
  readonly isCovered: boolean
  /** There are older gap records than were looked at: one of them may reach there. */
  readonly mayBeCovered: boolean
  /** Every entry of its streams was looked at, or the newest of them was its own. */
  readonly isWhole: boolean
}

export interface RedisPicture {
  readonly mirror: Heartbeat | undefined
  /** Since the mirror wrote its heartbeat, by Redis's clock. */
  readonly mirrorAgeMs: number
  /** The same of each publisher's heartbeat, by its name, where one is kept. */
  readonly echoMs: ReadonlyMap<string, number>
  readonly gaps: number
  /** Of these, recorded since the time asked for; `NEWEST_GAPS` at most. */
  readonly recentGaps: number
  readonly channels: ReadonlyMap<string, ChannelLook>
}

/** A stream is shared by shards, by modes, or by first-design senders: so many of its newest entries are looked at. */
const NEWEST = 20
export const NEWEST_GAPS = 100

export class MirrorLook {
  constructor(
    private readonly redis: RedisClient,
    private readonly keys: RedisKeys,
  ) {}

  /** Throws what ioredis throws, and `REDIS_<code>` for a key that Redis does not tell. */
  async read(
    publishers: readonly string[],
    sources: readonly string[],
    gapsSinceMs: number,
  ): Promise<RedisPicture> {
    const { keys } = this
    const streams = [...new Set(sources.flatMap((source) => keys.streamsOf(source)))]
    const questions: readonly Question[] = [
      ['get', keys.health('mirror')],
      ['pttl', keys.health('mirror')],
      ['xlen', keys.gaps()],
      ...publishers.map((publisher): Question => ['pttl', keys.health(publisher)]),
      ...sources.map((source): Question => ['hmget', keys.checkpoint(source), 'epoch', 'seq', 'closed']),
      // Behind the checkpoints: what they speak of is there by now.
      ['xrevrangeBuffer', keys.gaps(), '+', '-', 'COUNT', NEWEST_GAPS],
      ...streams.map((key): Question => ['xrevrangeBuffer', key, '+', '-', 'COUNT', NEWEST]),
    ]
    const values = await this.ask(questions)
    const [beat, beatTtl, gaps] = values.splice(0, 3)
    const ttls = values.splice(0, publishers.length)
    const checkpoints = values.splice(0, sources.length).map(checkpointFrom)
    const gapRecords = listOf(values.shift())
    const tails = new Map(streams.map((key, i) => [key, listOf(values[i])]))
    return {
      mirror: typeof beat === 'string' ? parseHeartbeat(beat) : undefined,
      mirrorAgeMs: ageFrom(beatTtl) ?? Infinity,
      echoMs: new Map(
        publishers.flatMap((publisher, i) => {
          const age = ageFrom(ttls[i])
          return age === undefined ? [] : [[publisher, age] as const]
        }),
      ),
      gaps: Number(gaps),
      recentGaps: gapRecords.filter((raw) => recordedMs(raw) >= gapsSinceMs).length,
      channels: new Map(
        sources.map((source, i) => [source, this.channelFrom(source, checkpoints[i], tails, gapRecords)]),
      ),
    }
  }

  private async ask(questions: readonly Question[]): Promise<unknown[]> {
    const replies = (await this.redis.pipeline(questions.map((question) => [...question])).exec()) ?? []
    return replies.map(([error, value], i) => {
      if (error === null) return value
      const code = redisErrorCode(error)
      if (code !== 'WRONGTYPE') throw error
      throw new ArbeesError('REDIS_WRONGTYPE', `${questions[i]?.[1]} holds something else (${code})`, {
        exit: EXIT.UNHEALTHY,
      })
    })
  }

  private channelFrom(
    source: string,
    checkpoint: Checkpoint | undefined,
    tails: ReadonlyMap<string, readonly unknown[]>,
    gapRecords: readonly unknown[],
  ): ChannelLook {
    const own = this.keys.streamsOf(source).map((key) => tails.get(key) ?? [])
    const entries = own
      .flatMap((tail) => tail.map((raw) => parseEntry(raw as RawEntry)))
      .filter((entry): entry is StreamEntry => entry?.source === source)
    const newest = entries.reduce<StreamEntry | undefined>(
      (best, entry) => (best === undefined || isBefore(best, entry) ? entry : best),
      undefined,
    )
    const isCovered = checkpoint !== undefined && gapRecords.some((raw) => reaches(raw, source, checkpoint))
    const mayBeCovered = !isCovered && gapRecords.length >= NEWEST_GAPS
    const isWhole = newest !== undefined || own.every((tail) => tail.length < NEWEST)
    return { checkpoint, newest, isCovered, mayBeCovered, isWhole }
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** From the life that a health key has left; undefined for no key, and for one that nobody keeps alive. */
function ageFrom(ttl: unknown): number | undefined {
  return typeof ttl === 'number' && ttl >= 0 ? HEALTH_KEPT_MS - ttl : undefined
}

function checkpointFrom(value: unknown): Checkpoint | undefined {
  const [epochText, seqText, closed] = listOf(value)
  const [epoch, seq] = [epochText, seqText].map((text) => (typeof text === 'string' ? Number(text) : NaN))
  if (epoch === undefined || seq === undefined) return undefined
  if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(seq)) return undefined
  return { epoch, seq, closed: closed === '1' }
}

/** Ids begin with the ms at which Redis took the record. */
const recordedMs = (raw: unknown): number => Number((raw as RawEntry)[0].toString('latin1').split('-')[0])

/** Whether a gap record of the source reaches to the checkpoint. */
function reaches(raw: unknown, source: string, { epoch, seq }: Checkpoint): boolean {
  const [, fields] = raw as RawEntry
  const value = (name: string): string | undefined => {
    const at = fields.findIndex((field, i) => i % 2 === 0 && field.toString('latin1') === name)
    return at === -1 ? undefined : fields[at + 1]?.toString('utf8')
  }
  if (value('channel') !== source || value('epoch') !== String(epoch)) return false
  return Number(value('to') || 0) >= seq
}
