/** Segments of a journal: files, and the newest ones in memory too, where they are written first. */

import { recordBytes, writeRecord } from './record.js'
import type { RecordParts } from './record.js'
import { RecordRun, SegmentContent } from './segment-index.js'
import { segmentName } from './segment-name.js'

/** Messages of one epoch from `first` on. */
export interface Segment {
  readonly name: string
  readonly epoch: number
  readonly first: number
  /** Bytes of its file; 0 when there is none. */
  readonly bytes: number
  /** What is in memory of it. */
  readonly content: SegmentContent | undefined
}

/** The memory that a segment is written through; never reused, so that views of it stay what they are. */
export class WriteSegment implements Segment {
  readonly name: string
  bytes = 0
  content: SegmentContent | undefined
  private readonly run: RecordRun
  /** Last message in the file; one before the first when there is none. */
  private lastInFile: number

  constructor(
    readonly epoch: number,
    readonly first: number,
    private buffer: Buffer,
  ) {
    this.name = segmentName(epoch, first)
    this.run = new RecordRun(first, 0)
    this.content = SegmentContent.ofMemory(buffer, this.run)
    this.lastInFile = first - 1
  }

  /** Last message staged. */
  get last(): number {
    return this.run.last
  }

  get lastWritten(): number {
    return this.lastInFile
  }

  /** What was staged behind the end of the file. */
  get unwritten(): Buffer {
    return this.buffer.subarray(this.bytes, this.run.end)
  }

  hasRoomFor(topic: Buffer, text: string): boolean {
    const room = this.buffer.length - this.run.end
    // A UTF-16 unit takes three bytes at most.
    return recordBytes(topic, text.length * 3) <= room || recordBytes(topic, Buffer.byteLength(text)) <= room
  }

  /** Encodes the next message; returns its envelope. There is room. */
  stage(parts: RecordParts): Buffer {
    const { dataStart, end } = writeRecord(this.buffer, this.run.end, parts)
    this.run.extend(end)
    return this.buffer.subarray(dataStart, end)
  }

  /** Everything staged is in the file now. */
  markWritten(): void {
    this.bytes = this.run.end
    this.lastInFile = this.run.last
  }

  /** Forgets what was staged behind message `last`. */
  rewind(last: number): void {
    this.run.rewind(Math.max(last, this.first - 1), this.buffer)
  }

  /** Lets the memory go: only the file is left. */
  release(): void {
    this.content = undefined
    this.buffer = NOTHING
  }
}

const NOTHING = Buffer.alloc(0)
