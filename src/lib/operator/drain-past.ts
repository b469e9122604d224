/**
 * What a Redis that is in a later epoch already lacks of a journal. The mirror never goes back: nobody can write it any
 * more.
 */

import { readRecords } from '../bus/journal/record.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { isSame } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { BEGINNING, findPlace } from '../history/stream-place.js'
import { mirrorReply } from '../mirror/pulled.js'
import type { Channel } from '../mirror/pulled.js'
import type { RedisClient } from '../redis/connection.js'

export interface PastQuestion {
  readonly redis: RedisClient
  readonly channel: Channel
  readonly journal: JournalReader
  /** Entries that the channel's stream keeps. */
  readonly maxLength: number
}

const CHUNK = { records: 500, bytes: 256 * 1024 }
const PAGE = 500

/**
 * Whether the journal holds messages that Redis never got: the newest one is neither in its stream nor trimmed out of
 * it, or a gap record covers one, other than `trimmed`. Throws what ioredis and reading a file throw.
 */
export const isLackedByRedis = async (question: PastQuestion): Promise<boolean> =>
  (await neverGotNewest(question)) || (await recordedAsGap(question))

/** Redis holds an unbroken window: what it has the newest message of, it has, has trimmed, or has recorded as a gap. */
async function neverGotNewest({ redis, channel, journal, maxLength }: PastQuestion): Promise<boolean> {
  const newest = newestIn(journal, channel)
  if (newest === undefined) return false
  const { latest } = await findPlace(redis, newest.stream, new Map([[channel.source, newest.at]]))
  const found = latest.get(channel.source)
  if (found !== undefined) return !isSame(found, newest.at)
  return (await redis.xlen(newest.stream)) < maxLength
}

/** The newest message that can be read, and the stream that it belongs to. */
function newestIn(
  journal: JournalReader,
  channel: Channel,
): { readonly at: Position; readonly stream: string } | undefined {
  const segment = journal.segments.at(-1)
  if (segment === undefined) return undefined
  const { epoch } = segment
  let newest: { readonly at: Position; readonly stream: string } | undefined
  for (let from = segment.first; ;) {
    const { bytes, ...answer } = journal.answer({ epoch, from }, CHUNK)
    const records = (readRecords(bytes) ?? []).map((value) => ({ seq: value.seq, value }))
    for (const { seq, value } of mirrorReply({ ...answer, records }, channel).records) {
      if (value !== null) newest = { at: { epoch, seq }, stream: value.stream }
    }
    const next = answer.hole === null ? from + answer.count : (answer.hole.to ?? answer.last) + 1
    if (next === from) return newest
    from = next
  }
}

async function recordedAsGap({ redis, channel, journal }: PastQuestion): Promise<boolean> {
  for (let from = BEGINNING; ;) {
    const page = await redis.xrange(channel.keys.gaps(), from, '+', 'COUNT', PAGE)
    for (const [, fields] of page) {
      const gap = new Map(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : [])))
      if (gap.get('channel') !== channel.source || gap.get('reason') === 'trimmed') continue
      const to = gap.get('to') === '' ? Infinity : Number(gap.get('to'))
      if (holdsSome(journal, Number(gap.get('epoch')), Number(gap.get('from')), to)) return true
    }
    const last = page.at(-1)?.[0]
    // Each page begins with the entry that the one before ended with: exclusive bounds need Redis 6.2.
    if (last === undefined || page.length < PAGE) return false
    from = last
  }
}

/** Whether a message of the range can be read. */
function holdsSome(journal: JournalReader, epoch: number, first: number, to: number): boolean {
  for (let from = first; from <= to;) {
    const { count, hole, last } = journal.answer({ epoch, from }, { records: 1, bytes: 1 })
    if (count > 0) return true
    if (hole === null) return false
    from = (hole.to ?? last) + 1
  }
  return false
}
