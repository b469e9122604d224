/**
 * The socket of the second source: connects, answers its `ping`, dials again with backoff, and notices silence. Nothing
 * is subscribed to: whoever connects hears of every game. What its frames say is `sports-message.ts`.
 */

import WebSocket from 'ws'
import { Backoff } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import { codeOf, messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { MAX_SPORTS_FRAME_BYTES, readSportsFrame } from './sports-message.js'
import type { SportsReading } from './sports-message.js'

export interface SportsFeedOptions {
  readonly url: string
  /** Honest name with a link. */
  readonly userAgent: string
  readonly clock: Clock
  readonly onConnected: () => void
  /** What arrived, in order; not the pings. */
  readonly onReading: (reading: Exclude<SportsReading, { readonly kind: 'ping' }>) => void
  /** What ws refused, and why the connection ended. Sanitized. */
  readonly onProblem: (reason: 'oversize' | 'closed' | 'silent' | 'failed', text: string) => void
  readonly timings?: Partial<SportsFeedTimings>
}

export interface SportsFeedTimings {
  /** It pings every 5 s: a socket that says nothing for so long is dead. */
  readonly silenceMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
}

const TIMINGS: SportsFeedTimings = { silenceMs: 15_000, backoffMinMs: 500, backoffMaxMs: 60_000 }
/** A connection that lasted so long was a good one: the next attempt is a first one. */
const GOOD_AFTER_MS = 30_000

export class SportsFeed {
  private readonly timings: SportsFeedTimings
  private readonly backoff: Backoff
  private socket: WebSocket | undefined
  private openedUs: number | undefined
  private heardUs = 0
  private lostUs: number
  private closed = false
  private retry: NodeJS.Timeout | undefined
  private watch: NodeJS.Timeout | undefined

  constructor(private readonly options: SportsFeedOptions) {
    this.timings = { ...TIMINGS, ...options.timings }
    this.backoff = new Backoff({ minMs: this.timings.backoffMinMs, maxMs: this.timings.backoffMaxMs })
    this.lostUs = options.clock.monoUs()
  }

  start(): void {
    this.watch = setInterval(() => this.checkSilence(), this.timings.silenceMs / 5)
    this.dial()
  }

  /** How long nothing has been heard, ms; 0 while it is connected and speaks. */
  get downMs(): number {
    return this.openedUs === undefined ? (this.options.clock.monoUs() - this.lostUs) / 1000 : 0
  }

  close(): Promise<void> {
    this.closed = true
    clearInterval(this.watch)
    clearTimeout(this.retry)
    const { socket } = this
    this.socket = undefined
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return Promise.resolve()
    return new Promise((resolve) => {
      socket.once('close', () => resolve())
      socket.terminate()
    })
  }

  private dial(): void {
    const socket = new WebSocket(this.options.url, {
      headers: { 'user-agent': this.options.userAgent },
      maxPayload: MAX_SPORTS_FRAME_BYTES,
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
    })
    this.socket = socket
    socket.on('open', () => this.opened())
    socket.on('message', (data) => this.received(socket, data))
    socket.on('error', (error) => this.failed(error))
    socket.on('close', (code) => this.lost(socket, 'closed', `closed (${code})`))
  }

  private opened(): void {
    this.openedUs = this.options.clock.monoUs()
    this.heardUs = this.openedUs
    this.options.onConnected()
  }

  private received(socket: WebSocket, data: WebSocket.RawData): void {
    if (socket !== this.socket) return
    this.heardUs = this.options.clock.monoUs()
    for (const reading of readSportsFrame(toBuffer(data))) {
      if (reading.kind === 'ping') socket.send('pong')
      else this.options.onReading(reading)
    }
  }

  /** `close` follows. */
  private failed(error: Error): void {
    if (this.closed) return
    const isOversize = codeOf(error) === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    this.options.onProblem(isOversize ? 'oversize' : 'failed', sanitize(messageOf(error), 200))
  }

  private checkSilence(): void {
    const { socket, openedUs } = this
    if (socket === undefined || openedUs === undefined) return
    const silentMs = (this.options.clock.monoUs() - this.heardUs) / 1000
    if (silentMs < this.timings.silenceMs) return
    socket.terminate()
    this.lost(socket, 'silent', `silent for ${Math.round(silentMs)} ms`)
  }

  private lost(socket: WebSocket, reason: 'closed' | 'silent', text: string): void {
    if (socket !== this.socket || this.closed) return
    this.socket = undefined
    const nowUs = this.options.clock.monoUs()
    if (this.openedUs !== undefined) {
      if (nowUs - this.openedUs >= GOOD_AFTER_MS * 1000) this.backoff.reset()
      this.lostUs = nowUs
      this.openedUs = undefined
    }
    const delayMs = this.backoff.nextMs()
    this.options.onProblem(reason, `${text}, connecting again in ${delayMs} ms`)
    this.retry = setTimeout(() => this.dial(), delayMs)
  }
}

function toBuffer(data: WebSocket.RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
