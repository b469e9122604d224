/** A recording as a past: a folder that `arbees record` wrote, or one file of lines. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Gap } from '../../bus/gap.js'
import type { Position } from '../../bus/position.js'
import { ArbeesError, EXIT, codeOf } from '../../core/errors.js'
import { SourcePast, isUnguarded } from '../past.js'
import type { Past, PastItem, PastPages } from '../past.js'
import type { TimeSpan } from '../merge.js'
import type { RecordingLine } from './line.js'
import { readSegment } from './read-segment.js'
import { RecordingFolder } from './recording-folder.js'
import type { RecordedSegment, RecordedSource } from './recording-folder.js'

/**
 * A past for each source of a folder, one for a file; of each no more than the last `last` within the times is wanted.
 * Throws `NO_RECORDING` (usage); the past of a file throws `ILLEGIBLE_RECORDING` (exit 8).
 */
export function openRecording(path: string, times: TimeSpan, last?: number): (() => Past)[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isFile() === true) return [() => readFile(path, times)]
  const folder = new RecordingFolder(path)
  const sources = stat === undefined ? [] : folder.sources()
  if (sources.length === 0) {
    throw new ArbeesError('NO_RECORDING', `no recording is at ${resolve(path)}`, {
      exit: EXIT.USAGE,
      hint: 'name the folder of arbees record, or a file of arbees replay --to-file',
    })
  }
  const { isLive } = folder
  return sources.map((recorded) => {
    let start: Promise<number> | undefined
    return () => readSource(recorded, (start ??= firstFile(recorded.segments, times, last)), times, isLive)
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

/** Reads lines of any sources: drops what comes twice, and names what is missing. */
class Lines {
  readonly pasts = new Map<string, SourcePast>()
  /** Nothing that was read says that the file ends here. */
  isOpen = true
  /** Some line of the file could be read. */
  isLegible = false
  /** What came last of the file could not. */
  isDamaged = false
  /** Why something is not there between two messages that can be read. */
  private seamReason: Gap['reason'] | undefined = 'missed'
  private holeReason: Gap['reason'] | undefined = 'missed'

  constructor(private readonly times: TimeSpan) {}

  pastOf(source: string): SourcePast {
    const asksBefore = this.times.sinceMs > -Infinity ? this.seamReason : undefined
    const past = this.pasts.get(source) ?? new SourcePast(source, asksBefore)
    this.pasts.set(source, past)
    return past
  }

  /** Something is not there from here on, up to what can be read next. */
  lack(reason: Gap['reason']): void {
    this.holeReason = reason
  }

  /** Throws what reading a file throws. */
  async *read(path: string): PastPages {
    this.isOpen = true
    this.isLegible = false
    this.isDamaged = false
    for await (const lines of readSegment(path)) {
      const items: PastItem[] = []
      for (const line of lines) this.take(line, items)
      yield items
    }
  }

  /** Of a file that was torn nobody knows how far it went. */
  end(isTorn: boolean): readonly PastItem[] {
    const items: PastItem[] = []
    for (const past of this.pasts.values()) {
      const { position, source } = past
      if (isTorn && position !== undefined) {
        const { epoch, seq } = position
        past.gap({ source, epoch, from: seq + 1, to: null, reason: 'corrupt' }, 'corrupt')
      }
      past.end(items, isTorn ? Infinity : undefined)
    }
    return items
  }

  private take(line: RecordingLine | undefined, items: PastItem[]): void {
    this.isDamaged = line === undefined
    if (line === undefined) return this.lack('corrupt')
    this.isLegible = true
    if (line.kind === 'end') this.isOpen = false
    else if (line.kind === 'selection') this.holeReason = this.seamReason = undefined
    else if (line.kind === 'gap') this.pastOf(line.gap.source).gap(line.gap, this.holeReason)
    else if (isUnguarded(line)) items.push(line)
    else {
      this.pastOf(line.source).message(line, this.holeReason, items)
      this.holeReason = this.seamReason
    }
  }
}

async function* readFile(path: string, times: TimeSpan): PastPages {
  const lines = new Lines(times)
  for await (const page of lines.read(path)) {
    yield page
    if (isBehind(page, times) && lines.pasts.size === 1) return
  }
  if (!lines.isLegible) {
    throw new ArbeesError('ILLEGIBLE_RECORDING', `not one line of ${resolve(path)} can be read`, {
      exit: EXIT.INTEGRITY,
      hint: 'name the folder of arbees record, or a file of arbees replay --to-file',
    })
  }
  yield lines.end(lines.isOpen)
}

const isBehind = (page: readonly PastItem[], { untilMs }: TimeSpan): boolean =>
  (page.at(-1)?.timestampMs ?? 0) > untilMs

async function* readSource(
  { source, segments }: RecordedSource,
  start: Promise<number>,
  times: TimeSpan,
  isLive: boolean,
): PastPages {
  const files = segments.slice(await start)
  const lines = new Lines(times)
  const past = lines.pastOf(source)
  beginAt(past, files[0], (await start) === 0 && times.sinceMs > -Infinity)
  for (const [i, file] of files.entries()) {
    const isLast = i === files.length - 1
    let reason: Gap['reason'] = 'corrupt'
    // A file that was torn ends anywhere.
    if (i > 0 && lines.isOpen) lines.lack(reason)
    try {
      for await (const page of lines.read(file.path)) {
        yield page
        if (isBehind(page, times)) return
      }
    } catch (error) {
      // Its recorder has removed it since: it keeps no more than it was told.
      if (codeOf(error) !== 'ENOENT') throw error
      reason = 'retention'
    }
    if (!lines.isLegible && !(isLast && isLive)) lackFile(past, file, files[i + 1], reason)
    else if (lines.isDamaged && !isLast) lackEnd(past, files[i + 1], reason)
  }
  yield lines.end(lines.isOpen && !isLive)
}

/** What lies before its first file is missing where it was asked for. */
function beginAt(past: SourcePast, file: RecordedSegment | undefined, isAsked: boolean): void {
  if (file === undefined) return
  const { epoch, seq } = file.first
  if (!isAsked || seq === 1) past.beginBehind({ epoch, seq: seq - 1 })
  else past.gap({ source: past.source, epoch, from: 1, to: seq - 1, reason: 'missed' }, undefined)
}

/** All of a file is missing: up to where the next one begins. */
function lackFile(
  past: SourcePast,
  { first: { epoch, seq } }: RecordedSegment,
  next: RecordedSegment | undefined,
  reason: Gap['reason'],
): void {
  const to = next?.first.epoch === epoch ? next.first.seq - 1 : null
  past.gap({ source: past.source, epoch, from: seq, to, reason }, reason)
}

/** What comes next is of another epoch: nobody knows how this one ended. */
function lackEnd(past: SourcePast, next: RecordedSegment | undefined, reason: Gap['reason']): void {
  const { position, source } = past
  if (position === undefined || next === undefined || next.first.epoch <= position.epoch) return
  past.gap({ source, epoch: position.epoch, from: position.seq + 1, to: null, reason }, reason)
}

/** The last file that nothing before is wanted of. */
async function firstFile(
  segments: readonly RecordedSegment[],
  { sinceMs, untilMs }: TimeSpan,
  wanted = Infinity,
): Promise<number> {
  if (sinceMs === -Infinity && wanted === Infinity) return 0
  let found = 0
  for (let i = segments.length - 1; i > 0; i--) {
    let beganMs: number | undefined
    for await (const lines of readIfThere(segments[i]?.path ?? '')) {
      const times = lines.flatMap((line) => (line?.kind === 'message' ? [line.timestampMs] : []))
      beganMs ??= times[0]
      if (wanted === Infinity && beganMs !== undefined) break
      found += times.filter((ms) => ms <= untilMs).length
    }
    if ((beganMs ?? Infinity) < sinceMs || found >= wanted) return i
  }
  return 0
}

/** Nothing of a file that its recorder has removed since. */
async function* readIfThere(path: string): ReturnType<typeof readSegment> {
  try {
    yield* readSegment(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
