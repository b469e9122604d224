/** A reader that needs the newest value of each topic: a snapshot, then what comes live behind it. */

import type { Position } from '../../src/lib/bus/position.js'
import { isBefore, isSame } from '../../src/lib/bus/position.js'
import type { RangeReply, SnapshotReply } from '../../src/lib/bus/range.js'
import type { SnapshotItem, SnapshotReader, SnapshotRequest } from '../../src/lib/bus/snapshot-reader.js'
import { Process } from './event-loop.js'
import type { EventLoop } from './event-loop.js'
import type { Parts } from './parts.js'
import type { RecoveryPath } from './recovery-path.js'
import type { Beat, SimPublisher } from './sim-publisher.js'
import type { Envelope, Truth } from './truth.js'
import { Violation } from './violation.js'
import { brief } from './parts.js'

const TICK_MS = 50

export class SimSnapshotReader extends Process {
  readonly name = 'snapshot reader'
  private reader: SnapshotReader<Envelope> | undefined
  private readonly values = new Map<string, Position>()
  private askedMs = Infinity
  /** It asked in vain for longer than it waits: it goes on without a snapshot until it gets one. */
  private isUnanswered = false

  constructor(
    loop: EventLoop,
    private readonly newReader: Parts['snapshotReader'],
    private readonly truth: Truth,
    private readonly source: SimPublisher,
    private readonly recovery: RecoveryPath,
    private readonly options: { readonly maxWaiting: number; readonly outOfReachMs: number },
    private readonly trace: (text: string) => void,
  ) {
    super(loop)
  }

  /** Where it is, when it says that it is whole. */
  get position(): Position | undefined {
    return this.reader === undefined || this.reader.hasHole ? undefined : this.reader.position
  }

  start(): void {
    if (this.alive) return
    this.begin()
    const { maxWaiting, outOfReachMs } = this.options
    this.reader = this.newReader({ maxWaiting: { records: maxWaiting, bytes: Infinity }, outOfReachMs })
    this.askedMs = Infinity
    this.isUnanswered = false
    this.tick()
  }

  /** It keeps nothing. */
  kill(): void {
    if (!this.alive) return
    this.trace(`${this.name} killed`)
    this.end()
    this.recovery.forget()
    this.reader = undefined
    this.values.clear()
  }

  readonly onMessage = (message: Envelope): void => {
    const { epoch, seq, data } = message
    if (this.reader?.passes(epoch, seq, this.loop.nowMs) === true) {
      this.keep({ kind: 'record', epoch, seq, value: message })
      return
    }
    this.reader?.receive({ epoch, seq, value: message }, data.length, this.loop.nowMs)
    this.pump()
  }

  readonly onBeat = (beat: Beat): void => {
    this.reader?.reached(beat, this.loop.nowMs)
    this.pump()
  }

  /** As it says itself: an operator has nothing else to go by. */
  get isRegressed(): boolean {
    return this.reader?.isRegressed ?? false
  }

  /** Where the source lives in an epoch before what it has heard of, it says so. Throws `Violation`. */
  judgeEpoch(): void {
    const { epoch } = this.source.head
    if (this.reader === undefined || this.furthest <= epoch || this.isRegressed) return
    throw new Violation(
      'silent regression',
      `${this.name} has heard of epoch ${this.furthest}, the source lives in ${epoch}, and it says nothing`,
    )
  }

  /** The latest epoch that it has heard of. */
  get furthest(): number {
    return this.reader?.latestEpoch ?? 0
  }

  /** Where it is, and with every topic: unless nobody answered it when it joined. */
  get isCurrent(): boolean {
    const at = this.position
    return at !== undefined && isSame(at, this.source.head) && this.firstStale(at, true) === undefined
  }

  /** Where it says that nothing is missing, no value is older than that. Throws `Violation`. */
  judge(): void {
    const at = this.position
    const topic = at === undefined ? undefined : this.firstStale(at, !this.isUnanswered)
    if (at === undefined || topic === undefined) return
    const held = this.values.get(topic)
    throw new Violation(
      'stale value',
      `${this.name} is whole at ${at.epoch}:${at.seq} and has ${held === undefined ? 'nothing' : `${held.epoch}:${held.seq}`} of ${topic}`,
    )
  }

  /** A topic of which it has less than was published up to there; nothing counts as less with `all`. */
  private firstStale(at: Position, all: boolean): string | undefined {
    for (const [topic, { epoch, seq }] of this.truth.newest(at.epoch, at.seq)) {
      const held = this.values.get(topic)
      if (held === undefined ? all : isBefore(held, { epoch, seq })) return topic
    }
    return undefined
  }

  private tick(): void {
    this.pump()
    this.judge()
    this.later(TICK_MS, () => this.tick())
  }

  private pump(): void {
    const { reader } = this
    if (reader === undefined) return
    this.isUnanswered ||= this.loop.nowMs - this.askedMs >= this.options.outOfReachMs
    for (const item of reader.take(Infinity, this.loop.nowMs)) this.keep(item)
    const request = reader.nextRequest(this.loop.nowMs)
    if (request !== undefined) this.ask(reader, request)
  }

  private keep(item: SnapshotItem<Envelope>): void {
    if (item.kind !== 'record' && item.kind !== 'value') {
      this.trace(`${this.name} takes ${brief(item)}`)
      // Whoever is told that something is missing trusts no value until it hears of it again.
      this.values.clear()
      this.isUnanswered = true
      return
    }
    const { epoch, seq, value } = item
    this.trace(`${this.name} takes ${item.kind} ${epoch}:${seq} of ${value.topic}`)
    const held = this.values.get(value.topic)
    // A snapshot may say again what is known; nothing else may.
    const isAgain = held !== undefined && item.kind === 'value' && isSame(held, item)
    if (held !== undefined && !isAgain && !isBefore(held, item)) {
      throw new Violation(
        'back in time',
        `${this.name} takes ${epoch}:${seq} of ${value.topic} after ${held.epoch}:${held.seq}`,
      )
    }
    this.values.set(value.topic, { epoch, seq })
  }

  private ask(reader: SnapshotReader<Envelope>, request: SnapshotRequest): void {
    this.askedMs = Math.min(this.askedMs, this.loop.nowMs)
    this.trace(`${this.name} asks ${brief(request)}`)
    const settle = <R>(take: (reply: R) => void) => {
      return (reply: R | undefined): void => {
        if (reply === undefined) reader.onNoReply(this.loop.nowMs)
        else take(reply)
        this.pump()
      }
    }
    if (request.kind === 'snapshot') {
      this.recovery.ask<SnapshotReply<Envelope>>(
        (reply) => this.source.answerSnapshot(request.cursor, reply),
        settle((reply) => {
          if (!reader.onSnapshot(reply, this.loop.nowMs)) return
          this.askedMs = Infinity
          if (reply.next === null) this.isUnanswered = false
        }),
      )
      return
    }
    this.recovery.ask<RangeReply<Envelope>>(
      (reply) => this.source.answerRange(request, reply),
      settle((reply) => {
        this.askedMs = Infinity
        reader.onReply(reply, this.loop.nowMs)
      }),
    )
  }
}
