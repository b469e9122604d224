/**
 * One channel on its way into Redis: a bounded queue, one call in flight, batches that grow with the backlog.
 *
 * Where the channel stands is what Redis says, never what is remembered: at the start, after every error, timeout or
 * close the checkpoint is read before anything is written, and what it has passed is dropped from the queue. A call
 * whose answer was lost is therefore neither repeated nor forgotten.
 */

import { sleep } from '../core/backoff.js'
import { ArbeesError } from '../core/errors.js'
import { redisErrorCode } from '../redis/errors.js'
import type { Counters } from '../telemetry/counters.js'
import { endOf, isBefore, laterOf, NOWHERE, planBatch } from './batch.js'
import type { Checkpoint, Entry, Item, MirrorRecord, Position } from './batch.js'
import { EntryQueue } from './entry-queue.js'
import type { QueueLimits } from './entry-queue.js'
import { writeErrorCode } from './writer.js'
import type { BatchWriter, WriteResult } from './writer.js'

/** A larger call holds Redis up for all others. */
const BATCH: QueueLimits = { records: 512, bytes: 512 * 1024 }
/** Minutes of a busy channel, while Redis is away. */
const QUEUE: QueueLimits = { records: 200_000, bytes: 64 * 1024 * 1024 }
/** After a refusal (a key of the wrong type, no memory) that only someone else can mend. */
const RETRY_MS = 200

export interface ChannelEvents {
  /** A hole was recorded in Redis. */
  onGap(source: string, gap: Exclude<Item, MirrorRecord>): void
  /** Calls fail for a new reason; said once, not per call. */
  onFailing(source: string, code: string, message: string): void
  /** Calls succeed again; `code` is why they did not. */
  onRecovered(source: string, code: string): void
}

export interface ChannelMirrorOptions {
  readonly source: string
  readonly writer: BatchWriter
  readonly counters: Counters
  readonly events: ChannelEvents
  /** Redis can be asked at all; when that begins, call `resume`. */
  readonly isUp: () => boolean
  readonly queue?: QueueLimits
}

export class ChannelMirror {
  readonly source: string
  private readonly queue: EntryQueue
  private readonly stopping = new AbortController()
  /** Taken from the queue and not yet known to be in Redis. */
  private taken: Entry[] = []
  /** Steps of a call that has no answer. */
  private unanswered: readonly Item[] = []
  /** What Redis holds; undefined while that is not known: from each call until its answer. */
  private checkpoint: Checkpoint | undefined
  private lastCheckpoint: Checkpoint | undefined
  private written: Position = NOWHERE
  private contact: Position | undefined
  private tail: (Position & { readonly closed: boolean }) | undefined
  private failing: string | undefined
  private running = false

  constructor(private readonly options: ChannelMirrorOptions) {
    this.source = options.source
    this.queue = new EntryQueue(options.queue ?? QUEUE)
  }

  /** The last position that Redis told of. */
  get position(): Position | undefined {
    return this.lastCheckpoint
  }

  /** Entries that are not known to be in Redis. */
  get pending(): number {
    return this.queue.length + this.taken.length
  }

  /** How far behind its source the channel is in Redis, in messages. */
  get lag(): number {
    const { tail, lastCheckpoint: at } = this
    if (tail === undefined) return 0
    return at?.epoch === tail.epoch ? Math.max(0, tail.seq - at.seq) : tail.seq
  }

  /** The next message of the source, in order (`Subscriber` sees to that). */
  add(record: MirrorRecord): void {
    const { epoch, seq } = record
    this.contact ??= { epoch, seq: seq - 1 }
    this.tail = { epoch, seq, closed: false }
    this.enqueue(record)
  }

  /** The source says that it got so far, after everything that it sent before. */
  reached(epoch: number, seq: number, closed: boolean): void {
    const { tail } = this
    this.contact ??= { epoch, seq }
    if (tail !== undefined) {
      const known = !isBefore(tail, { epoch, seq }) && (tail.closed || !closed)
      if (known || epoch < tail.epoch || (epoch === tail.epoch && seq < tail.seq)) return
    }
    this.tail = { epoch, seq, closed }
    this.enqueue({ kind: 'reached', ...this.tail })
  }

