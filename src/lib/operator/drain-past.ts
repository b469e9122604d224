/**
 * What a Redis that is in a later epoch already lacks of a journal. The mirror never goes back: nobody can write it any
 * more.
 */

import { epochPages } from '../bus/journal/epoch-pages.js'
import type { JournalReader } from '../bus/journal/reader.js'
import type { JournalRecord } from '../bus/journal/record.js'
import { isSame } from '../bus/position.js'
import { GapRecords } from '../history/gap-records.js'
import { findPlace } from '../history/stream-place.js'
import { decode } from '../messages/codec.js'
import type { Channel } from '../mirror/pulled.js'
import { recordOf } from '../mirror/routes.js'
import type { RedisLink } from '../redis/connection.js'
import { PatientReader } from '../redis/patient-reader.js'

export interface PastQuestion {
  readonly link: RedisLink
  readonly channel: Channel
  readonly journal: JournalReader
  /** Entries that the channel's stream keeps. */
  readonly maxLength: number
}

/**
 * Whether the journal holds messages that Redis never got: the newest one is neither in its stream nor trimmed out of
 * it, or a gap record covers one, other than `trimmed`. Throws what ioredis, `PatientReader.ask` and reading a file throw.
 */
export const isLackedByRedis = async (question: PastQuestion): Promise<boolean> =>
  (await neverGotNewest(question)) || (await recordedAsGap(question))

/** Redis holds an unbroken window: what it has the newest message of, it has, has trimmed, or has recorded as a gap. */
async function neverGotNewest({
  link: { redis },
  channel,
  journal,
  maxLength,
}: PastQuestion): Promise<boolean> {
  const newest = newestIn(journal)
  const stream = newest && streamOf(newest, channel)
  if (newest === undefined || stream === undefined) return false
  const { latest } = await findPlace(redis, stream, new Map([[channel.source, newest]]))
  const found = latest.get(channel.source)
  if (found !== undefined) return !isSame(found, newest)
  return (await redis.xlen(stream)) < maxLength
}

/** The newest message that can be read. */
function newestIn(journal: JournalReader): JournalRecord | undefined {
  const segment = journal.segments.at(-1)
  if (segment === undefined) return undefined
  let newest: JournalRecord | undefined
  for (const { records } of epochPages(journal, segment.epoch, segment.first))
    newest = records.at(-1) ?? newest
  return newest
}

/** Undefined for what is no message of ours. */
function streamOf({ topic, data }: JournalRecord, { env, keys }: Channel): string | undefined {
  const decoded = decode(topic, data, env)
  return decoded.kind === 'message' ? recordOf(keys, decoded.message, topic, data)?.stream : undefined
}

async function recordedAsGap({ link, channel, journal }: PastQuestion): Promise<boolean> {
  const { keys, source } = channel
  const records = await new GapRecords({
    reader: new PatientReader(link),
    key: keys.gaps(),
    to: '+',
    source,
  }).before()
  return records.some(
    ({ gap: { epoch, from, to, reason } }) =>
      reason !== 'trimmed' && holdsSome(journal, epoch, from, to ?? Infinity),
  )
}

/** Whether a message of the range can be read. */
function holdsSome(journal: JournalReader, epoch: number, from: number, to: number): boolean {
  for (const { records, next } of epochPages(journal, epoch, from)) {
    const [first] = records
    if (first !== undefined) return first.seq <= to
    if (next > to) return false
  }
  return false
}
