/** A gap-filled reader that keeps what it took in a log, and starts again from there when it was killed. */

import type { ChannelReader } from '../../src/lib/bus/channel-reader.js'
import type { ReaderItem } from '../../src/lib/bus/channel-reader.js'
import { NOWHERE } from '../../src/lib/bus/position.js'
import type { Checkpoint } from '../../src/lib/bus/position.js'
import type { RangeReply } from '../../src/lib/bus/range.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import { Process } from './event-loop.js'
import type { EventLoop } from './event-loop.js'
import { entryOf, judgeGap } from './oracle.js'
import type { LogEntry } from './oracle.js'
import type { Parts } from './parts.js'
import type { RecoveryPath } from './recovery-path.js'
import type { Beat, SimPublisher } from './sim-publisher.js'
import type { Envelope, Truth } from './truth.js'
import { brief } from './parts.js'

interface Kept {
  readonly entry: LogEntry | undefined
  readonly after: Checkpoint
}

const TICK_MS = 50

export class SimReader extends Process {
  private readonly log: Kept[] = []
  private reader: ChannelReader<Envelope> | undefined

  constructor(
    loop: EventLoop,
    private readonly prng: Prng,
    private readonly newReader: Parts['reader'],
    private readonly name: string,
    private readonly truth: Truth,
    private readonly source: SimPublisher,
    private readonly recovery: RecoveryPath,
    private readonly options: { readonly maxWaiting: number; readonly outOfReachMs: number },
    private readonly trace: (text: string) => void,
  ) {
    super(loop)
  }

  get position(): Checkpoint {
    return this.log.at(-1)?.after ?? NOWHERE
  }

  get entries(): readonly LogEntry[] {
    return this.log.flatMap(({ entry }) => (entry === undefined ? [] : [entry]))
  }

  get isRegressed(): boolean {
    return this.reader?.isRegressed ?? false
  }

  start(): void {
    if (this.alive) return
    this.begin()
    const { maxWaiting, outOfReachMs } = this.options
    this.reader = this.newReader({ maxWaiting: { records: maxWaiting, bytes: Infinity }, outOfReachMs })
    this.reader.startAt(this.position)
    this.recovery.answeredMs = this.loop.nowMs
    this.tick()
  }

  /** What was not yet on disk is lost with it. */
  kill(): void {
    if (!this.alive) return
    this.trace(`${this.name} killed`)
    this.end()
    this.recovery.forget()
    this.reader = undefined
    this.log.splice(this.log.length - this.prng.int(0, Math.min(3, this.log.length)))
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

  private tick(): void {
    this.pump()
    this.later(TICK_MS, () => this.tick())
  }

  private pump(): void {
    const { reader } = this
    if (reader === undefined) return
    const { nowMs } = this.loop
    for (const item of reader.take(Infinity, nowMs)) this.keep(item)
    const request = reader.nextRequest(nowMs)
    if (request === undefined) return
    this.trace(`${this.name} asks ${request.epoch}:${request.from}-${request.to ?? ''}`)
    this.recovery.ask<RangeReply<Envelope>>(
      (reply) => this.source.answerRange(request, reply),
      (reply) => {
        this.trace(`${this.name} is told ${brief(reply)}`)
        if (reply === undefined) reader.onNoReply(this.loop.nowMs)
        else reader.onReply(reply, this.loop.nowMs)
        this.pump()
      },
    )
  }

  private keep(item: ReaderItem<Envelope>): void {
    const entry = entryOf(item, this.position)
    this.trace(`${this.name} takes ${brief(item)}`)
    if (entry?.kind === 'gap') {
      judgeGap(this.name, entry, this.truth, {
        head: this.source.head,
        oldest: this.source.oldest,
        maxBehind: Infinity,
        unansweredMs: this.loop.nowMs - this.recovery.answeredMs,
        outOfReachMs: this.options.outOfReachMs,
      })
    }
    this.log.push({ entry, after: afterOf(item) })
  }
}

function afterOf(item: ReaderItem<Envelope>): Checkpoint {
  switch (item.kind) {
    case 'record':
      return { epoch: item.epoch, seq: item.seq, closed: false }
    case 'gap':
      return { epoch: item.epoch, seq: item.to, closed: false }
    case 'epoch':
      return { epoch: item.to, seq: 0, closed: false }
    case 'closed':
      return { epoch: item.epoch, seq: item.seq, closed: true }
  }
}
