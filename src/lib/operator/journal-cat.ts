/** `arbees journal cat`: the messages of a journal, oldest first, with what is missing between them. */

import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { readRecords } from '../bus/journal/record.js'
import type { RangeAnswer } from '../bus/journal/range-answers.js'
import { findJournals } from './journal-folders.js'
import type { TapFormat } from './tap-format.js'

export interface CatOptions {
  /** Folder of the source's journal. */
  readonly dir: string
  /** This epoch alone; every one that has messages when not said. */
  readonly epoch: number | undefined
  /** The first message, in the first epoch that is shown; the oldest on disk when not said. */
  readonly from: number | undefined
  /** So many messages at most. */
  readonly count: number | undefined
  readonly format: TapFormat
  /** Takes a line; resolves when there is room for more. */
  readonly out: (line: string) => Promise<void>
}

export interface CatSummary {
  readonly messages: number
  /** Messages that are missing between those shown. */
  readonly missing: number
}

const CHUNK = { records: 500, bytes: 256 * 1024 }

/** Throws `NO_JOURNAL`. */
export async function catJournal(options: CatOptions): Promise<CatSummary> {
  const { count = Infinity, from, out } = options
  let messages = 0
  let missing = 0
  for (const { source, storage } of findJournals(options.dir)) {
    const journal = openJournalReader(storage)
    const starts = startsOf(journal, options)
    for (const [index, { epoch, first }] of starts.entries()) {
      let seq = index === 0 ? (from ?? first) : first
      while (messages < count) {
        const answer = journal.answer({ epoch, from: seq }, CHUNK)
        const lines = linesOf(source, answer, options.format).slice(0, count - messages)
        for (const line of lines) await out(line)
        messages += lines.length
        const { hole } = answer
        const next = hole === null ? seq + answer.count : (hole.to ?? answer.last) + 1
        if (hole !== null) {
          missing += next - seq
          await out(options.format.gap({ source, epoch, from: seq, to: hole.to, reason: hole.reason }))
        }
        if (next === seq) break
        seq = next
      }
    }
  }
  return { messages, missing }
}

/** Where each epoch that is shown begins. */
function startsOf(
  { epochs, segments }: JournalReader,
  { epoch: wanted }: CatOptions,
): { readonly epoch: number; readonly first: number }[] {
  return epochs
    .filter(({ epoch }) => wanted === undefined || epoch === wanted)
    .flatMap(({ epoch }) => segments.find((segment) => segment.epoch === epoch) ?? [])
    .map(({ epoch, first }) => ({ epoch, first }))
}

function linesOf(source: string, { bytes }: RangeAnswer, format: TapFormat): string[] {
  return (readRecords(bytes) ?? []).map(({ topic, epoch, seq, timestampMs, data }) =>
    format.item({ topic, source, epoch, seq, timestampMs, text: data.toString('utf8') }),
  )
}
