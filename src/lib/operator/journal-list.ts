/** `arbees journal ls`: what each journal holds, by epoch, without reading the messages. */

import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { findJournals } from './journal-folders.js'

export interface ListedEpoch {
  readonly epoch: number
  /** Messages published, as far as the journal knows. */
  readonly published: number
  /** First message on disk; null when none is left. */
  readonly first: number | null
  readonly last: number | null
  readonly segments: number
  readonly bytes: number
  /** Published and never written: the disk was full. */
  readonly holes: readonly { readonly from: number; readonly to: number }[]
  /** `open` while its publisher lives, `unknown` after a crash of the machine. */
  readonly end: 'open' | 'known' | 'unknown'
}

export interface ListedJournal {
  readonly source: string
  /** Process that writes it; null when none does. */
  readonly writer: number | null
  readonly segments: number
  readonly bytes: number
  /** Of the source's epochs, oldest first, those that have messages on disk and the newest. */
  readonly epochs: readonly ListedEpoch[]
  /** Epochs known by name alone: their messages are gone. */
  readonly epochs_gone: number
}

export interface JournalListing {
  readonly journals: readonly ListedJournal[]
}

/** The journals in `dir`. Throws `NO_JOURNAL`. */
export function listJournals(dir: string): JournalListing {
  return {
    journals: findJournals(dir).map(({ source, storage }) =>
      describeJournal(source, openJournalReader(storage)),
    ),
  }
}

function describeJournal(source: string, journal: JournalReader): ListedJournal {
  const { epochs, segments, writer } = journal
  const all = epochs.map(({ epoch }) => describeEpoch(journal, epoch))
  const shown = all.filter((each, index) => each.segments > 0 || index === all.length - 1)
  return {
    source,
    writer: writer ?? null,
    segments: segments.length,
    bytes: sumOf(segments),
    epochs: shown,
    epochs_gone: all.length - shown.length,
  }
}

function describeEpoch({ epochs, segments, lost }: JournalReader, epoch: number): ListedEpoch {
  const { last = 0, end = null } = epochs.find((each) => each.epoch === epoch) ?? {}
  const own = segments.filter((each) => each.epoch === epoch)
  const first = own[0]?.first ?? null
  const holes = lost.filter((each) => each.epoch === epoch).map(({ from, to }) => ({ from, to }))
  return {
    epoch,
    published: last,
    first,
    last: first === null ? null : lastOnDisk(last, holes),
    segments: own.length,
    bytes: sumOf(own),
    holes,
    end: end ?? 'open',
  }
}

/** The last message that is no part of a hole at the end. */
const lastOnDisk = (last: number, holes: readonly { readonly from: number; readonly to: number }[]): number =>
  holes.reduceRight((to, hole) => (hole.to === to ? hole.from - 1 : to), last)

const sumOf = (files: readonly { readonly bytes: number }[]): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0)
