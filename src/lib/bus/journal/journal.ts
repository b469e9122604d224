/**
 * What one source has published, on disk before it is sent: whatever a reader has seen, the journal has, unless the
 * whole machine crashed or the disk was full, and then the journal says so.
 *
 * Messages are staged in memory and written with one call per flush. The two newest segments stay in memory for
 * readers that are a little behind; files behind them are kept by bytes, the oldest removed first.
 */

import type { Clock } from '../../core/clock.js'
import { ArbeesError, EXIT, codeOf, messageOf } from '../../core/errors.js'
import type { Position } from '../position.js'
import type { RangeRequest } from '../range.js'
import type { EpochEntry, EpochIndex, Lost } from './epoch-index.js'
import { RangeAnswers } from './range-answers.js'
import type { LoadFirst, RangeAnswer } from './range-answers.js'
import { recordBytes } from './record.js'
import type { ChunkLimits } from './segment-index.js'
import { WriteSegment } from './segments.js'
import type { Segment } from './segments.js'
import type { JournalStorage } from './storage.js'
import { EPOCHS_FILE, INTACT_FILE, surveyJournal } from './survey.js'
import type { Survey } from './survey.js'

export interface JournalOptions {
  readonly storage: JournalStorage
  readonly source: string
  readonly clock: Clock
  /** About so many bytes are kept on disk. */
  readonly retainBytes: number
  /** The least epoch to begin with. */
  readonly epochFloor?: number
  /** Of the machine: another one means that it may have crashed with bytes not yet on disk. */
  readonly bootId: string
  /** What was repaired or could not be done, one line. */
  readonly onNotice: (text: string) => void
}

type Live<T> = { -readonly [K in keyof T]: T[K] }

const MAX_SEGMENT_BYTES = 8 * 1024 * 1024
/** Segments that stay in memory. */
const IN_MEMORY = 2
/** A small file takes a block of the disk too. */
const BLOCK_BYTES = 4_096
/** Between two looks whether the disk is back. */
const RETRY_US = 1_000_000
/** Lines added to the index of epochs before it is written anew. */
const MAX_LINES = 1_000

export class Journal {
  /** The life that began when it was opened. */
  readonly epoch: number
  /** The latest time that a message of the epochs before carries. */
  readonly lastTimestampMs: number
  private readonly answers: RangeAnswers
  /** This epoch in the index; `last` is what was flushed. */
  private readonly live: Live<EpochEntry>
  /** The newest segments: those with memory. */
  private readonly ring: WriteSegment[] = []
  /** Of the ring: where something may wait to be written. */
  private unwritten: WriteSegment[] = []
  /** Where the next message goes while it fits. */
  private current: WriteSegment | undefined
  private stagedLast = 0
  private stagedTimestampMs = 0
  /** Of a segment, when no single message is larger. */
  private readonly segmentBytes: number
  private diskBytes: number
  private linesAdded = 0
  /** While degraded: what this epoch published and the disk has not. */
  private lost: Live<Lost> | undefined
  /** The hole before, which grows when the disk was not back for long. */
  private lastLost: Live<Lost> | undefined
  private retryAtUs = 0
  /** The disk says that everything published is on it. */
  private isMarked = false
  private syncing: Promise<void> | undefined
  private isClosed = false

