/** What history is made of, wherever it lies: messages, and what is missing between them. */

import type { Gap } from '../bus/gap.js'
import { isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import type { Refusal } from '../messages/codec.js'

export interface PastMessage extends Position {
  readonly kind: 'message'
  readonly source: string
  readonly topic: string
  /** The publisher's wall clock. */
  readonly timestampMs: number
  /** The envelope as it was published. */
  readonly data: Buffer
}

export interface PastGap {
  readonly kind: 'gap'
  readonly gap: Gap
  /** What is missing is not older, publisher's wall clock; -Infinity where nothing before it was read. */
  readonly afterMs: number
  /** And not younger. */
  readonly timestampMs: number
}

export type PastItem = PastMessage | PastGap

/** An entry of a stream that is no message: left out, and told of in its place. */
export interface PastRefusal {
  readonly kind: 'refused'
  readonly refusal: Refusal
  /** When Redis took it, its own clock. */
  readonly timestampMs: number
}

/** What is read of a stream. */
export type StreamItem = PastItem | PastRefusal

/** Pages of items; those of a source are in its order, and none comes twice. */
export type Past = AsyncIterable<readonly PastItem[]>
/** The same as a generator makes it. */
export type PastPages = AsyncGenerator<readonly PastItem[], void, undefined>
export type Pages<T extends StreamItem> = AsyncIterable<readonly T[]>
export type MadePages<T extends StreamItem> = AsyncGenerator<readonly T[], void, undefined>

/** From a sender of the first design: nothing numbers it, nothing is promised of it. */
export const isUnguarded = ({ seq }: PastMessage): boolean => seq === 0

/** One source as it is read from its beginning on: drops what comes twice, and names what is missing. */
export class SourcePast {
  private at: Position | undefined
  private lastMs = -Infinity
  /** The epoch whose end is missing, and was told of. */
  private endless: number | undefined
  private waiting: Gap[] = []

  /** `asksBefore` is why what lies before the first message is not there, where somebody asked for it. */
  constructor(
    readonly source: string,
    private readonly asksBefore?: Gap['reason'],
  ) {}

  /** Everything up to here was given or is a gap; undefined before the first. */
  get position(): Position | undefined {
    return this.at
  }

  /** Nothing up to `at` was asked for: what is not there behind it is missing. */
  beginBehind(at: Position): void {
    this.at ??= at
  }

  /**
   * Known to be missing, before whatever comes next; what was given or told already is left out. `holeReason` is why
   * something before it is not there; undefined where that is no loss.
   */
  gap(gap: Gap, holeReason: Gap['reason'] | undefined): void {
    const { at } = this
    const from = at?.epoch === gap.epoch ? Math.max(gap.from, at.seq + 1) : gap.from
    const isOld = at !== undefined && (gap.epoch < at.epoch || (gap.to ?? Infinity) < from)
    if (isOld || (gap.to === null && gap.epoch === this.endless)) return
    if (at !== undefined) this.fill({ epoch: gap.epoch, seq: from }, holeReason)
    if (gap.to === null) this.endless = gap.epoch
    this.waiting.push(from === gap.from ? gap : { ...gap, from })
    this.at = { epoch: gap.epoch, seq: gap.to ?? from - 1 }
  }

  /** Gives the message, and before it what is missing; nothing where it was given already. */
  message(message: PastMessage, holeReason: Gap['reason'] | undefined, into: StreamItem[]): void {
    const { at } = this
    const { epoch, seq, timestampMs } = message
    if (at !== undefined && !isBefore(at, message)) return
    this.fill(message, at === undefined ? this.asksBefore : holeReason)
    this.giveWaiting(timestampMs, into)
    this.at = { epoch, seq }
    this.lastMs = timestampMs
    into.push(message)
  }

  /** Nothing more comes: gives what is missing at the end, which is not younger than `notAfterMs`. */
  end(into: StreamItem[], notAfterMs = this.lastMs): void {
    this.giveWaiting(Math.max(notAfterMs, this.lastMs), into)
  }

  /** What lies between the position and `next`, in the epoch of that. */
  private fill({ epoch, seq }: Position, reason: Gap['reason'] | undefined): void {
    const from = this.at?.epoch === epoch ? this.at.seq + 1 : 1
    if (from >= seq || reason === undefined) return
    this.waiting.push({ source: this.source, epoch, from, to: seq - 1, reason })
  }

  private giveWaiting(timestampMs: number, into: StreamItem[]): void {
    for (const gap of this.waiting) into.push({ kind: 'gap', gap, afterMs: this.lastMs, timestampMs })
    this.waiting = []
  }
}
