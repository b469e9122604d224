/**
 * Answers readers that miss something: a ROUTER beside the publisher's PUB. The reader pulls one bounded chunk after
 * the other, at most one is served per turn of the event loop, and requests are capped per client and over all, so
 * that a refill neither overflows a queue nor holds up what is published live.
 */

import { setTimeout } from 'node:timers/promises'
import { Router } from 'zeromq'
import { evictOldest } from '../../core/evict-oldest.js'
import type { Clock } from '../../core/clock.js'
import type { HaltOrder, HaltedExec } from '../../model/halt.js'
import type { ManualAnswer, ManualOrder } from '../../model/manual-order.js'
import { Counters } from '../../telemetry/counters.js'
import { unlessClosed } from '../closed.js'
import type { BusKeys } from '../curve.js'
import { serverOptions } from '../curve.js'
import { watchServer } from '../handshakes.js'
import type { LoadFirst, RangeAnswer } from '../journal/range-answers.js'
import type { ChunkLimits } from '../journal/segment-index.js'
import type { RangeRequest } from '../range.js'
import { RECOVERY_SERVER_OPTIONS } from '../socket-options.js'
import { CHUNK, formatReply, parseRequest } from './messages.js'
import type { RecoveryReply, RecoveryRequest, RefusalReason, SnapshotHeader } from './messages.js'
import { TokenBucket } from './token-bucket.js'
import type { RateLimit } from './token-bucket.js'

/** Newest values as journal records, one behind the other, and what is said of them. */
export interface SnapshotChunk extends SnapshotHeader {
  readonly bytes: Buffer
}

/** A channel as the server needs it. */
export interface RecoverableChannel {
  /** What the journal has, or which of its segments has to be loaded first; null without a journal. */
  range(request: RangeRequest, limits: ChunkLimits): RangeAnswer | LoadFirst | null
  /** Brings a segment into memory; away from the event loop. */
  load(segment: string): Promise<void>
  /** Null where newest values are not kept. */
  snapshot(cursor: number, limits: ChunkLimits): SnapshotChunk | null
}

/** Some 25,000 prices a second: on two cores a faster reader triples the slowest hundredth of what others hear live. */
const PER_CLIENT: RateLimit = { perSecond: 200, burst: 20 }
/** A thousand readers that join at once get their snapshots within seconds. */
const OVER_ALL: RateLimit = { perSecond: 1_500, burst: 1_000 }
/** Reading what is asked takes so much of a turn of the event loop, and then rests. */
const STRETCH_MS = 1
const PAUSE_MS = 10
/** Requests that wait for their turn; beyond that they are told to come again. */
const MAX_WAITING = 1_000
/** Clients whose rate is remembered: a new connection is a new client, so the cap over all is the bound. */
const MAX_CLIENTS = 4_096
/** Loads that one request may cause before it is given up. */
const MAX_LOADS = 4

/** What exec does beside: both answer at once. */
export interface ExecRequests {
  /** Stops trading and says what is stopped then. */
  readonly onHalt: (order: HaltOrder) => HaltedExec
  /** Takes a manual order it has not seen, and says what has become of it. */
  readonly onOrder: (order: ManualOrder) => ManualAnswer
}

interface Job {
  readonly client: Buffer
  readonly request: Exclude<RecoveryRequest, { readonly op: 'ping' | 'halt' | 'order' }>
  readonly loads: number
}

export class RecoveryServer {
  /** Where it is bound; the port is known even when `*` was asked. */
  readonly url: string
  private channels: ReadonlyMap<string, RecoverableChannel> = new Map()
  private exec: ExecRequests | undefined
  private readonly counters = new Counters()
  private readonly clients = new Map<string, TokenBucket>()
  private readonly overAll: TokenBucket
  private waiting: Job[] = []
  /** They wait for a segment; one is loaded at a time. */
  private parked: Job[] = []
  private isLoading = false
  private turn: NodeJS.Immediate | undefined
  private closed = false

  private constructor(
    private readonly socket: Router,
    url: string,
    private readonly clock: Clock,
  ) {
    this.url = socket.lastEndpoint ?? url
    this.overAll = new TokenBucket(OVER_ALL, this.nowMs())
  }

  /** Binds; requests wait until `serve`. Rejects as the socket does. */
  static async bind(options: {
    readonly url: string
    readonly clock: Clock
    readonly keys?: BusKeys | undefined
  }): Promise<RecoveryServer> {
    const { url, clock, keys } = options
    const socket = new Router({ ...RECOVERY_SERVER_OPTIONS, ...serverOptions(keys) })
    watchServer(socket, keys, url)
    try {
      await socket.bind(url)
    } catch (error) {
      socket.close()
      throw error
    }
    return new RecoveryServer(socket, url, clock)
  }

  /** Answers from now on, for these sources. */
  serve(channels: ReadonlyMap<string, RecoverableChannel>, exec?: ExecRequests): void {
    this.channels = channels
    this.exec = exec
    this.receive().catch(unlessClosed(this.socket))
  }

  /** `recovery_requests:<outcome>` and `recovery_bad_requests:<reason>`. */
  counts(): Readonly<Record<string, number>> {
    return this.counters.snapshot()
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    clearImmediate(this.turn)
    this.waiting = []
    this.parked = []
    this.socket.close()
  }

