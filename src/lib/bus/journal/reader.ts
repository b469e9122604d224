/** Reading a journal that this process does not write: another one does right now, or nobody does any more. */

import { bootId } from '../../core/ids.js'
import type { RangeRequest } from '../range.js'
import type { EpochEntry, Lost } from './epoch-index.js'
import { RangeAnswers } from './range-answers.js'
import type { RangeAnswer } from './range-answers.js'
import type { ChunkLimits, Damage } from './segment-index.js'
import type { Segment } from './segments.js'
import type { JournalStorage } from './storage.js'
import { surveyJournal } from './survey.js'

/** What a folder held when it was opened. */
export interface JournalReader {
  /** In order. */
  readonly epochs: readonly EpochEntry[]
  /** In order of positions. */
  readonly segments: readonly Segment[]
  readonly lost: readonly Lost[]
  /** Damage at the end of epochs that nobody closed. */
  readonly damages: readonly (Damage & { readonly name: string })[]
  /** Lines of the index of epochs that could not be read. */
  readonly damagedLines: number
  /** The process that writes it; undefined when none does. */
  readonly writer: number | undefined
  /** As the publisher answers. Throws what reading a file throws. */
  answer(request: RangeRequest, limits: ChunkLimits): RangeAnswer
}

/** Reads what is there and changes nothing: what a crash left half-written is read as if it were repaired. */
export function openJournalReader(storage: JournalStorage): JournalReader {
  const writer = storage.holder()
  const { epochs, segments, damages } = surveyJournal(storage, bootId(), { isLive: writer !== undefined })
  const answers = new RangeAnswers(epochs, segments)
  const answer = (request: RangeRequest, limits: ChunkLimits): RangeAnswer => {
    for (;;) {
      const given = answers.answer(request, limits)
      if (given.kind === 'answer') return given
      answers.loaded(given.segment, storage.read(given.segment))
    }
  }
  return {
    epochs: epochs.epochs,
    segments,
    lost: epochs.lost,
    damages,
    damagedLines: epochs.damagedLines,
    writer,
    answer,
  }
}
