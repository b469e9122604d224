/** An entry of a stream back as the message that it was. */

import { decode } from '../messages/codec.js'
import type { Message, Refusal } from '../messages/codec.js'
import { topicPrefixOf } from '../messages/sources.js'
import type { Env } from '../model/venue.js'
import type { StreamEntry } from './stream-entry.js'

/** Checked as on the bus, and that the fields beside the envelope say what it says. */
export function messageOfEntry(
  { source, topic, data, epoch, seq }: Omit<StreamEntry, 'id'>,
  env: Env,
): Message | Refusal {
  const decoded = decode(topic, data, env)
  if (decoded.kind === 'refused') return decoded.refusal
  const message = decoded.kind === 'message' ? decoded.message : undefined
  const header = message?.header
  const agrees = header?.source === source && header.epoch === epoch && header.seq === seq
  if (message === undefined || !agrees || !topic.startsWith(topicPrefixOf(source))) {
    return { reason: 'entry_differs', detail: `${source}/${epoch}/${seq} on ${topic}` }
  }
  return message
}
