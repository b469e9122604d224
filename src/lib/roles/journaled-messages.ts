/** Messages by their place, out of the journals of those who published them. */

import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { readRecords } from '../bus/journal/record.js'
import type { JournalRecord } from '../bus/journal/record.js'
import { FileStorage } from '../bus/journal/storage.js'
import type { Position } from '../bus/position.js'
import { codeOf } from '../core/errors.js'
import { decode } from '../messages/codec.js'
import type { Message } from '../messages/codec.js'
import type { Env } from '../model/venue.js'

interface OpenJournal {
  readonly reader: JournalReader
  /** What was read last: the next is mostly in it. */
  page: readonly JournalRecord[]
}

const PAGE = { records: 500, bytes: 256 * 1024 }

export class JournaledMessages {
  /** By source: how many were asked for and are not there. */
  readonly missing: Record<string, number> = {}
  private readonly journals = new Map<string, OpenJournal>()

  constructor(
    private readonly dirOf: (source: string) => string,
    private readonly env: Env,
  ) {}

  /** Undefined where the journal has it no more, or cannot be read there. */
  find(place: Position & { readonly source: string }): Message | undefined {
    const record = this.record(place)
    const decoded = record === undefined ? undefined : decode(record.topic, record.data, this.env)
    if (decoded?.kind === 'message') return decoded.message
    this.missing[place.source] = (this.missing[place.source] ?? 0) + 1
    return undefined
  }

  private record({ source, epoch, seq }: Position & { readonly source: string }): JournalRecord | undefined {
    let journal = this.journals.get(source)
    if (journal === undefined) {
      journal = { reader: openJournalReader(new FileStorage(this.dirOf(source))), page: [] }
      this.journals.set(source, journal)
    }
    const inPage = recordOf(journal.page, { epoch, seq })
    if (inPage !== undefined) return inPage
    try {
      journal.page = readRecords(journal.reader.answer({ epoch, from: seq }, PAGE).bytes) ?? []
    } catch (error) {
      // Its publisher lives, and keeps it no longer.
      if (codeOf(error) !== 'ENOENT') throw error
      journal.page = []
    }
    return recordOf(journal.page, { epoch, seq })
  }
}

/** A page is without holes. */
function recordOf(page: readonly JournalRecord[], { epoch, seq }: Position): JournalRecord | undefined {
  const [first] = page
  return first?.epoch === epoch ? page[seq - first.seq] : undefined
}
