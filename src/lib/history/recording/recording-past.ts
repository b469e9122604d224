/** A recording as a past: a folder that `arbees record` wrote, or one file of lines. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Gap } from '../../bus/gap.js'
import type { Position } from '../../bus/position.js'
import { ArbeesError, EXIT } from '../../core/errors.js'
import { SourcePast, isUnguarded } from '../past.js'
import type { Past, PastItem, PastPages } from '../past.js'
import type { TimeSpan } from '../merge.js'
import type { RecordingLine } from './line.js'
import { readSegment } from './read-segment.js'
import { RecordingFolder } from './recording-folder.js'

/**
 * A past for each source of a folder, one for a file; of each no more than the last `last` within the times is wanted.
 * Throws `NO_RECORDING` (usage).
 */
export function openRecording(path: string, times: TimeSpan, last?: number): (() => Past)[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isFile() === true) return [() => readFiles([path], { times, last, isLive: false })]
  const folder = new RecordingFolder(path)
  const sources = stat === undefined ? [] : folder.sources()
  if (sources.length === 0) {
    throw new ArbeesError('NO_RECORDING', `no recording is at ${resolve(path)}`, {
      exit: EXIT.USAGE,
      hint: 'name the folder of arbees record, or a file of arbees replay --to-file',
    })
  }
  const { isLive } = folder
  return sources.map(({ segments }) => {
    const paths = segments.map((segment) => segment.path)
    return () => readFiles(paths, { times, last, isLive })
  })
}

/** Where each source of a folder ends: everything up to there is in it, or is recorded as missing. */
export async function recordedPositions(folder: RecordingFolder): Promise<Map<string, Position>> {
  const positions = new Map<string, Position>()
  for (const { source, segments } of folder.sources()) {
    const newest = segments.at(-1)
    if (newest === undefined) continue
    let at: Position = { epoch: newest.first.epoch, seq: newest.first.seq - 1 }
    for await (const lines of readSegment(newest.path)) {
      for (const line of lines) at = positionOf(line) ?? at
    }
    positions.set(source, at)
  }
  return positions
}

/** Everything up to there is settled by this line; undefined for one that says nothing of it. */
export function positionOf(line: RecordingLine | undefined): Position | undefined {
  if (line?.kind === 'message') return { epoch: line.epoch, seq: line.seq }
  return line?.kind === 'gap' ? { epoch: line.gap.epoch, seq: line.gap.to ?? line.gap.from - 1 } : undefined
}

interface ReadOptions {
  readonly times: TimeSpan
  readonly last: number | undefined
  /** Somebody still writes the last file. */
  readonly isLive: boolean
}

async function* readFiles(paths: readonly string[], { times, last, isLive }: ReadOptions): PastPages {
  const start = await firstFile(paths, times, last)
  const pasts = new Map<string, SourcePast>()
  const isAsked = start === 0 && times.sinceMs > -Infinity
  const pastOf = (source: string): SourcePast => {
    const past = pasts.get(source) ?? new SourcePast(source, isAsked ? seamReason : undefined)
    pasts.set(source, past)
    return past
  }
  /** Why something is not there between two messages that can be read. */
  let seamReason: Gap['reason'] | undefined = 'missed'
  let holeReason: Gap['reason'] | undefined = seamReason
  let isWhole = true
  for (const path of paths.slice(start)) {
    // A file that was torn ends anywhere.
    if (!isWhole) holeReason = 'corrupt'
    isWhole = false
    for await (const lines of readSegment(path)) {
      const items: PastItem[] = []
      for (const line of lines) {
        if (line === undefined) holeReason = 'corrupt'
        else if (line.kind === 'end') isWhole = true
        else if (line.kind === 'selection') holeReason = seamReason = undefined
        else if (line.kind === 'gap') pastOf(line.gap.source).gap(line.gap, holeReason)
        else if (isUnguarded(line)) items.push(line)
        else {
          pastOf(line.source).message(line, holeReason, items)
          holeReason = seamReason
        }
      }
      yield items
      if ((items.at(-1)?.timestampMs ?? 0) > times.untilMs && pasts.size === 1) return
    }
  }
  const rest: PastItem[] = []
  for (const past of pasts.values()) {
    const { position, source } = past
    if (!isWhole && !isLive && position !== undefined) {
      past.gap(
        { source, epoch: position.epoch, from: position.seq + 1, to: null, reason: 'corrupt' },
        'corrupt',
      )
    }
    past.end(rest)
  }
  yield rest
}

/** The last file that nothing before is wanted of. */
async function firstFile(
  paths: readonly string[],
  { sinceMs, untilMs }: TimeSpan,
  wanted = Infinity,
): Promise<number> {
  if (sinceMs === -Infinity && wanted === Infinity) return 0
  let found = 0
  for (let i = paths.length - 1; i > 0; i--) {
    let beganMs: number | undefined
    for await (const lines of readSegment(paths[i] ?? '')) {
      const times = lines.flatMap((line) => (line?.kind === 'message' ? [line.timestampMs] : []))
      beganMs ??= times[0]
      if (wanted === Infinity && beganMs !== undefined) break
      found += times.filter((ms) => ms <= untilMs).length
    }
    if ((beganMs ?? Infinity) < sinceMs || found >= wanted) return i
  }
  return 0
}