  private constructor(
    private readonly options: JournalOptions,
    private readonly epochs: EpochIndex,
    private readonly segments: Segment[],
  ) {
    const { clock, epochFloor = 0, bootId } = options
    const before = epochs.epochs
    const after = before.at(-1)?.epoch ?? 0
    this.lastTimestampMs = Math.max(0, ...before.map(({ timestampMs }) => timestampMs))
    this.stagedTimestampMs = this.lastTimestampMs
    this.epoch = Math.max(clock.nowMs(), after + 1, epochFloor)
    this.live = {
      ...{ epoch: this.epoch, after, boot: bootId, last: 0, end: null },
      ...{ newestSegment: 0, timestampMs: this.lastTimestampMs },
    }
    this.segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.floor(options.retainBytes / 8))
    this.diskBytes = segments.reduce((sum, { bytes }) => sum + this.diskBytesOf(bytes), 0)
    epochs.compact(segments[0]?.epoch ?? this.epoch)
    epochs.set(this.live)
    this.answers = new RangeAnswers(epochs, segments)
  }

  /**
   * Repairs what a crash left, ends the epoch before and begins a new one, above every epoch before. Throws
   * `JOURNAL_LOCKED` when another process writes it, `JOURNAL_UNUSABLE` when nothing can be written.
   */
  static open(options: JournalOptions): Journal {
    const { storage, bootId, source } = options
    storage.lock()
    try {
      const survey = surveyJournal(storage, bootId)
      const journal = new Journal(options, survey.epochs, repair(survey, options))
      journal.writeIndex()
      journal.keepWithin()
      return journal
    } catch (error) {
      storage.close()
      if (error instanceof ArbeesError) throw error
      throw new ArbeesError(
        'JOURNAL_UNUSABLE',
        `the journal of ${source} cannot be opened: ${messageOf(error)}`,
        {
          exit: EXIT.CONFIG,
          hint: 'make room on the disk that holds data_dir, or set data_dir to another one',
          cause: error,
        },
      )
    }
  }

  /** Degraded: messages are kept in memory alone, until the disk takes them again. */
  get state(): 'on' | 'degraded' {
    return this.lost === undefined ? 'on' : 'degraded'
  }

  /** The oldest message that can be asked for. */
  get oldest(): Position | null {
    return this.answers.oldest
  }

  /** On disk, all epochs. */
  get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Takes the next message; it is written by `flush`. Returns the bytes of its envelope, which stay as they are. */
  stage(seq: number, timestampMs: number, topic: Buffer, text: string): Buffer {
    if (seq !== this.stagedLast + 1) {
      throw new ArbeesError(
        'JOURNAL_SEQ',
        `${this.options.source}: message ${seq} cannot follow ${this.stagedLast} in the journal`,
      )
    }
    const segment = this.segmentFor(seq, topic, text)
    this.stagedLast = seq
    this.stagedTimestampMs = timestampMs
    return segment.stage({ epoch: this.epoch, seq, timestampMs, topic, text })
  }

  /**
   * Writes everything staged since the last flush with one call. False when it is not on disk: the disk is full or
   * broken; once a second the next flush tries again. Never throws.
   */
  flush(): boolean {
    if (this.lost !== undefined) return this.flushDegraded(this.lost)
    if (this.stagedLast === this.live.last) return true
    try {
      for (const segment of this.unwritten) this.write(segment)
    } catch (error) {
      this.degrade(error)
    }
    this.commit()
    if (this.unwritten.length > 1) this.unwritten = this.unwritten.slice(-1)
    this.trimMemory()
    this.keepWithin()
    return this.lost === undefined
  }

  /**
   * After a flush that failed: what it staged is not sent. It is given to nobody, and its numbers stay used: they are
   * a hole.
   */
  discard(): void {
    if (this.lost === undefined) return
    const { from } = this.lost
    for (const segment of this.ring) segment.rewind(from - 1)
  }

  /** What a reader asks for; or which segment to `load` before it is asked again. */
  answer(request: RangeRequest, limits: ChunkLimits): RangeAnswer | LoadFirst {
    return this.answers.answer(request, limits)
  }

  /** Reads a segment that `answer` asked for. Rejects when the disk fails. */
  async load(segment: string): Promise<void> {
    try {
      this.loaded(segment, await this.options.storage.load(segment))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      this.loaded(segment, Buffer.alloc(0))
    }
  }

  /** The bytes of a segment that `answer` asked for; none when its file is gone. */
  loaded(segment: string, bytes: Buffer): void {
    this.answers.loaded(segment, bytes)
  }

  /** Makes durable what was flushed; in the background, one at a time. Never rejects. */
  sync(): Promise<void> {
    this.syncing ??= this.options.storage
      .sync()
      .catch((error: unknown) => {
        if (this.lost === undefined && !this.isClosed) this.degrade(error)
      })
      .finally(() => {
        this.syncing = undefined
      })
    return this.syncing
  }

  /** Flushes, and writes down that the epoch ended here: nobody has to guess. Never throws. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    const { storage, onNotice } = this.options
    this.retryAtUs = 0
    this.flush()
    try {
      if (this.lost === undefined) {
        storage.syncNow()
        this.live.end = 'known'
        storage.writeWhole(EPOCHS_FILE, this.epochs.text())
      }
    } catch (error) {
      onNotice(`the end of epoch ${this.epoch} was not written: ${messageOf(error)}`)
    } finally {
      storage.close()
    }
  }

  private segmentFor(seq: number, topic: Buffer, text: string): WriteSegment {
    const { current } = this
    if (current?.last === seq - 1 && current.hasRoomFor(topic, text)) return current
    const size = Math.max(this.segmentBytes, recordBytes(topic, Buffer.byteLength(text)))
    const segment = new WriteSegment(this.epoch, seq, Buffer.allocUnsafeSlow(size))
    this.segments.push(segment)
    this.ring.push(segment)
    this.unwritten.push(segment)
    this.current = segment
    return segment
  }

  private write(segment: WriteSegment): void {
    const isNew = segment.bytes === 0
    this.append(segment.name, segment.unwritten)
    if (isNew) this.tellNewest(segment.first)
    this.diskBytes -= this.diskBytesOf(segment.bytes)
    segment.markWritten()
    this.diskBytes += this.diskBytesOf(segment.bytes)
  }

  /** Writes down that there is a newer segment: when it is missing one day, its messages are. */
  private tellNewest(first: number): void {
    const before = this.live.newestSegment
    this.live.newestSegment = first
    try {
      if (++this.linesAdded > MAX_LINES) this.writeIndex()
      else this.append(EPOCHS_FILE, Buffer.from(this.epochs.line(this.epoch)))
    } catch (error) {
      this.live.newestSegment = before
      throw error
    }
  }

  private append(name: string, bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const count = this.options.storage.append(name, bytes.subarray(done))
      if (count === 0) throw new ArbeesError('JOURNAL_SHORT_WRITE', `${name} takes no more bytes`)
      done += count
    }
  }

  private commit(): void {
    this.live.last = this.stagedLast
    this.live.timestampMs = this.stagedTimestampMs
  }

  /** The disk does not take what was staged: cuts off what it took in part, and goes on in memory. */
  private degrade(error: unknown): void {
    const { clock, storage, onNotice } = this.options
    const failed = this.unwritten.find(({ last, lastWritten }) => last > lastWritten)
    const from = failed === undefined ? this.stagedLast + 1 : failed.lastWritten + 1
    this.unmark()
    try {
      if (failed?.bytes === 0) storage.remove(failed.name)
      else if (failed !== undefined) storage.truncate(failed.name, failed.bytes)
    } catch {
      // What is left behind the cut has numbers of its own, and belongs to the hole.
    }
    if (this.lastLost?.to !== from - 1) {
      this.lastLost = { epoch: this.epoch, from, to: this.stagedLast }
      this.epochs.addLost(this.lastLost)
    }
    this.lost = this.lastLost
    this.lost.to = this.stagedLast
    this.unwritten = []
    this.retryAtUs = clock.monoUs() + RETRY_US
    onNotice(`messages from ${from} on are not written: ${messageOf(error)}`)
  }

  /** From now on the disk lacks something: a later life must not take what it finds for everything. */
  private unmark(): void {
    try {
      this.options.storage.remove(INTACT_FILE)
      this.isMarked = false
    } catch {
      // Tried again with each flush.
      this.isMarked = true
    }
  }

  private flushDegraded(lost: Live<Lost>): boolean {
    if (this.isMarked) this.unmark()
    const isIdle = this.stagedLast === this.live.last
    lost.to = this.stagedLast
    this.commit()
    this.unwritten = []
    this.trimMemory()
    if (this.options.clock.monoUs() >= this.retryAtUs) this.restore(lost)
    return isIdle && this.state === 'on'
  }

  /** The disk is back when it takes the index; messages go to a new segment then. */
  private restore({ from, to }: Lost): void {
    const { clock, onNotice } = this.options
    try {
      this.writeIndex()
    } catch {
      this.retryAtUs = clock.monoUs() + RETRY_US
      return
    }
    this.lost = undefined
    this.current = undefined
    onNotice(
      to < from
        ? 'the disk takes messages again'
        : `the disk takes messages again; ${from} to ${to} are lost to it`,
    )
  }

  private writeIndex(): void {
    const { storage } = this.options
    storage.writeWhole(EPOCHS_FILE, this.epochs.text())
    storage.writeWhole(INTACT_FILE, '')
    this.isMarked = true
    this.linesAdded = 0
  }

  /** Keeps the newest segments in memory; one that has no file is gone with its memory. */
  private trimMemory(): void {
    while (this.ring.length > IN_MEMORY) {
      const oldest = this.ring.shift()
      oldest?.release()
      if (oldest?.bytes === 0) this.segments.splice(this.segments.indexOf(oldest), 1)
    }
  }

  /** Removes the oldest files until the rest is within what is kept. */
  private keepWithin(): void {
    const { retainBytes, storage, onNotice } = this.options
    while (this.diskBytes > retainBytes) {
      const [oldest] = this.segments
      if (oldest === undefined || oldest.content !== undefined) return
      this.segments.shift()
      this.diskBytes -= this.diskBytesOf(oldest.bytes)
      try {
        storage.remove(oldest.name)
      } catch (error) {
        onNotice(`${oldest.name} cannot be removed: ${messageOf(error)}`)
      }
    }
  }

  /** What a file of `bytes` takes of what is kept. */
  private diskBytesOf(bytes: number): number {
    return bytes === 0 ? 0 : Math.max(bytes, Math.min(BLOCK_BYTES, this.segmentBytes))
  }
}

/** Cuts off what a crash left half-written; returns the segments as they are then. */
function repair(
  { epochs, segments, empty, damages }: Survey,
  { storage, onNotice }: JournalOptions,
): Segment[] {
  // First on record, then cut: whoever dies in between does not take the cut for the end.
  if (damages.length > 0) storage.writeWhole(EPOCHS_FILE, epochs.text())
  for (const name of empty) storage.remove(name)
  const cuts = new Map<string, number>()
  for (const { name, offset, bytes, from, to, isTorn } of damages) {
    if (to !== null) {
      onNotice(`${name} is damaged at byte ${offset}: messages ${from} to ${to} cannot be read`)
      continue
    }
    onNotice(
      `${name} is ${isTorn ? 'torn' : 'damaged'} at byte ${offset}: the last ${bytes} bytes are cut off`,
    )
    cuts.set(name, offset)
    if (offset === 0) storage.remove(name)
    else storage.truncate(name, offset)
  }
  return segments
    .map((segment) => ({ ...segment, bytes: cuts.get(segment.name) ?? segment.bytes }))
    .filter(({ bytes }) => bytes > 0)
}
