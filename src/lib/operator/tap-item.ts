/** What a tap shows: one thing that arrived, or lay somewhere. */

import { isUnguarded } from '../history/past.js'
import type { PastMessage } from '../history/past.js'

export interface TapItem {
  readonly topic: string
  /** The channel; for a heartbeat its publisher, for a first-design sender `legacy.<endpoint>`. */
  readonly source: string
  /** Absent for heartbeats and first-design senders: nothing numbers them. */
  readonly epoch?: number
  readonly seq?: number
  /** Sender's wall clock, when it said so. */
  readonly timestampMs?: number | undefined
  /** Absent for what lay somewhere. */
  readonly ageUs?: number
  /** The second frame, already known to be a JSON object. */
  readonly text: string
}

/** What lay somewhere. */
export function tapItem(message: PastMessage): TapItem {
  const { topic, source, epoch, seq, timestampMs, data } = message
  const place = isUnguarded(message) ? {} : { epoch, seq }
  return { topic, source, ...place, timestampMs, text: data.toString('utf8') }
}
