/** The newest value of each topic of a source, as its publisher has them. */

import type { Position } from '../bus/position.js'
import type { RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { PastMessage } from './past.js'

export interface PublisherSnapshot {
  /** Everything up to here is in it; what a later chunk has may be newer. */
  readonly at: Position
  /** Nothing that the epoch published has been left out. */
  readonly isComplete: boolean
  readonly messages: readonly PastMessage[]
}

/** Undefined where the publisher does not answer, or begins a new life meanwhile. */
export async function pullSnapshot(
  client: RecoveryClient,
  source: string,
): Promise<PublisherSnapshot | undefined> {
  const newest = new Map<string, PastMessage>()
  let at: Position | undefined
  let isComplete = true
  for (let cursor: number | null = 0; cursor !== null;) {
    const reply = await client.snapshot(source, cursor)
    if (reply === undefined || (reply.next !== null && reply.next <= cursor)) return undefined
    at ??= { epoch: reply.epoch, seq: reply.seq }
    if (reply.epoch !== at.epoch) return undefined
    isComplete &&= reply.complete
    for (const { topic, value } of reply.values) {
      if (value !== null) newest.set(topic, { kind: 'message', source, ...value })
      else isComplete = false
    }
    cursor = reply.next
  }
  return at && { at, isComplete, messages: [...newest.values()] }
}
