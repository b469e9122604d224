/** What lies in a journal's folder, and what follows from it: how far each epoch got, and whether that was its end. */

import { EpochIndex } from './epoch-index.js'
import type { EpochEntry } from './epoch-index.js'
import { readRecord } from './record.js'
import { indexSegment } from './segment-index.js'
import type { Damage, SegmentContent } from './segment-index.js'
import type { Segment } from './segments.js'
import { parseSegmentName } from './segment-name.js'
import type { JournalStorage } from './storage.js'

export const EPOCHS_FILE = 'epochs'
/** There while everything that the newest epoch published is on disk: removing it needs no space on a full disk. */
export const INTACT_FILE = 'intact'

export interface Survey {
  readonly epochs: EpochIndex
  /** In order of positions. */
  readonly segments: readonly Segment[]
  /** Files of segments that nothing was written to. */
  readonly empty: readonly string[]
  /** Damage in the newest segments of epochs whose end nobody wrote down. */
  readonly damages: readonly (Damage & { readonly name: string })[]
}

/**
 * Reads the folder and changes nothing. With `isLive` its newest epoch goes on: another process writes it right now.
 */
export function surveyJournal(storage: JournalStorage, bootId: string, { isLive = false } = {}): Survey {
  const names = storage.list()
  const epochs = names.includes(EPOCHS_FILE)
    ? EpochIndex.parse(storage.read(EPOCHS_FILE).toString('utf8'))
    : EpochIndex.empty()
  const files = listSegments(storage, names)
  const segments = files.filter(({ bytes }) => bytes > 0)
  addMissingEpochs(epochs, segments)
  const damages: (Damage & { name: string })[] = []
  const newest = epochs.epochs.at(-1)
  for (const entry of epochs.epochs) {
    if (entry.end !== null) continue
    const tail = readTail(storage, segments, entry.epoch)
    damages.push(...tail.damages)
    const isNewest = entry === newest
    const isWhole = isNewest && entry.boot === bootId && names.includes(INTACT_FILE)
    const closed = closeEpoch(entry, { epochs, segments, tail, isWhole })
    epochs.set(isLive && isNewest ? { ...closed, end: null } : closed)
  }
  // A damaged line may have been all that told of a later life: only a successor would name it.
  if (epochs.damagedLines > 0 && newest !== undefined && !isLive) {
    epochs.set({ ...newest, ...epochs.get(newest.epoch), end: 'unknown' })
  }
  const empty = files.filter(({ bytes }) => bytes === 0).map(({ name }) => name)
  return { epochs, segments, empty, damages }
}

function listSegments(storage: JournalStorage, names: readonly string[]): Segment[] {
  return names
    .flatMap((name): Segment[] => {
      const position = parseSegmentName(name)
      if (position === undefined) return []
      return [{ name, ...position, bytes: storage.size(name), content: undefined }]
    })
    .sort((a, b) => a.epoch - b.epoch || a.first - b.first)
}

/** Epochs that segments or their successors name, and the index does not. */
function addMissingEpochs(epochs: EpochIndex, segments: readonly Segment[]): void {
  const predecessors = epochs.epochs.slice(1).map(({ after }) => after)
  for (const epoch of [...predecessors, ...segments.map((segment) => segment.epoch)]) {
    if (epoch === 0 || epochs.get(epoch) !== undefined) continue
    const before = epochs.epochs.findLast((each) => each.epoch < epoch)
    const after = before?.epoch ?? 0
    epochs.set({ epoch, after, boot: '', last: 0, end: null, newestSegment: 0, timestampMs: 0 })
  }
}

interface Tail {
  /** Last message that can be read; 0 when there is none. */
  readonly last: number
  readonly timestampMs: number
  readonly damages: readonly (Damage & { readonly name: string })[]
}

/** The end of an epoch as its newest segments show it. */
function readTail(storage: JournalStorage, segments: readonly Segment[], epoch: number): Tail {
  const damages: (Damage & { name: string })[] = []
  for (const { name, first } of segments.filter((each) => each.epoch === epoch).reverse()) {
    const content = indexSegment(storage.read(name), { epoch, seq: first }, { thorough: true })
    damages.push(...content.damages.map((damage) => ({ ...damage, name })))
    const { last } = content
    if (last > 0) return { last, timestampMs: timestampOf(content), damages }
  }
  return { last: 0, timestampMs: 0, damages }
}

function timestampOf({ bytes, runs, last }: SegmentContent): number {
  const read = readRecord(bytes, runs.at(-1)?.offsetOf(last, bytes) ?? 0)
  return read.kind === 'record' ? read.record.timestampMs : 0
}

/** The entry of an epoch that nobody closed. */
function closeEpoch(
  entry: EpochEntry,
  {
    epochs,
    segments,
    tail,
    isWhole,
  }: {
    readonly epochs: EpochIndex
    readonly segments: readonly Segment[]
    readonly tail: Tail
    readonly isWhole: boolean
  },
): EpochEntry {
  const { epoch, newestSegment } = entry
  const lost = epochs.lost.filter((each) => each.epoch === epoch).map(({ to }) => to)
  const accounted = Math.max(tail.last, ...lost)
  const hasNewest =
    newestSegment === 0 || segments.some((each) => each.epoch === epoch && each.first >= newestSegment)
  const isCut = tail.damages.some(({ to, isTorn }) => to === null && !isTorn)
  const isKnown = isWhole && hasNewest && !isCut && entry.last <= accounted
  return {
    ...entry,
    last: Math.max(entry.last, accounted),
    end: isKnown ? 'known' : 'unknown',
    timestampMs: Math.max(entry.timestampMs, tail.timestampMs),
  }
}
