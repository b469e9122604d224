/**
 * A publisher that can be killed at any step: the real channel, outbox and journal, on a disk that fails, its sockets
 * replaced by links. What it publishes, and what nobody can know of it any more, is noted in the truth.
 */

import { Channel } from '../../src/lib/bus/channel.js'
import { Journal } from '../../src/lib/bus/journal/journal.js'
import { readRecords } from '../../src/lib/bus/journal/record.js'
import { Outbox } from '../../src/lib/bus/outbox.js'
import type { Frames } from '../../src/lib/bus/outbox.js'
import { NOWHERE } from '../../src/lib/bus/position.js'
import type { Position } from '../../src/lib/bus/position.js'
import type { RangeReply, RangeRequest, SnapshotReply } from '../../src/lib/bus/range.js'
import { codeOf } from '../../src/lib/core/errors.js'
import type { Clock } from '../../src/lib/core/clock.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import { Process } from './event-loop.js'
import type { EventLoop } from './event-loop.js'
import type { Link } from './network.js'
import { DiskSession } from './disk-session.js'
import type { SimDisk } from './sim-disk.js'
import type { Envelope, Truth } from './truth.js'

/** What a heartbeat says of the channel. */
export interface Beat extends Position {
  readonly closing: boolean
  readonly journal: boolean
}

/** The subscribing end of a connection. */
export interface Subscription {
  readonly link: Link
  readonly onMessage: (message: Envelope) => void
  readonly onBeat: (beat: Beat) => void
}

export interface PublisherPlan {
  readonly source: string
  readonly retainBytes: number
  readonly topics: number
  readonly chunk: { readonly records: number; readonly bytes: number }
}

/** One life of it. */
interface Life {
  readonly disk: DiskSession
  readonly journal: Journal
  readonly channel: Channel
  readonly outbox: Outbox
}

/** The wall clock's zero. */
const EPOCH_MS = 1_000_000
const HEARTBEAT_MS = 200
const SYNC_MS = 40
const RECONNECT_MS = 100
/** A segment is brought from the disk within. */
const LOAD_MS = 5

export class SimPublisher extends Process {
  readonly subscriptions: Subscription[] = []
  clockOffsetMs = 0
  private epochFloor = 0
  private life: Life | undefined
  private lastHead: Position = NOWHERE
  private boot = 1
  /** The next life is killed while it begins. */
  private strikesStart = false
  private published = 0
  /** Dies after so many more messages given to publish() or to the socket. */
  private stepsLeft = Infinity
  private readonly clock: Clock = {
    nowMs: () => Math.floor(EPOCH_MS + this.loop.nowMs + this.clockOffsetMs),
    monoUs: () => Math.floor(this.loop.nowMs * 1_000),
  }

  constructor(
    loop: EventLoop,
    private readonly prng: Prng,
    private readonly truth: Truth,
    private readonly disk: SimDisk,
    private readonly plan: PublisherPlan,
    private readonly trace: (text: string) => void,
  ) {
    super(loop)
  }

  /** Where its channel stands, or stood when it died. */
  get head(): Position {
    const { channel } = this.life ?? {}
    if (channel !== undefined) this.lastHead = { epoch: channel.epoch, seq: channel.lastSeq }
    return this.lastHead
  }

  get oldest(): Position | null {
    return this.life?.journal.oldest ?? null
  }

  start(): void {
    if (this.alive) return
    const life = this.open()
    if (life === undefined) {
      this.trace('publisher dies while it starts')
      this.loop.after(50, () => this.start())
      return
    }
    this.begin()
    this.life = life
    const { epoch } = life.channel
    this.truth.openEpoch(epoch)
    this.trace(`publisher starts epoch ${epoch}`)
    for (const { link } of this.subscriptions) {
      link.sever('drop')
      this.later(RECONNECT_MS * this.prng.next(), () => link.mend())
    }
    this.beatAgain()
    this.syncAgain()
  }

  /** SIGKILL: at once, among the next messages, or among the next changes on its disk. */
  kill(): void {
    const kind = this.prng.int(0, 2)
    if (kind === 0) {
      this.die('killed')
      this.strikesStart = this.prng.chance(0.3)
    } else if (kind === 1) this.stepsLeft = this.prng.int(0, 8)
    else this.life?.disk.strikeAt(this.prng.int(0, 4))
  }

  /** Nobody wants to kill it any more. */
  spare(): void {
    this.stepsLeft = Infinity
    this.life?.disk.strikeAt(Infinity)
  }

  /** What an operator does about `EPOCH_REGRESSED`: `--epoch-floor`. */
  restartAbove(epoch: number): void {
    this.stopCleanly()
    this.epochFloor = epoch + 1
    this.start()
  }

  stopCleanly(): void {
    const { life } = this
    if (life === undefined) return
    this.beat(true)
    if (this.life !== life) return
    life.journal.close()
    if (!this.isStruck()) this.die('stopped')
  }

  cutPower(): void {
    this.die('without power')
    this.boot++
    this.disk.cutPower()
    this.truth.loseEnds()
  }

  publish(count: number): void {
    const { life } = this
    if (life === undefined) return
    const { channel, journal, outbox } = life
    // The flush that finds the disk again has still lost what it was to write.
    const wasDegraded: boolean = journal.state === 'degraded'
    for (let i = 0; i < count && this.life === life; i++) this.publishOne(channel)
    if (this.life !== life) return
    outbox.flush()
    // Also when it dies in this flush: its index of epochs may have told of the hole already.
    if (wasDegraded || journal.state === 'degraded') this.noteUnwritten(channel, count)
    if (this.isStruck()) return
    this.truth.makeCertain(channel.epoch, channel.lastSeq)
  }

