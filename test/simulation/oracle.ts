/**
 * The promise of the bus, judged against the truth: a log of records and gaps is contiguous, in order and free of
 * duplicates, holds what was published and nothing else, and what is missing is covered by a gap exactly. A gap must
 * also have a cause: a reader that gives up without need keeps the letter of the promise and loses everything.
 */

import type { ReaderItem } from '../../src/lib/bus/channel-reader.js'
import type { GapReason } from '../../src/lib/bus/gap.js'
import type { Position } from '../../src/lib/bus/position.js'
import type { Truth } from './truth.js'
import { Violation } from './violation.js'

/** An entry of a stream, or a record of `arbees:gaps`. */
export type LogEntry =
  | (Position & { readonly kind: 'record'; readonly data: Buffer })
  | {
      readonly kind: 'gap'
      readonly epoch: number
      readonly from: number
      readonly to: number | null
      readonly reason: string
    }

/** What a reader that keeps a log writes down for an item; a change of epoch that loses nothing is not written. */
export function entryOf(item: ReaderItem<{ readonly data: Buffer }>, at: Position): LogEntry | undefined {
  switch (item.kind) {
    case 'record':
      return { kind: 'record', epoch: item.epoch, seq: item.seq, data: item.value.data }
    case 'gap':
      return { kind: 'gap', epoch: item.epoch, from: item.from, to: item.to, reason: item.reason }
    case 'epoch':
      return item.reason === null
        ? undefined
        : { kind: 'gap', epoch: item.from, from: at.seq + 1, to: null, reason: item.reason }
    case 'closed':
      return undefined
  }
}

/** Judges a log from its first entry to `end`; `start` when it is known where it began. Throws `Violation`. */
export function judgeLog(
  name: string,
  log: readonly LogEntry[],
  end: Position,
  truth: Truth,
  start?: Position,
): void {
  const first = log[0]
  let at = start ?? (first === undefined ? end : beforeOf(first))
  /** A gap without an end covers what is left of its epoch, and epochs that nobody heard of. */
  let isOpen = false
  const leaveFor = (epoch: number): void => {
    if (!isOpen) assertNothingLeft(name, truth, at, epoch)
    at = { epoch, seq: 0 }
    isOpen = false
  }
  for (const entry of log) {
    const from = entry.kind === 'record' ? entry.seq : entry.from
    if (entry.epoch < at.epoch || (entry.epoch === at.epoch && from <= at.seq)) {
      throw new Violation(
        'duplicate or out of order',
        `${name} has ${show(entry)} after ${at.epoch}:${at.seq}`,
      )
    }
    if (entry.epoch > at.epoch) leaveFor(entry.epoch)
    if (isOpen) throw new Violation('gap not exact', `${name} has ${show(entry)} behind a gap without end`)
    if (from !== at.seq + 1) {
      throw new Violation('loss', `${name} has ${show(entry)} after ${at.epoch}:${at.seq}`)
    }
    if (entry.kind === 'record') {
      assertPublished(name, entry, truth)
      at = { epoch: entry.epoch, seq: entry.seq }
    } else if (entry.to === null) isOpen = true
    else if (entry.to < entry.from) throw new Violation('empty gap', `${name} has ${show(entry)}`)
    else at = { epoch: entry.epoch, seq: entry.to }
  }
  if (end.epoch > at.epoch) leaveFor(end.epoch)
  if (end.epoch !== at.epoch || end.seq !== at.seq) {
    throw new Violation('checkpoint', `${name} ends at ${at.epoch}:${at.seq}, says ${end.epoch}:${end.seq}`)
  }
}

function assertPublished(name: string, entry: Extract<LogEntry, { kind: 'record' }>, truth: Truth): void {
  const { epoch, seq, data } = entry
  const text = data.toString('latin1')
  const message = truth.find(entry)
  if (
    message === undefined ||
    !text.endsWith(message.mark) ||
    !text.includes(`"epoch":${epoch},"seq":${seq},`)
  ) {
    throw new Violation('never published', `${name} has ${show(entry)} with ${text}`)
  }
}

function assertNothingLeft(name: string, truth: Truth, at: Position, next: number): void {
  const certain = truth.certain(at.epoch)
  if (at.epoch === 0) return
  if (at.seq < certain) {
    throw new Violation('loss', `${name} left epoch ${at.epoch} at ${at.seq}, it reached ${certain}`)
  }
  const skipped = truth.epochsBetween(at.epoch, next)
  if (skipped.length > 0) {
    throw new Violation('loss', `${name} went from ${at.epoch} to ${next} over ${skipped.join(', ')}`)
  }
}

/** What was so when a gap was made. */
export interface GapCircumstances {
  /** Where the source stands, and the oldest it keeps. */
  readonly head: Position
  readonly oldest: Position | null
  readonly maxBehind: number
  /** Since an answer of the journal last came. */
  readonly unansweredMs: number
  readonly outOfReachMs: number
}

/** Throws `Violation` when nothing that happened explains the gap. */
export function judgeGap(
  name: string,
  gap: Extract<LogEntry, { kind: 'gap' }>,
  truth: Truth,
  now: GapCircumstances,
): void {
  if (!isExplained(gap.reason as GapReason, gap, truth, now)) {
    const { head, oldest } = now
    throw new Violation(
      'gap without cause',
      `${name} gives up ${show(gap)}; the source is at ${head.epoch}:${head.seq}, keeps from ${oldest?.epoch}:${oldest?.seq}`,
    )
  }
}

function isExplained(
  reason: GapReason,
  { epoch, from, to }: Extract<LogEntry, { kind: 'gap' }>,
  truth: Truth,
  now: GapCircumstances,
): boolean {
  switch (reason) {
    case 'retention': {
      const { oldest } = now
      if (truth.journalLost || oldest === null || to === null) return true
      return epoch < oldest.epoch || (epoch === oldest.epoch && to < oldest.seq)
    }
    case 'degraded':
      if (to === null) return truth.isUnwritten(epoch, from)
      for (let seq = from; seq <= to; seq++) if (!truth.isUnwritten(epoch, seq)) return false
      return true
    case 'corrupt':
    case 'illegible':
      return truth.diskDamaged || truth.journalLost || truth.isEndLost(epoch)
    case 'no_journal':
      return false
    case 'out_of_reach':
      return truth.journalLost || now.unansweredMs >= now.outOfReachMs
    case 'trimmed':
      // With the journal gone and the clock set back, the source may stand before what was there.
      if (truth.journalLost) return true
      return to !== null && truth.countBehind({ epoch, seq: to }, now.head) >= now.maxBehind
    case 'journal_lost':
      return truth.journalLost || truth.diskDamaged
    case 'epoch_end_unknown':
      return truth.diskDamaged || truth.isEndLost(epoch)
  }
}

const beforeOf = (entry: LogEntry): Position => ({
  epoch: entry.epoch,
  seq: (entry.kind === 'record' ? entry.seq : entry.from) - 1,
})

const show = (entry: LogEntry): string =>
  entry.kind === 'record'
    ? `${entry.epoch}:${entry.seq}`
    : `gap ${entry.epoch}:${entry.from}-${entry.to ?? '?'} ${entry.reason}`
