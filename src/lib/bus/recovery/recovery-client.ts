/**
 * Asks one publisher's recovery socket, one request at a time. A socket whose answer is late is thrown away with
 * everything on its way (Lazy Pirate): what comes is always the answer to what was asked last.
 */

import { Dealer } from 'zeromq'
import type { Clock } from '../../core/clock.js'
import type { HaltOrder, HaltedExec } from '../../model/halt.js'
import type { ManualAnswer, ManualOrder } from '../../model/manual-order.js'
import { unlessClosed } from '../closed.js'
import type { BusKeys } from '../curve.js'
import { curveClientOptions } from '../curve.js'
import type { PublisherEndpoint } from '../endpoints.js'
import { watchClient } from '../handshakes.js'
import { readRecords } from '../journal/record.js'
import type { JournalRecord } from '../journal/record.js'
import type { RangeReply, RangeRequest, SnapshotReply } from '../range.js'
import { RECOVERY_CLIENT_OPTIONS } from '../socket-options.js'
import { formatRequest, parseReply } from './messages.js'
import type { RecoveryReply, RecoveryRequest } from './messages.js'

/** A record as the journal has it; its topic and envelope are not decoded. */
export type PulledRecord = JournalRecord

export interface RecoveryClientOptions {
  readonly endpoint: PublisherEndpoint
  readonly clock: Clock
  readonly keys?: BusKeys | undefined
  /** An answer that takes longer is none. */
  readonly timeoutMs?: number
}

/** A request that is told to come again does so until it is this old, in timeouts. */
const PATIENCE = 5

interface Answer {
  readonly reply: RecoveryReply
  readonly records: readonly JournalRecord[]
}

/** One request as its caller has it. */
type Ask = RecoveryRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

export class RecoveryClient {
  private socket: Dealer | undefined
  /** The publisher's key that the socket goes by. */
  private serverKey: string | undefined
  private lastId = 0
  private expected: { readonly id: number; readonly settle: (answer: Answer | undefined) => void } | undefined
  /** The one before: requests go out one by one. */
  private last: Promise<unknown> = Promise.resolve()
  private closed = false
  private heldOff = false
  private readonly timeoutMs: number

  /** Connects with the first request. Throws `UNKNOWN_KEY` where there are keys and the publisher's is not among them. */
  constructor(private readonly options: RecoveryClientOptions) {
    this.timeoutMs = options.timeoutMs ?? 1_000
    // A first-design sender has neither a recovery socket nor a key.
    const { endpoint, keys } = options
    if (endpoint.recoveryUrl !== undefined) curveClientOptions(keys, endpoint.publisher)
  }

  /** The publisher answered, and said to come again. */
  get isHeldOff(): boolean {
    return this.heldOff
  }

  /** One chunk of a channel's journal; undefined when there was no answer. */
  async range(source: string, request: RangeRequest): Promise<RangeReply<PulledRecord> | undefined> {
    const answer = await this.ask({ op: 'range', source, ...request })
    if (answer?.reply.op !== 'range' || answer.reply.source !== source) return undefined
    const { epoch, from, known, hole, last, end, next } = answer.reply
    const isContiguous = answer.records.every(
      (record, i) => record.epoch === epoch && record.seq === from + i,
    )
    if (epoch !== request.epoch || from !== request.from || !isContiguous) return undefined
    const records = answer.records.map((value) => ({ seq: value.seq, value }))
    return { epoch, from, known, records, hole, last, end, next }
  }

  /** One chunk of a channel's newest values, from `cursor` on; undefined when there was no answer. */
  async snapshot(source: string, cursor = 0): Promise<SnapshotReply<PulledRecord> | undefined> {
    const answer = await this.ask({ op: 'snapshot', source, cursor })
    if (answer?.reply.op !== 'snapshot' || answer.reply.source !== source) return undefined
    const { epoch, seq, complete, next } = answer.reply
    if (answer.records.some((record) => record.epoch !== epoch || record.seq > seq)) return undefined
    const values = answer.records.map((value) => ({ topic: value.topic, seq: value.seq, value }))
    return { epoch, seq, complete, values, next }
  }

