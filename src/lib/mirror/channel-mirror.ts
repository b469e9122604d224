/** One channel on its way into Redis: carries out what `mirror-core.ts` decides, and says how it went. */

import { NOWHERE, isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import type { RangeReply, RangeRequest } from '../bus/range.js'
import type { Clock } from '../core/clock.js'
import { ArbeesError } from '../core/errors.js'
import type { ChannelBeat } from '../messages/heartbeat.js'
import type { Header } from '../messages/payloads.js'
import { redisErrorCode } from '../redis/errors.js'
import type { Counters } from '../telemetry/counters.js'
import type { GapStep, MirrorRecord } from './item.js'
import { MirrorCore } from './mirror-core.js'
import type { MirrorAction, MirrorCoreOptions, Settled } from './mirror-core.js'
import { writeErrorCode } from './writer.js'
import type { BatchWriter, WriteResult } from './writer.js'

export interface ChannelEvents {
  /** A hole was recorded in Redis. */
  onGap(source: string, gap: GapStep): void
  /** Calls fail for a new reason; said once, not per call. */
  onFailing(source: string, code: string, message: string): void
  /** Calls succeed again; `code` is why they did not. */
  onRecovered(source: string, code: string): void
}

export interface ChannelMirrorOptions extends MirrorCoreOptions {
  readonly source: string
  readonly writer: BatchWriter
  readonly clock: Clock
  readonly counters: Counters
  readonly events: ChannelEvents
  /** Redis can be asked at all; when that begins, call `resume`. */
  readonly isUp: () => boolean
  /** Asks the source's journal; undefined when it does not answer. */
  readonly pull: (request: RangeRequest) => Promise<RangeReply<MirrorRecord> | undefined>
}

export class ChannelMirror {
  readonly source: string
  private readonly core: MirrorCore
  private stopped = false
  private pulling = false
  private isStepDue = false
  /** The last one that came over the bus. */
  private live: Position = NOWHERE
  private failing: string | undefined
  private regressed = false
  private total = 0

  constructor(private readonly options: ChannelMirrorOptions) {
    this.source = options.source
    this.core = new MirrorCore(options)
  }

  /** The last position that Redis told of; undefined before the first record of the channel. */
  get position(): Position | undefined {
    const { position } = this.core
    return position === undefined || position.epoch === 0 ? undefined : position
  }

  /** How far behind its source the channel is in Redis, in messages. */
  get lag(): number {
    return this.core.lag
  }

  /** Messages that Redis moved on by while this mirror looked, whoever wrote them. */
  get advanced(): number {
    return this.total
  }

  /** Its publisher's stamp, Unix ms, on the oldest message at hand that Redis is not known to hold. */
  get oldestStampMs(): number | undefined {
    const record = this.core.oldestAtHand
    return record === undefined ? undefined : timestampOf(record)
  }

  /** Redis is not known to hold all that the source is known to have published. */
  get isBehind(): boolean {
    return this.core.isBehind
  }

  /** A message, as it comes; written with those that come in the same turn of the event loop. */
  add({ epoch, seq }: Position, value: MirrorRecord): void {
    const message = { epoch, seq, value }
    const reception = this.core.receive(message, this.nowMs())
    if (reception === 'old_epoch') this.options.counters.add('old_epoch')
    // One that was pulled before it came is no duplicate.
    if (!isBefore(this.live, message)) this.options.counters.add('duplicates')
    else this.live = message
    this.stepSoon()
  }

  /** The source's own word on how far it got, after everything that it sent before. */
  reached({ epoch, last_seq: seq, journal }: ChannelBeat, closing: boolean): void {
    this.core.beat({ epoch, seq, closing, journal: journal !== 'none' }, this.nowMs())
    this.watchEpoch()
    this.step()
  }

  /** Redis is there again, perhaps with less than it had. */
  resume(): void {
    this.core.forget()
    this.step()
  }

  /** Does what is due by now; call it a few times a second. */
  step(): void {
    if (this.stopped) return
    const nowMs = this.nowMs()
    if (this.options.isUp()) {
      const action = this.core.nextAction(nowMs)
      if (action !== undefined) void this.act(action)
    }
    if (this.pulling) return
    const request = this.core.nextRequest(nowMs)
    if (request !== undefined) void this.pull(request)
  }

  /** Ends it; what is not written by now the next mirror pulls. */
  stop(): void {
    this.stopped = true
  }

  private stepSoon(): void {
    if (this.isStepDue) return
    this.isStepDue = true
    setImmediate(() => {
      this.isStepDue = false
      this.step()
    })
  }

  private async act(action: MirrorAction): Promise<void> {
    try {
      if (action.kind === 'read') {
        const checkpoint = await this.options.writer.readCheckpoint()
        this.note(this.core.onRead(checkpoint, this.nowMs()))
      } else {
        const result = await this.options.writer.write(action.base, action.items)
        this.note(this.core.onWritten(result, this.nowMs()))
        this.judge(result)
      }
    } catch (error) {
      this.core.onFailure(this.nowMs(), writeErrorCode(error) === 'TIMEOUT')
      this.noteFailure(error)
    }
    this.step()
  }

  private async pull(request: RangeRequest): Promise<void> {
    this.pulling = true
    // One that fails is one without an answer: it is asked again, and given up in the end.
    const reply = await this.options.pull(request).catch(() => undefined)
    this.pulling = false
    if (reply === undefined) {
      this.options.counters.add('pulls_unanswered')
      this.core.onNoReply(this.nowMs())
    } else {
      this.options.counters.add('pulled', undefined, reply.records.length)
      this.core.onReply(reply, this.nowMs())
    }
    this.step()
  }

  private note({ written, advanced, gaps }: Settled): void {
    const { counters, events } = this.options
    counters.add('mirrored', undefined, written)
    this.total += advanced
    if (gaps.length > 0) counters.add('gaps', undefined, gaps.length)
    for (const gap of gaps) events.onGap(this.source, gap)
  }

  /** What nobody but an operator mends is a failure; that Redis or another mirror moved is none. */
  private judge({ status, message }: WriteResult): void {
    if (status === 'ERROR') this.noteFailure(new ArbeesError(redisErrorCode(new Error(message)), message))
    if (status === 'BROKEN_BATCH') this.noteFailure(new ArbeesError('BROKEN_BATCH', message))
    if (status !== 'OK' || this.failing === undefined) return
    this.options.events.onRecovered(this.source, this.failing)
    this.failing = undefined
  }

  private noteFailure(error: unknown): void {
    const code = writeErrorCode(error)
    this.options.counters.add('redis_errors', code)
    if (this.failing === code) return
    this.failing = code
    this.options.events.onFailing(this.source, code, error instanceof Error ? error.message : '')
  }

  /** A source that lives before the epoch in Redis: its clock was set back, or its name is used twice. */
  private watchEpoch(): void {
    const { regressedEpoch, position } = this.core
    if (!this.options.isUp()) return
    const isRegressed = regressedEpoch !== undefined
    if (isRegressed === this.regressed) return
    this.regressed = isRegressed
    const { counters, events } = this.options
    counters.set(`epoch_regressed:${this.source}`, isRegressed ? 1 : 0)
    if (!isRegressed) return events.onRecovered(this.source, EPOCH_REGRESSED)
    const stored = position?.epoch ?? 0
    const text = `its epoch ${regressedEpoch} is before ${stored} in Redis: start its publisher with --epoch-floor ${stored + 1}`
    events.onFailing(this.source, EPOCH_REGRESSED, text)
  }

  private nowMs(): number {
    return this.options.clock.monoUs() / 1000
  }
}

const EPOCH_REGRESSED = 'EPOCH_REGRESSED'

/** Only what has been decoded becomes a record: it has one. */
const timestampOf = ({ data }: MirrorRecord): number =>
  (JSON.parse(data.toString('utf8')) as Pick<Header, 'timestamp_ms'>).timestamp_ms
