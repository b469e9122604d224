/** A journal whose publisher is gone for good, into Redis: the mirror's core, fed from files instead of a socket. */

import { readRecords } from '../bus/journal/record.js'
import type { JournalReader } from '../bus/journal/reader.js'
import type { Position } from '../bus/position.js'
import type { RangeReply, RangeRequest } from '../bus/range.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import type { GapStep, MirrorRecord } from './item.js'
import { MirrorCore } from './mirror-core.js'
import type { MirrorAction, Settled } from './mirror-core.js'
import { mirrorReply } from './pulled.js'
import type { Channel } from './pulled.js'
import type { BatchWriter } from './writer.js'

export interface DrainOptions {
  readonly journal: JournalReader
  readonly channel: Channel
  readonly writer: BatchWriter
  /** Entries that the channel's stream keeps. */
  readonly maxBehind: number
}

export interface Drained {
  readonly written: number
  readonly gaps: readonly GapStep[]
  /** What Redis holds now. */
  readonly position: Position
  /** Where the journal ends. */
  readonly end: Position & { readonly isKnown: boolean }
}

/** Between two steps, as the core counts time: nothing here waits for a clock. */
const STEP_MS = 50
const CHUNK = { records: 500, bytes: 256 * 1024 }

/**
 * Writes what Redis does not have. Undefined for a journal that nothing was ever written to. Throws `DRAIN_REFUSED`
 * when Redis refuses a record, and what ioredis and reading a file throw; what was written by then stays, and the next
 * drain goes on behind it.
 */
export async function drainJournal({
  journal,
  channel,
  writer,
  maxBehind,
}: DrainOptions): Promise<Drained | undefined> {
  const newest = journal.epochs.at(-1)
  if (newest === undefined) return undefined
  const { epoch, last: seq } = newest
  const isKnown = newest.end === 'known'
  const core = new MirrorCore({ maxBehind })
  const gaps: GapStep[] = []
  let written = 0
  for (let nowMs = 0; ; nowMs += STEP_MS) {
    core.beat({ epoch, seq, closing: isKnown, journal: true }, nowMs)
    const action = core.nextAction(nowMs)
    if (action !== undefined) {
      const settled = await perform(action, core, writer, nowMs)
      written += settled.written
      gaps.push(...settled.gaps)
    }
    const { position } = core
    if (position !== undefined && !core.isBehind) {
      return { written, gaps, position, end: { epoch, seq, isKnown } }
    }
    const request = core.nextRequest(nowMs)
    if (request !== undefined) core.onReply(replyTo(request, journal, channel), nowMs)
  }
}

async function perform(
  action: MirrorAction,
  core: MirrorCore,
  writer: BatchWriter,
  nowMs: number,
): Promise<Settled> {
  if (action.kind === 'read') return core.onRead(await writer.readCheckpoint(), nowMs)
  const result = await writer.write(action.base, action.items)
  if (result.status !== 'ERROR' && result.status !== 'BROKEN_BATCH') return core.onWritten(result, nowMs)
  throw new ArbeesError('DRAIN_REFUSED', `Redis refuses what follows: ${result.message}`, {
    exit: EXIT.FAILED,
    hint: 'mend what it says and drain again: it goes on where it stopped',
  })
}

function replyTo(request: RangeRequest, journal: JournalReader, channel: Channel): RangeReply<MirrorRecord> {
  const { epoch, from, known, hole, last, end, next, bytes } = journal.answer(request, CHUNK)
  const records = (readRecords(bytes) ?? []).map((value) => ({ seq: value.seq, value }))
  return mirrorReply({ epoch, from, known, records, hole, last, end, next }, channel)
}
