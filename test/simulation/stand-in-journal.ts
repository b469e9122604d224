/**
 * Stands in for `Journal` until there is one: the same surface and the same parts (segments, index of epochs, survey,
 * answers), joined in the shortest way. To be deleted.
 */

import type { EpochIndex } from '../../src/lib/bus/journal/epoch-index.js'
import { RangeAnswers } from '../../src/lib/bus/journal/range-answers.js'
import type { LoadFirst, RangeAnswer } from '../../src/lib/bus/journal/range-answers.js'
import { recordBytes } from '../../src/lib/bus/journal/record.js'
import { WriteSegment } from '../../src/lib/bus/journal/segments.js'
import type { Segment } from '../../src/lib/bus/journal/segments.js'
import type { JournalStorage } from '../../src/lib/bus/journal/storage.js'
import { EPOCHS_FILE, INTACT_FILE, surveyJournal } from '../../src/lib/bus/journal/survey.js'
import type { Position } from '../../src/lib/bus/position.js'
import type { RangeRequest } from '../../src/lib/bus/range.js'
import { ArbeesError, messageOf } from '../../src/lib/core/errors.js'
import type { Clock } from '../../src/lib/core/clock.js'

export interface JournalOptions {
  readonly storage: JournalStorage
  readonly source: string
  readonly clock: Clock
  readonly retainBytes: number
  readonly epochFloor?: number
  readonly bootId: string
  readonly onNotice: (text: string) => void
}

const RETRY_US = 1_000_000

export class Journal {
  state: 'on' | 'degraded' = 'on'
  readonly epoch: number
  readonly lastTimestampMs: number
  private readonly answers: RangeAnswers
  private current: WriteSegment
  private isTold = false
  private mustRoll = true
  /** First message that is neither on disk nor known as lost, while degraded. */
  private lostFrom = 0
  private degradedUs = 0

  private constructor(
    private readonly options: JournalOptions,
    private readonly epochs: EpochIndex,
    private readonly segments: Segment[],
  ) {
    const { clock, epochFloor = 0, bootId, storage } = options
    const newest = epochs.epochs.at(-1)
    this.epoch = Math.max(clock.nowMs(), (newest?.epoch ?? 0) + 1, epochFloor)
    this.lastTimestampMs = Math.max(0, ...epochs.epochs.map(({ timestampMs }) => timestampMs))
    epochs.set({
      epoch: this.epoch,
      after: newest?.epoch ?? 0,
      boot: bootId,
      last: 0,
      end: null,
      newestSegment: 0,
      timestampMs: 0,
    })
    storage.writeWhole(EPOCHS_FILE, epochs.text())
    storage.writeWhole(INTACT_FILE, '')
    this.answers = new RangeAnswers(epochs, segments)
    this.current = new WriteSegment(this.epoch, 1, Buffer.alloc(0))
  }

  static open(options: JournalOptions): Journal {
    const { storage, bootId } = options
    try {
      storage.lock()
      const { epochs, segments, damages } = surveyJournal(storage, bootId)
      for (const { name, offset, isTorn, to } of damages) {
        options.onNotice(`${name}:${offset} ${isTorn ? 'torn' : 'damaged'} ${to}`)
        if (isTorn) storage.truncate(name, offset)
      }
      const kept = segments.filter(({ name }) => storage.size(name) > 0)
      return new Journal(options, epochs, kept)
    } catch (error) {
      throw new ArbeesError('JOURNAL_UNUSABLE', messageOf(error), { cause: error })
    }
  }

  get oldest(): Position | null {
    return this.answers.oldest
  }

  stage(seq: number, timestampMs: number, topic: Buffer, text: string): Buffer {
    if (this.mustRoll || !this.current.hasRoomFor(topic, text)) {
      this.flush()
      this.roll(seq, recordBytes(topic, Buffer.byteLength(text)))
    }
    const data = this.current.stage({ epoch: this.epoch, seq, timestampMs, topic, text })
    this.update({ last: seq, timestampMs })
    return data
  }

  /** False when what was staged is not on disk, and will not be. */
  flush(): boolean {
    const { storage, onNotice } = this.options
    const { current } = this
    if (this.state === 'degraded') return false
    const bytes = current.unwritten
    if (bytes.length === 0) return true
    try {
      const before = current.bytes
      if (storage.append(current.name, bytes) === bytes.length) {
        current.markWritten()
        this.tellSegment()
        this.retain()
        return true
      }
      storage.truncate(current.name, before)
    } catch (error) {
      onNotice(messageOf(error))
    }
    this.degrade()
    return false
  }

