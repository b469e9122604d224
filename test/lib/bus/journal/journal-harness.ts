/** A journal on a disk in memory, and what a reader gets out of one. */

import { expect } from 'vitest'
import { Journal } from '../../../../src/lib/bus/journal/journal.js'
import { readRecords } from '../../../../src/lib/bus/journal/record.js'
import type { LoadFirst, RangeAnswer } from '../../../../src/lib/bus/journal/range-answers.js'
import type { ChunkLimits } from '../../../../src/lib/bus/journal/segment-index.js'
import type { JournalStorage } from '../../../../src/lib/bus/journal/storage.js'
import type { HoleReason, RangeRequest } from '../../../../src/lib/bus/range.js'
import { ManualClock } from '../../../../src/lib/core/clock.js'

const SOURCE = 'kalshi.prices'
const TOPIC = Buffer.from('prices.kalshi.KX-1')
export const textOf = (seq: number): string => `{"v":1,"seq":${seq},"team":"Köln"}`

export interface Opened {
  readonly journal: Journal
  readonly notices: string[]
}

export function openJournal(
  storage: JournalStorage,
  {
    clock = new ManualClock(),
    retainBytes = 1_000_000,
    bootId = 'boot-1',
    epochFloor = 0,
  }: { clock?: ManualClock; retainBytes?: number; bootId?: string; epochFloor?: number } = {},
): Opened {
  const notices: string[] = []
  const onNotice = (text: string) => void notices.push(text)
  const journal = Journal.open({
    ...{ storage, source: SOURCE, clock, retainBytes, bootId, epochFloor, onNotice },
  })
  return { journal, notices }
}

/** Stages and flushes messages `from` to `to`, one flush each; says of each whether it is on disk. */
export function publish(journal: Journal, from: number, to: number, timestampMs = 1_000): boolean[] {
  return Array.from({ length: to - from + 1 }, (_, i) => {
    journal.stage(from + i, timestampMs, TOPIC, textOf(from + i))
    return journal.flush()
  })
}

export function stage(journal: Journal, seq: number, text = textOf(seq)): Buffer {
  return journal.stage(seq, 1_000, TOPIC, text)
}

/** What a reader was told of one epoch, from message 1 on. */
export interface Told {
  readonly seqs: readonly number[]
  readonly holes: readonly { readonly from: number; readonly to: number; readonly reason: HoleReason }[]
  readonly last: number
  readonly end: 'known' | 'unknown' | null
}

interface Answering {
  answer(request: RangeRequest, limits: ChunkLimits): RangeAnswer | LoadFirst
  loaded?(segment: string, bytes: Buffer): void
}

export function ask(
  journal: Answering,
  storage: JournalStorage,
  request: RangeRequest,
  limits = LIMITS,
): RangeAnswer {
  for (;;) {
    const answer = journal.answer(request, limits)
    if (answer.kind === 'answer') return answer
    journal.loaded?.(answer.segment, storage.read(answer.segment))
  }
}

const LIMITS: ChunkLimits = { records: 500, bytes: 256 * 1024 }

/** Reads an epoch to its end; every record must be what was published. */
export function readEpoch(journal: Answering, storage: JournalStorage, epoch: number, limits = LIMITS): Told {
  const seqs: number[] = []
  const holes: { from: number; to: number; reason: HoleReason }[] = []
  let from = 1
  for (;;) {
    const { bytes, count, hole, last, end } = ask(journal, storage, { epoch, from }, limits)
    const records = readRecords(bytes) ?? []
    expect(records).toHaveLength(count)
    records.forEach((record, i) => {
      expect(record).toMatchObject({ epoch, seq: from + i, topic: TOPIC.toString() })
      expect(record.data.toString()).toBe(textOf(record.seq))
    })
    seqs.push(...records.map(({ seq }) => seq))
    if (hole !== null) holes.push({ from, to: hole.to ?? -1, reason: hole.reason })
    const next = hole === null ? from + count : (hole.to ?? last) + 1
    if (next === from) return { seqs, holes, last, end }
    from = next
  }
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
