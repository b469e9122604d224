/** An entry of a stream as a message of the past. */

import { decode } from '../messages/codec.js'
import type { Refusal } from '../messages/codec.js'
import type { Env } from '../model/venue.js'
import { messageOfEntry } from './entry-message.js'
import type { PastMessage } from './past.js'
import { refusalOfEntry } from './stream-entry.js'
import type { StreamEntry } from './stream-entry.js'
import { timeOfId } from './stream-id.js'

/** Checked as on the bus; what a first-design sender sent has epoch and seq 0. */
export function pastMessageOf(entry: StreamEntry, env: Env): PastMessage | Refusal {
  const { id, source, topic, data, epoch, seq } = entry
  const shared = { kind: 'message', source, topic, data, epoch, seq } as const
  if (source.startsWith('legacy.') && epoch === 0 && seq === 0) {
    const decoded = decode(topic, data, env)
    if (decoded.kind === 'refused') return refusalOfEntry(decoded.refusal, entry)
    if (decoded.kind === 'legacy') {
      const sentMs = decoded.legacy.body['timestamp_ms']
      return { ...shared, timestampMs: typeof sentMs === 'number' ? sentMs : timeOfId(id) }
    }
  }
  const message = messageOfEntry(entry, env)
  return 'reason' in message
    ? refusalOfEntry(message, entry)
    : { ...shared, timestampMs: message.header.timestamp_ms }
}
