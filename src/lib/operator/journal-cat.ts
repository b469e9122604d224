/** `arbees journal cat`: the messages of a journal, oldest first, with what is missing between them. */

import { epochPages } from '../bus/journal/epoch-pages.js'
import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import type { JournalRecord } from '../bus/journal/record.js'
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

/** Throws `NO_JOURNAL`. */
export async function catJournal(options: CatOptions): Promise<CatSummary> {
  const { count = Infinity, from, out } = options
  let messages = 0
  let missing = 0
  for (const { source, storage } of findJournals(options.dir)) {
    const journal = openJournalReader(storage)
    const starts = startsOf(journal, options)
    for (const [index, { epoch, first }] of starts.entries()) {
      const pages = epochPages(journal, epoch, index === 0 ? (from ?? first) : first)
      for (const { records, hole, next } of pages) {
        const lines = linesOf(source, records, options.format).slice(0, count - messages)
        for (const line of lines) await out(line)
        messages += lines.length
        if (hole !== null) {
          missing += next - hole.from
          await out(options.format.gap({ source, epoch, ...hole }))
        }
        if (messages >= count) return { messages, missing }
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

function linesOf(source: string, records: readonly JournalRecord[], format: TapFormat): string[] {
  return records.map(({ topic, epoch, seq, timestampMs, data }) =>
    format.item({ topic, source, epoch, seq, timestampMs, text: data.toString('utf8') }),
  )
}
