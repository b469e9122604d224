/**
 * What a publisher's journal still has of a source, pulled chunk by chunk over its recovery socket: up to where another
 * past begins.
 */

import type { Position } from '../bus/position.js'
import type { RangeReply } from '../bus/range.js'
import type { PulledRecord, RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { Refusal } from '../messages/codec.js'
import type { Env } from '../model/venue.js'
import { messageOfEntry } from './entry-message.js'
import { SourcePast } from './past.js'
import type { PastItem, PastPages } from './past.js'
import { PulledJournal } from './pulled-journal.js'
import type { EpochSpan, PulledFrom } from './pulled-journal.js'

export interface PublisherPastOptions {
  readonly client: RecoveryClient
  readonly source: string
  readonly env: Env
  /** Not read from here on; undefined: to where the journal is now. */
  readonly before: Position | undefined
  readonly from: PulledFrom
  /** The publisher does not answer: what it gave so far is all there is. */
  readonly onNoAnswer: () => void
  /** What cannot be taken for a message: left out. */
  readonly onProblem: (refusal: Refusal) => void
}

/** Never throws for what a publisher answers, or does not. */
export async function* readPublisher(options: PublisherPastOptions): PastPages {
  const { client, source, before, from: wanted, onNoAnswer } = options
  const journal = new PulledJournal(client, source)
  const spans = await journal.spans(before)
  const start = spans && (await journal.findStart(spans, wanted))
  if (spans === undefined || start === undefined) return onNoAnswer()
  const past = new SourcePast(source)
  for (const span of spans) {
    if (span.epoch < start.epoch) continue
    let next = span.epoch === start.epoch ? start.seq : 1
    while (next <= span.to) {
      const reply = await client.range(source, { epoch: span.epoch, from: next, to: span.to })
      const items: PastItem[] = []
      const end = reply && takeReply(reply, span, past, options, items)
      if (end === undefined) {
        past.gap({ source, epoch: span.epoch, from: next, to: span.to, reason: 'out_of_reach' }, 'missed')
        past.end(items)
        onNoAnswer()
        yield items
        return
      }
      next = end
      yield items
    }
    if (span.isEndUnknown) {
      const reason = 'epoch_end_unknown'
      past.gap({ source, epoch: span.epoch, from: span.to + 1, to: null, reason }, 'missed')
    }
  }
  const rest: PastItem[] = []
  past.end(rest)
  yield rest
}

/** Says where to ask next; undefined for a reply that leads nowhere. */
function takeReply(
  { epoch, from, records, hole }: RangeReply<PulledRecord>,
  { to }: EpochSpan,
  past: SourcePast,
  options: PublisherPastOptions,
  items: PastItem[],
): number | undefined {
  const { source, env, onProblem } = options
  for (const { seq, value } of records) {
    const message = value && ({ kind: 'message', source, ...value } as const)
    const legible = message && messageOfEntry(message, env)
    if (legible !== null && 'reason' in legible) onProblem(legible)
    if (message !== null && legible !== null && !('reason' in legible)) past.message(message, 'missed', items)
    else past.gap({ source, epoch, from: seq, to: seq, reason: 'illegible' }, 'missed')
  }
  if (records.length > 0) return from + records.length
  if (hole === null) return undefined
  const end = Math.min(hole.to ?? to, to)
  // Whoever asks for the last so many takes those that there are.
  const isTold = past.position !== undefined || !('last' in options.from) || hole.reason !== 'retention'
  if (isTold) past.gap({ source, epoch, from, to: end, reason: hole.reason }, 'missed')
  return end + 1
}
