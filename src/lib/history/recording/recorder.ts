/**
 * Records the bus without holes: begins where its folder ends, and after every failure begins there again. What it
 * missed meanwhile is pulled from the publishers' journals.
 */

import { NOWHERE, isBefore, laterOf } from '../../bus/position.js'
import type { Position } from '../../bus/position.js'
import { sleep } from '../../core/backoff.js'
import { isUnguarded } from '../past.js'
import type { PastItem } from '../past.js'
import { readLive } from '../live-past.js'
import type { LivePastOptions } from '../live-past.js'
import type { RecordingFolder } from './recording-folder.js'
import { positionOf, recordedPositions } from './recording-past.js'
import { RecordingWriter } from './recording-writer.js'
import type { RecordingLimits } from './recording-writer.js'

export interface RecorderOptions {
  readonly folder: RecordingFolder
  readonly limits: RecordingLimits
  readonly live: Omit<LivePastOptions, 'startAt'>
  /** Messages after which it ends; never, when not given. */
  readonly count?: number | undefined
  /**
   * What was written, a page at a time, each once, also where it is written again after a failure; those of first-design
   * senders are left out.
   */
  readonly onRecorded: (items: readonly PastItem[]) => void
  /** Nothing can be written; it is tried again until something can. */
  readonly onFailure: (error: unknown) => void
}

const RETRY_MS = 1_000

/**
 * Ends with the signal or the count, every file closed. Throws what the first attempt throws before it has written
 * anything, and what kept one from writing what none after it has written: then the end is not in the recording.
 */
export async function record(options: RecorderOptions, signal: AbortSignal): Promise<void> {
  const { folder, limits, live, count = Infinity, onRecorded, onFailure } = options
  let left = count
  let hasWritten = false
  const furthest = new Map<string, Position>()
  const isNews = (item: PastItem): boolean => {
    const { source, ...place } = endOf(item)
    return isBefore(furthest.get(source) ?? NOWHERE, place)
  }
  let failure: unknown
  /** Whatever was to be written. */
  const taken = new Map<string, Position>()
  for (;;) {
    const writer = new RecordingWriter(folder, limits, live.reader.clock)
    try {
      const positions = await recordedPositions(folder)
      const written = new Map(positions)
      const startAt = (source: string) => positions.get(source) ?? ('live' as const)
      for await (const page of readLive({ ...live, startAt }, signal)) {
        // Nothing numbers what first-design senders send: no recording could say that it is whole.
        const guarded = page.filter((item) => item.kind === 'gap' || !isUnguarded(item))
        const items = firstOf(guarded, left, isNews)
        note(items, taken)
        await writer.write(items)
        note(items, written)
        hasWritten ||= items.length > 0
        const news = items.filter(isNews)
        for (const item of news) furthest.set(endOf(item).source, endOf(item))
        onRecorded(news)
        left -= news.filter(({ kind }) => kind === 'message').length
        if (left <= 0 && !isShort(written, taken)) break
      }
      await writer.close()
      if (!isShort(written, taken)) return
    } catch (error) {
      writer.abandon()
      if (!hasWritten) throw error
      failure = error
      onFailure(error)
    }
    if ((await sleep(RETRY_MS, signal)) === 'aborted') throw failure
  }
}

function endOf(item: PastItem): Position & { readonly source: string } {
  if (item.kind === 'message') return { source: item.source, epoch: item.epoch, seq: item.seq }
  const { source, epoch, from, to } = item.gap
  return { source, epoch, seq: to ?? from }
}

/** So many messages that are news, and what comes before the next. */
function firstOf(
  items: readonly PastItem[],
  count: number,
  isNews: (item: PastItem) => boolean,
): readonly PastItem[] {
  let left = count
  const end = items.findIndex((item) => item.kind === 'message' && isNews(item) && left-- <= 0)
  return end === -1 ? items : items.slice(0, end)
}

/** Takes down how far each source has come. */
function note(items: readonly PastItem[], positions: Map<string, Position>): void {
  for (const item of items) {
    const source = item.kind === 'gap' ? item.gap.source : item.source
    const at = positionOf(item)
    if (at !== undefined) positions.set(source, laterOf(positions.get(source) ?? at, at))
  }
}

const isShort = (written: ReadonlyMap<string, Position>, of: ReadonlyMap<string, Position>): boolean =>
  [...of].some(([source, at]) => {
    const has = written.get(source)
    return has === undefined || isBefore(has, at)
  })