  /** Whether the publisher's event loop answers. */
  async ping(): Promise<boolean> {
    return (await this.ask({ op: 'ping' }))?.reply.op === 'pong'
  }

  /** Tells exec to stop; what is stopped then and by which exec, or undefined when there was no answer. */
  async halt(order: HaltOrder): Promise<HaltedExec | undefined> {
    const answer = await this.ask({ op: 'halt', ...order })
    if (answer?.reply.op !== 'halted') return undefined
    const { level, env, mode } = answer.reply
    return { level, env, mode }
  }

  /** Gives exec a manual order, or asks after one; undefined when there was no answer: exec may have it all the same. */
  async order(order: ManualOrder): Promise<ManualAnswer | undefined> {
    const answer = await this.ask({ op: 'order', order })
    return answer?.reply.op === 'ordered' ? answer.reply.answer : undefined
  }

  /** Whoever waits for an answer gets none. */
  close(): void {
    this.closed = true
    this.dropSocket()
  }

  private ask(request: Ask): Promise<Answer | undefined> {
    const answer = this.last.then(() => this.askPatiently(request))
    this.last = answer.catch(() => undefined)
    return answer
  }

  private async askPatiently(request: Ask): Promise<Answer | undefined> {
    const deadlineUs = this.options.clock.monoUs() + PATIENCE * this.timeoutMs * 1000
    for (;;) {
      const answer = await this.askOnce(request)
      this.heldOff = false
      if (answer?.reply.op !== 'rate_limited') return answer
      const retryMs = Math.min(answer.reply.retry_ms, this.timeoutMs)
      if (this.closed || this.options.clock.monoUs() + retryMs * 1000 > deadlineUs) return undefined
      this.heldOff = true
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }

  private askOnce(request: Ask): Promise<Answer | undefined> {
    const { recoveryUrl } = this.options.endpoint
    if (this.closed || recoveryUrl === undefined) return Promise.resolve(undefined)
    // The allowed keys may have been read again: an old key is not believed any longer.
    if (this.options.keys?.serverKeyOf(this.options.endpoint.publisher) !== this.serverKey) this.dropSocket()
    const socket = this.socket ?? this.connect(recoveryUrl)
    const id = ++this.lastId
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.dropSocket(), this.timeoutMs)
      const settle = (answer: Answer | undefined): void => {
        clearTimeout(timer)
        this.expected = undefined
        resolve(answer)
      }
      this.expected = { id, settle }
      socket.send(formatRequest({ ...request, id })).catch(() => {
        if (socket === this.socket) this.dropSocket()
      })
    })
  }

  private connect(url: string): Dealer {
    const { endpoint, keys } = this.options
    const curve = curveClientOptions(keys, endpoint.publisher)
    this.serverKey = curve.curveServerKey
    const socket = new Dealer({ ...RECOVERY_CLIENT_OPTIONS, ...curve })
    watchClient(socket, keys, endpoint.publisher)
    socket.connect(url)
    this.socket = socket
    this.receive(socket).catch(unlessClosed(socket))
    return socket
  }

  private dropSocket(): void {
    this.socket?.close()
    this.socket = undefined
    this.expected?.settle(undefined)
  }

  private async receive(socket: Dealer): Promise<void> {
    for await (const [header, bytes, ...rest] of socket) {
      if (socket !== this.socket) return
      const reply = header === undefined || rest.length > 0 ? undefined : parseReply(header)
      // An answer to an earlier question, or to none.
      if (reply === undefined || reply.id !== this.expected?.id) continue
      this.expected.settle(answerOf(reply, bytes))
    }
  }
}

/** A chunk that is not what its header says, or is damaged, is no answer. */
function answerOf(reply: RecoveryReply, bytes: Buffer | undefined): Answer | undefined {
  if (reply.op !== 'range' && reply.op !== 'snapshot') return { reply, records: [] }
  const records = bytes === undefined ? undefined : readRecords(bytes)
  return records === undefined || records.length !== reply.count ? undefined : { reply, records }
}
