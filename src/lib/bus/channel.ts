/** One publisher and one family: a numbered sequence of messages, its journal, and its newest values. */

import type { Clock } from '../core/clock.js'
import { ArbeesError } from '../core/errors.js'
import { hostId } from '../core/ids.js'
import { MAX_MESSAGE_BYTES, encode } from '../messages/codec.js'
import type { ChannelBeat } from '../messages/heartbeat.js'
import type { Stamps } from '../messages/payloads.js'
import { familyOfSource } from '../messages/sources.js'
import type { Env } from '../model/venue.js'
import type { Journal } from './journal/journal.js'
import { NewestValues } from './newest-values.js'
import type { Outbox } from './outbox.js'
import type { LoadFirst, RangeAnswer } from './journal/range-answers.js'
import type { ChunkLimits } from './journal/segment-index.js'
import type { RangeRequest } from './range.js'
import type { RecoverableChannel, SnapshotChunk } from './recovery/recovery-server.js'

/** Identity of a published message. */
export interface Published {
  readonly epoch: number
  readonly seq: number
}

/** What a payload may seal: the identity of the message that carries it. */
export interface MessageIdentity extends Published {
  readonly source: string
  readonly timestampMs: number
}

/** Makes the payload when the message has its identity. */
export type SealPayload = (identity: MessageIdentity) => object

export interface PublishOptions {
  /** Stamps taken before; `pub` is added here. */
  readonly stamps?: Stamps
  /** The chain this message belongs to; its own identity when not said. */
  readonly trace?: string
  /** First-design fields repeated at top level (`legacyPriceFields`). */
  readonly topLevel?: string
}

export interface ChannelOptions {
  readonly source: string
  /** The life of the source that begins: above every one before it. */
  readonly epoch: number
  readonly env: Env
  readonly clock: Clock
  readonly outbox: Outbox
  /** Absent: nothing can be pulled. */
  readonly journal: Journal | undefined
}

/** What a family asks of its channel. */
interface FamilyRules {
  /** Readers follow single topics of it: messages carry `prev`, and the newest of each is kept. */
  readonly byTopic: boolean
  /** A message is on disk, as far as the kernel goes, and on its way when `publish` returns. */
  readonly immediate: boolean
  /** Nothing is said that could not be journaled. */
  readonly strict: boolean
}

const STATE: FamilyRules = { byTopic: true, immediate: false, strict: false }
/** Orders and trades have happened, and the ledger holds them: they are told on a full disk too. */
const FACT: FamilyRules = { byTopic: false, immediate: true, strict: false }
const RULES: Readonly<Record<string, FamilyRules>> = {
  prices: STATE,
  orderbook: STATE,
  games: STATE,
  orders: FACT,
  trades: FACT,
  signals: { byTopic: false, immediate: true, strict: true },
}

export class Channel implements RecoverableChannel {
  readonly source: string
  readonly epoch: number
  private seq = 0
  private lastTimestampMs: number
  private readonly newest = new NewestValues()
  private readonly rules: FamilyRules
  private readonly host = hostId()

  constructor(private readonly options: ChannelOptions) {
    const { source, epoch, journal } = options
    this.source = source
    this.epoch = epoch
    this.rules = RULES[familyOfSource(source)] ?? STATE
    this.lastTimestampMs = journal?.lastTimestampMs ?? 0
  }

  /** Messages published in this epoch. */
  get lastSeq(): number {
    return this.seq
  }

  /** The seq that the next message will have: a decision can name itself before it is sent. */
  get nextSeq(): number {
    return this.seq + 1
  }

  /**
   * Numbers, encodes and journals one message. Prices, books and games are written and sent at the end of the
   * synchronous stretch that runs, the others before this returns. `payload` may be a function of the message's
   * identity. Throws `MESSAGE_TOO_LARGE`, `PUBLISHER_CLOSED`, and `JOURNAL_FAILED` where the channel carries signals: nothing
   * is sent then.
   */
  publish(
    topic: string,
    payload: object | SealPayload,
    { stamps, trace, topLevel }: PublishOptions = {},
  ): Published {
    const { clock, env, journal, outbox } = this.options
    const { source, epoch, rules } = this
    if (outbox.isClosed) {
      throw new ArbeesError('PUBLISHER_CLOSED', `nothing more goes out on ${source}: its publisher is closed`)
    }
    if (rules.strict && journal?.state === 'degraded') throw this.journalFailed()
    const state = rules.byTopic ? this.newest.of(topic) : undefined
    const seq = this.seq + 1
    const timestampMs = Math.max(this.lastTimestampMs, clock.nowMs())
    const text = encode(
      {
        env,
        source,
        epoch,
        seq,
        ...(state === undefined ? {} : { prev: state.lastSeq }),
        timestampMs,
        host: this.host,
        ...(trace === undefined ? {} : { trace }),
        stamps: { ...stamps, pub: clock.monoUs() },
      },
      isSealing(payload) ? payload({ source, epoch, seq, timestampMs }) : payload,
      topLevel,
    )
    assertSize(topic, text)
    const frame = state?.frame ?? Buffer.from(topic)
    this.seq = seq
    this.lastTimestampMs = timestampMs
    if (state !== undefined) this.newest.set(state, seq, timestampMs, text)
    const body = journal?.stage(seq, timestampMs, frame, text) ?? text
    if (rules.strict && journal !== undefined && !journal.flush()) {
      journal.discard()
      throw this.journalFailed()
    }
    outbox.add([frame, body], journal)
    if (rules.immediate) outbox.flush()
    return { epoch, seq }
  }

  beat(): ChannelBeat {
    const { journal } = this.options
    const oldest = journal?.oldest ?? null
    return {
      source: this.source,
      epoch: this.epoch,
      last_seq: this.seq,
      oldest: oldest === null ? null : { epoch: oldest.epoch, seq: oldest.seq },
      journal: journal?.state ?? 'none',
    }
  }

  range(request: RangeRequest, limits: ChunkLimits): RangeAnswer | LoadFirst | null {
    return this.options.journal?.answer(request, limits) ?? null
  }

  async load(segment: string): Promise<void> {
    await this.options.journal?.load(segment)
  }

  snapshot(cursor: number, limits: ChunkLimits): SnapshotChunk | null {
    if (!this.rules.byTopic) return null
    return this.newest.chunk({ epoch: this.epoch, seq: this.seq }, cursor, limits)
  }

  /** The seq of a message that may have reached the disk is not used again: its place is a hole. */
  private journalFailed(): ArbeesError {
    return new ArbeesError('JOURNAL_FAILED', `the journal of ${this.source} cannot be written`, {
      hint: 'free space on the disk that holds data_dir; the channel goes on by itself within a second',
    })
  }
}

const isSealing = (payload: object | SealPayload): payload is SealPayload => typeof payload === 'function'

function assertSize(topic: string, text: string): void {
  if (text.length * 3 <= MAX_MESSAGE_BYTES || Buffer.byteLength(text) <= MAX_MESSAGE_BYTES) return
  throw new ArbeesError(
    'MESSAGE_TOO_LARGE',
    `${Buffer.byteLength(text)} bytes on ${topic}, at most ${MAX_MESSAGE_BYTES}`,
  )
}