  /** Redis is there again, perhaps with less than it had: its checkpoint is read even when nothing waits. */
  resume(): void {
    this.checkpoint = undefined
    if (this.tail === undefined) this.start()
    else this.enqueue({ kind: 'reached', ...this.tail })
  }

  /** Ends it; what waits is given up, and is a gap for the next mirror. */
  stop(): void {
    this.stopping.abort()
  }

  private enqueue(entry: Entry): void {
    const gone = this.queue.push(entry)
    if (gone > 0) this.options.counters.add('overflow', undefined, gone)
    this.start()
  }

  private start(): void {
    if (!this.running) void this.run()
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    this.running = true
    while (!signal.aborted && this.options.isUp() && this.pending > 0) {
      try {
        await this.step()
      } catch (error) {
        this.noteFailure(error)
        await sleep(RETRY_MS, signal)
      }
    }
    this.running = false
  }

  private async step(): Promise<void> {
    const base = this.checkpoint ?? (await this.synchronize())
    if (this.taken.length === 0) this.taken = this.queue.take(BATCH)
    const items = planBatch(base, this.taken, {
      written: this.written,
      contact: this.contact ?? NOWHERE,
    })
    this.refuseRegressed(base)
    if (items.length > 0) {
      this.checkpoint = undefined
      this.unanswered = items
      const result = await this.options.writer.write(base, items)
      this.unanswered = []
      if (!this.settle(items, result)) return
    }
    this.taken = []
    if (this.failing !== undefined && !this.isRegressed(base)) {
      this.options.events.onRecovered(this.source, this.failing)
      this.failing = undefined
    }
  }

  /** Takes an answer in; true when Redis holds the whole batch. */
  private settle(items: readonly Item[], result: WriteResult): boolean {
    const { counters } = this.options
    counters.add('mirrored', undefined, result.written)
    if (result.gaps > 0) counters.add('gaps', undefined, result.gaps)
    switch (result.status) {
      case 'OK':
        break
      case 'BEHIND':
      case 'MOVED':
      case 'EPOCH_REGRESSED':
        // Redis or another mirror moved under us: read the checkpoint and plan anew.
        return false
      case 'ERROR':
        throw new ArbeesError(redisErrorCode(new Error(result.message)), result.message)
      case 'BROKEN_BATCH':
        throw new ArbeesError('BROKEN_BATCH', result.message)
    }
    this.learn(result.checkpoint)
    if (result.gaps > 0) {
      for (const item of items) if (isGap(item)) this.options.events.onGap(this.source, item)
    }
    return true
  }

  private async synchronize(): Promise<Checkpoint> {
    const checkpoint = await this.options.writer.readCheckpoint()
    const { counters, events } = this.options
    for (const item of this.unanswered) {
      if (isBefore(checkpoint, endOf(item))) break
      if (item.kind === 'record') counters.add('mirrored')
      if (isGap(item)) {
        counters.add('gaps')
        events.onGap(this.source, item)
      }
    }
    this.unanswered = []
    this.learn(checkpoint)
    return checkpoint
  }

  private learn(checkpoint: Checkpoint): void {
    this.checkpoint = checkpoint
    this.lastCheckpoint = checkpoint
    this.written = laterOf(this.written, checkpoint)
  }

  private isRegressed(checkpoint: Checkpoint): boolean {
    return this.tail !== undefined && this.tail.epoch < checkpoint.epoch
  }

  /** A source that lives in an epoch before the checkpoint's: its clock was set back, or its name is used twice. */
  private refuseRegressed(checkpoint: Checkpoint): void {
    if (!this.isRegressed(checkpoint) || this.tail === undefined) return
    const refused = this.taken.filter(
      ({ kind, epoch }) => kind === 'record' && epoch < checkpoint.epoch,
    ).length
    const text = `its epoch ${this.tail.epoch} is before ${checkpoint.epoch} in Redis`
    this.noteFailure(new ArbeesError('EPOCH_REGRESSED', text), Math.max(1, refused))
  }

  private noteFailure(error: unknown, times = 1): void {
    const code = writeErrorCode(error)
    this.options.counters.add('redis_errors', code, times)
    if (this.failing === code) return
    this.failing = code
    this.options.events.onFailing(this.source, code, error instanceof Error ? error.message : '')
  }
}

const isGap = (item: Item): item is Exclude<Item, MirrorRecord> =>
  item.kind === 'gap' || (item.kind === 'epoch' && item.reason !== null)
