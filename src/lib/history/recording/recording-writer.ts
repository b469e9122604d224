/** Writes a recording: a file at a time for each source, closed when it is large or old enough. */

import type { Position } from '../../bus/position.js'
import type { Clock } from '../../core/clock.js'
import type { PastItem } from '../past.js'
import { lineOf } from './line.js'
import type { RecordingFolder } from './recording-folder.js'
import { SegmentFile } from './segment-file.js'

export interface RecordingLimits {
  /** Compressed bytes of a file, about. */
  readonly segmentBytes: number
  /** A file is closed after so long. */
  readonly segmentMs: number
  /** Kept of the whole recording, about. */
  readonly retainBytes: number
}

interface OpenSegment {
  readonly file: SegmentFile
  readonly openedMs: number
}

/** What a process leaves that is killed is no older. */
const FLUSH_MS = 1_000

export class RecordingWriter {
  private readonly open = new Map<string, OpenSegment>()
  /** Sources that were written to since the last flush. */
  private readonly dirty = new Set<string>()
  private flushedMs: number

  constructor(
    private readonly folder: RecordingFolder,
    private readonly limits: RecordingLimits,
    private readonly clock: Clock,
  ) {
    this.flushedMs = this.nowMs()
  }

  /** Compressed bytes in the files that are open. */
  get openBytes(): number {
    return [...this.open.values()].reduce((sum, { file }) => sum + file.bytes, 0)
  }

  /** Throws what writing a file throws; then nothing but `abandon` is left to do. */
  async write(items: readonly PastItem[]): Promise<void> {
    await this.closeDue()
    for (const [source, ofSource] of bySource(items)) {
      const [first] = ofSource
      if (first === undefined) continue
      const file = this.open.get(source)?.file ?? this.openSegment(source, placeOf(first))
      await file.write(Buffer.concat(ofSource.map(lineOf)))
      this.dirty.add(source)
    }
    await this.flushDue()
  }

  /** Everything is on disk when this resolves. */
  async close(): Promise<void> {
    for (const source of [...this.open.keys()]) await this.closeSegment(source)
  }

  /** After a failure. */
  abandon(): void {
    for (const { file } of this.open.values()) file.abandon()
    this.open.clear()
  }

  private openSegment(source: string, first: Position): SegmentFile {
    const file = new SegmentFile(this.folder.pathOf(source, first))
    this.open.set(source, { file, openedMs: this.nowMs() })
    return file
  }

  private async closeDue(): Promise<void> {
    const { segmentBytes, segmentMs } = this.limits
    for (const [source, { file, openedMs }] of this.open) {
      if (file.bytes >= segmentBytes || this.nowMs() - openedMs >= segmentMs) await this.closeSegment(source)
    }
  }

  private async closeSegment(source: string): Promise<void> {
    const segment = this.open.get(source)
    await segment?.file.close()
    this.open.delete(source)
    this.dirty.delete(source)
    this.folder.prune(this.limits.retainBytes)
  }

  private async flushDue(): Promise<void> {
    if (this.nowMs() - this.flushedMs < FLUSH_MS) return
    for (const source of this.dirty) await this.open.get(source)?.file.flush()
    this.dirty.clear()
    this.flushedMs = this.nowMs()
  }

  private nowMs(): number {
    return this.clock.monoUs() / 1000
  }
}

function bySource(items: readonly PastItem[]): Map<string, PastItem[]> {
  const sources = new Map<string, PastItem[]>()
  for (const item of items) {
    const source = item.kind === 'gap' ? item.gap.source : item.source
    const of = sources.get(source)
    if (of === undefined) sources.set(source, [item])
    else of.push(item)
  }
  return sources
}

const placeOf = (item: PastItem): Position =>
  item.kind === 'gap' ? { epoch: item.gap.epoch, seq: item.gap.from } : item
