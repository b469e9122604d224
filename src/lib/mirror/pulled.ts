/** From a publisher's journal to what the mirror writes. */

import type { JournalRecord } from '../bus/journal/record.js'
import type { RangeReply } from '../bus/range.js'
import { decode } from '../messages/codec.js'
import { topicPrefixOf } from '../messages/sources.js'
import type { Env } from '../model/venue.js'
import type { RedisKeys } from '../redis/keys.js'
import type { MirrorRecord } from './item.js'
import { recordOf } from './routes.js'

export interface Channel {
  readonly env: Env
  readonly source: string
  readonly keys: RedisKeys
}

/** The same chunk; a record that is no message of its channel is one that cannot be read. */
export function mirrorReply(reply: RangeReply<JournalRecord>, channel: Channel): RangeReply<MirrorRecord> {
  const records = reply.records.map(({ seq, value }) => ({
    seq,
    value: value === null ? null : mirrorRecord(value, channel),
  }))
  return { ...reply, records }
}

function mirrorRecord(
  { epoch, seq, topic, data }: JournalRecord,
  { env, source, keys }: Channel,
): MirrorRecord | null {
  const decoded = decode(topic, data, env)
  if (decoded.kind !== 'message') return null
  const { header } = decoded.message
  const isItself = header.source === source && header.epoch === epoch && header.seq === seq
  if (!isItself || !topic.startsWith(topicPrefixOf(source))) return null
  return recordOf(keys, decoded.message, topic, data) ?? null
}