  answer(
    request: RangeRequest,
    limits: { readonly records: number; readonly bytes: number },
  ): RangeAnswer | LoadFirst {
    return this.answers.answer(request, limits)
  }

  async load(name: string): Promise<void> {
    this.answers.loaded(name, await this.options.storage.load(name).catch(() => Buffer.alloc(0)))
  }

  sync(): void {
    const { storage, clock, onNotice } = this.options
    if (this.state === 'degraded') {
      if (clock.monoUs() - this.degradedUs >= RETRY_US) this.comeBack()
      return
    }
    storage.sync().catch((error: unknown) => {
      onNotice(messageOf(error))
      this.degrade()
    })
  }

  close(): void {
    const { storage, onNotice } = this.options
    if (!this.flush()) return
    try {
      storage.syncNow()
      this.update({ end: 'known' })
      storage.append(EPOCHS_FILE, Buffer.from(this.epochs.line(this.epoch)))
      storage.syncNow()
    } catch (error) {
      onNotice(messageOf(error))
    }
  }

  private roll(first: number, bytes: number): void {
    const size = Math.max(this.options.retainBytes / 8, bytes)
    this.current = new WriteSegment(this.epoch, first, Buffer.alloc(Math.ceil(size)))
    this.segments.push(this.current)
    this.mustRoll = false
    this.isTold = false
    for (const segment of this.segments.slice(0, -2)) this.release(segment)
  }

  /** What is on disk stays, what is not is gone. */
  private release(segment: Segment): void {
    if (!(segment instanceof WriteSegment) || segment.content === undefined) return
    if (segment.last > segment.lastWritten) this.recordLost(segment.last)
    segment.release()
    if (segment.bytes === 0) this.segments.splice(this.segments.indexOf(segment), 1)
  }

  /** The index names a segment as soon as its file is there: should the file go missing, somebody knows. */
  private tellSegment(): void {
    if (this.isTold) return
    const { storage } = this.options
    const { first } = this.current
    const { last = 0 } = this.epochs.get(this.epoch) ?? {}
    this.update({ newestSegment: first, last: first - 1 })
    const line = Buffer.from(this.epochs.line(this.epoch))
    this.update({ last })
    const before = storage.size(EPOCHS_FILE)
    if (storage.append(EPOCHS_FILE, line) !== line.length) {
      storage.truncate(EPOCHS_FILE, before)
      throw new Error('ENOSPC')
    }
    this.isTold = true
  }

  private degrade(): void {
    const { clock, storage, onNotice } = this.options
    this.degradedUs = clock.monoUs()
    if (this.state === 'degraded') return
    this.state = 'degraded'
    this.lostFrom = this.current.lastWritten + 1
    try {
      storage.remove(INTACT_FILE)
    } catch (error) {
      onNotice(messageOf(error))
    }
  }

  private recordLost(to: number): void {
    const from = this.lostFrom
    if (to >= from) this.epochs.addLost({ epoch: this.epoch, from, to })
    this.lostFrom = to + 1
  }

  private comeBack(): void {
    const { storage, onNotice } = this.options
    const { last = 0 } = this.epochs.get(this.epoch) ?? {}
    this.recordLost(last)
    try {
      storage.writeWhole(EPOCHS_FILE, this.epochs.text())
      storage.writeWhole(INTACT_FILE, '')
      this.state = 'on'
      this.mustRoll = true
    } catch (error) {
      onNotice(messageOf(error))
      this.degrade()
    }
  }

  private retain(): void {
    const { storage, retainBytes, onNotice } = this.options
    const total = () => this.segments.reduce((sum, { bytes }) => sum + bytes, 0)
    while (this.segments.length > 1 && total() > retainBytes) {
      const oldest = this.segments.shift()
      try {
        if (oldest !== undefined) storage.remove(oldest.name)
      } catch (error) {
        onNotice(messageOf(error))
      }
    }
  }

  private update(change: Partial<ReturnType<EpochIndex['get']>>): void {
    const entry = this.epochs.get(this.epoch)
    if (entry !== undefined) this.epochs.set({ ...entry, ...change })
  }
}