  /** Never answers when it is not there. */
  answerRange(request: RangeRequest, reply: (reply: RangeReply<Envelope>) => void): void {
    const { life } = this
    if (life === undefined) return
    const chunk = life.channel.range(request, this.plan.chunk)
    if (chunk === null) return
    if ('segment' in chunk) {
      this.loop.settle(life.channel.load(chunk.segment))
      this.later(LOAD_MS * this.prng.next(), () => this.answerRange(request, reply))
      return
    }
    const { epoch, from, known, hole, last, end, next, bytes } = chunk
    const records = readRecords(bytes)
    // A client that cannot read a chunk has no answer.
    if (records === undefined) return
    reply({
      epoch,
      from,
      known,
      hole,
      last,
      end,
      next,
      records: records.map((value) => ({ seq: value.seq, value })),
    })
  }

  answerSnapshot(cursor: number, reply: (reply: SnapshotReply<Envelope>) => void): void {
    const chunk = this.life?.channel.snapshot(cursor, this.plan.chunk)
    if (chunk === undefined || chunk === null) return
    const { epoch, seq, complete, next, bytes } = chunk
    const values = (readRecords(bytes) ?? []).map((value) => ({ topic: value.topic, seq: value.seq, value }))
    reply({ epoch, seq, complete, next, values })
  }

  private open(): Life | undefined {
    const { clock, boot, epochFloor, plan, trace } = this
    const disk = new DiskSession(this.disk, this.prng)
    if (this.strikesStart) disk.strikeAt(this.prng.int(0, 6))
    this.strikesStart = false
    const { source, retainBytes } = plan
    let journal: Journal
    try {
      journal = Journal.open({
        storage: disk,
        source,
        clock,
        retainBytes,
        epochFloor,
        bootId: `boot-${boot}`,
        onNotice: (text) => trace(`journal: ${text}`),
      })
    } catch (error) {
      if (disk.isOver || codeOf(error) === 'JOURNAL_UNUSABLE') return undefined
      throw error
    }
    if (disk.isOver) return undefined
    disk.strikeAt(Infinity)
    const outbox = new Outbox((frames) => this.send(frames))
    const { epoch } = journal
    return {
      disk,
      journal,
      outbox,
      channel: new Channel({ source, epoch, env: 'sim', clock, journal, outbox }),
    }
  }

  private publishOne(channel: Channel): void {
    const family = this.plan.source.split('.').at(-1)
    const topic = `${family}.kalshi.T${this.prng.int(1, this.plan.topics)}`
    const n = ++this.published
    const seq = channel.nextSeq
    const { epoch } = channel
    this.truth.accept({ epoch, seq, topic, mark: `"n":${n}}}` })
    try {
      channel.publish(topic, { n })
    } catch (error) {
      if (codeOf(error) !== 'JOURNAL_FAILED') throw error
      this.trace(`publisher refuses ${epoch}:${seq}`)
      if (channel.nextSeq === seq) this.truth.retract(epoch, seq)
      else this.truth.noteUnwritten(epoch, seq)
    }
    this.isStruck()
  }

  private noteUnwritten(channel: Channel, count: number): void {
    for (let seq = channel.lastSeq - count + 1; seq <= channel.lastSeq; seq++) {
      this.truth.noteUnwritten(channel.epoch, seq)
    }
  }

  /** One message to every subscriber, or to some of them when it dies meanwhile. */
  private send([topicFrame, body]: Frames): void {
    const { life } = this
    if (life === undefined || this.isStruck()) return
    const data = Buffer.isBuffer(body) ? body : Buffer.from(body)
    const topic = topicFrame.toString()
    const { epoch } = life.channel
    const seq = Number(/"seq":(\d+)/.exec(data.toString('latin1', 0, 100))?.[1])
    const message = { epoch, seq, topic, data }
    // All of the turn was written before the first of it is sent.
    this.truth.makeCertain(epoch, life.journal.state === 'on' ? life.channel.lastSeq : seq)
    for (const { link, onMessage } of this.subscriptions) link.send(() => onMessage(message))
  }

  private beatAgain(): void {
    this.beat(false)
    this.later(HEARTBEAT_MS, () => this.beatAgain())
  }

  private beat(closing: boolean): void {
    const { life } = this
    if (life === undefined) return
    life.outbox.flush()
    if (this.isStruck()) return
    const { epoch, last_seq: seq, journal } = life.channel.beat()
    const beat = { epoch, seq, closing, journal: journal !== 'none' }
    for (const { link, onBeat } of this.subscriptions) link.send(() => onBeat(beat))
  }

  private syncAgain(): void {
    void this.life?.journal.sync()
    this.loop.settle()
    this.later(SYNC_MS * 2 * this.prng.next(), () => this.syncAgain())
  }

  private isStruck(): boolean {
    if (this.life === undefined) return true
    const isDead = this.stepsLeft-- <= 0 || this.life.disk.isOver
    if (isDead) this.die('killed at work')
    return isDead
  }

  private die(how: string): void {
    if (!this.alive) return
    this.trace(`publisher ${how} at ${this.head.epoch}:${this.head.seq}`)
    // What a full disk did not take is nobody's knowledge either, nor where it ended when nothing came after.
    const { epoch, seq } = this.head
    if (this.life?.journal.state === 'degraded' || this.truth.isUnwritten(epoch, seq))
      this.truth.loseEnd(epoch)
    this.end()
    this.spare()
    if (this.life !== undefined) this.life.disk.isOver = true
    this.life = undefined
  }
}