  /** A flood of requests or garbage gets a tenth of the event loop: what more there is waits in the sockets. */
  private async receive(): Promise<void> {
    let turnStartMs: number | undefined
    for await (const frames of this.socket) {
      if (turnStartMs === undefined) {
        turnStartMs = this.nowMs()
        setImmediate(() => (turnStartMs = undefined))
      }
      const [client, frame] = frames
      if (client === undefined || frame === undefined || frames.length !== 2) this.countBad('bad_frames')
      else this.handle(client, frame)
      if (this.nowMs() - turnStartMs >= STRETCH_MS) await setTimeout(PAUSE_MS)
    }
  }

  private handle(client: Buffer, frame: Buffer): void {
    const parsed = parseRequest(frame)
    if (parsed.kind === 'bad') return this.countBad(parsed.reason)
    const { request } = parsed
    // Never told to wait.
    if (request.op === 'halt') return this.halt(client, request)
    const retryMs = this.retryMs(client)
    if (retryMs > 0) return this.reply(client, { op: 'rate_limited', id: request.id, retry_ms: retryMs })
    if (request.op === 'ping') return this.reply(client, { op: 'pong', id: request.id })
    if (request.op === 'order') return this.order(client, request)
    this.waiting.push({ client, request, loads: 0 })
    this.schedule()
  }

  private halt(client: Buffer, { id, level, reason, by }: RecoveryRequest & { readonly op: 'halt' }): void {
    if (this.exec === undefined) return this.reply(client, { op: 'refused', id, reason: 'not_exec' })
    this.reply(client, { op: 'halted', id, ...this.exec.onHalt({ level, reason, by }) })
  }

  private order(client: Buffer, { id, order }: RecoveryRequest & { readonly op: 'order' }): void {
    if (this.exec === undefined) return this.reply(client, { op: 'refused', id, reason: 'not_exec' })
    this.reply(client, { op: 'ordered', id, answer: this.exec.onOrder(order) })
  }

  /** 0 when the request may be served, else when to come again. */
  private retryMs(client: Buffer): number {
    const nowMs = this.nowMs()
    const name = client.toString('latin1')
    let bucket = this.clients.get(name)
    if (bucket === undefined) {
      bucket = new TokenBucket(PER_CLIENT, nowMs)
      this.clients.set(name, bucket)
      evictOldest(this.clients, MAX_CLIENTS)
    }
    const waitMs = Math.max(bucket.waitMs(nowMs), this.overAll.waitMs(nowMs))
    if (waitMs > 0) return waitMs
    if (this.waiting.length + this.parked.length >= MAX_WAITING) return 100
    bucket.take()
    this.overAll.take()
    return 0
  }

  private schedule(): void {
    if (this.turn !== undefined || this.waiting.length === 0 || this.closed) return
    this.turn = setImmediate(() => {
      this.turn = undefined
      const job = this.waiting.shift()
      if (job !== undefined) this.serveOne(job)
      this.schedule()
    })
  }

  private serveOne(job: Job): void {
    const { client, request } = job
    const channel = this.channels.get(request.source)
    if (channel === undefined) return this.refuse(job, 'unknown_source')
    try {
      if (request.op === 'snapshot') {
        const chunk = channel.snapshot(request.cursor, CHUNK)
        if (chunk === null) return this.refuse(job, 'no_snapshot')
        const { bytes, ...header } = chunk
        return this.reply(
          client,
          { op: 'snapshot', id: request.id, source: request.source, ...header },
          bytes,
        )
      }
      const answer = channel.range(request, CHUNK)
      if (answer === null) return this.refuse(job, 'no_journal')
      if (answer.kind === 'load') return this.park(job, channel, answer.segment)
      const { epoch, from, count, known, hole, last, end, next } = answer
      const header = { epoch, from, count, known, hole, last, end, next }
      this.reply(client, { op: 'range', id: request.id, source: request.source, ...header }, answer.bytes)
    } catch {
      this.refuse(job, 'failed')
    }
  }

  /** What waits goes on when the segment is there; when it cannot be read the journal knows by then. */
  private park(job: Job, channel: RecoverableChannel, segment: string): void {
    if (job.loads >= MAX_LOADS) return this.refuse(job, 'failed')
    if (this.isLoading) {
      this.parked.push(job)
      return
    }
    this.parked.push({ ...job, loads: job.loads + 1 })
    this.isLoading = true
    channel
      .load(segment)
      .catch(() => this.counters.add('journal_errors', 'load'))
      .finally(() => {
        this.isLoading = false
        this.waiting = [...this.parked, ...this.waiting]
        this.parked = []
        this.schedule()
      })
  }

  private refuse({ client, request }: Job, reason: RefusalReason): void {
    this.reply(client, { op: 'refused', id: request.id, reason })
  }

  private reply(client: Buffer, reply: RecoveryReply, bytes?: Buffer): void {
    this.counters.add('recovery_requests', reply.op === 'refused' ? reply.reason : reply.op)
    if (this.closed) return
    const header = formatReply(reply)
    // A client that is gone, or that asks and does not read, gets nothing: it will ask again.
    this.socket.send(bytes === undefined ? [client, header] : [client, header, bytes]).catch(() => undefined)
  }

  private countBad(reason: string): void {
    this.counters.add('recovery_bad_requests', reason)
  }

  private nowMs(): number {
    return this.clock.monoUs() / 1000
  }
}
