/** The account's channels over a socket of their own, with the trading key: reconnects, and says when it has. */

import type { WebSocket } from 'ws'

import { Backoff } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import { sanitize } from '../../core/sanitize.js'
import { ACCOUNT_CHANNELS, parseAccountFrame, type AccountFrame } from './account-frames.js'
import type { KalshiCredentials } from './auth.js'
import { RedialPace } from '../redial-pace.js'
import { Sequence } from './sequence.js'
import { openSocket } from './socket.js'

export interface AccountSocketOptions {
  readonly wsUrl: string
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  readonly onFrame: (frame: AccountFrame) => void
  /** What was told of order groups has a hole. */
  readonly onGroupGap: () => void
  /** Every channel is subscribed; what was told before is lost, and must be read. */
  readonly onLive: () => void
  readonly onNotice: (level: 'info' | 'warn', text: string) => void
  /** Asked after so often; twice without an answer is dead. */
  readonly pingMs?: number
}

const HANDSHAKE_MS = 10_000
const MAX_FRAME_BYTES = 1024 * 1024

export class AccountSocket {
  private readonly pace = new RedialPace(new Backoff({ minMs: 100, maxMs: 5000 }))
  private socket: WebSocket | undefined
  private timer: NodeJS.Timeout | undefined
  private isClosed = false
  /** Told of once, until it is there again. */
  private isDown = false

  constructor(private readonly options: AccountSocketOptions) {
    this.dial()
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
    this.socket?.terminate()
  }

  private dial(): void {
    const { wsUrl, credentials, clock, onLive, onNotice, pingMs = 5_000 } = this.options
    const socket = openSocket({
      wsUrl,
      credentials,
      clock,
      handshakeMs: HANDSHAKE_MS,
      maxPayload: MAX_FRAME_BYTES,
    })
    this.socket = socket
    let [subscribed, unanswered, isRefused] = [0, 0, false]
    const groups = new Sequence()
    let pings: NodeJS.Timeout | undefined
    socket.on('open', () => {
      socket.send(JSON.stringify({ id: 1, cmd: 'subscribe', params: { channels: ACCOUNT_CHANNELS } }))
      pings = setInterval(() => {
        if (unanswered++ >= 2) socket.terminate()
        else socket.ping()
      }, pingMs)
    })
    socket.on('pong', () => (unanswered = 0))
    socket.on('message', (data: Buffer) => {
      const frame = parseAccountFrame(data.toString('utf8'))
      if (frame.kind !== 'subscribed') {
        this.pass(frame, groups)
        // A channel that is refused, or ended by the venue, is silent for good: all of them are asked for again.
        if (frame.kind === 'error' || frame.kind === 'ended') socket.terminate()
        return
      }
      if (++subscribed !== ACCOUNT_CHANNELS.length) return
      this.pace.live(clock.monoUs())
      if (this.isDown) onNotice('info', 'Kalshi account channels are back')
      this.isDown = false
      onLive()
    })
    socket.on('error', (error) => {
      isRefused = /server response: \d{3}\b/.test(error.message)
      if (this.isClosed || this.isDown) return
      this.isDown = true
      onNotice('warn', `Kalshi account channels: ${sanitize(error.message, 200)}; the lists are read instead`)
    })
    socket.on('close', () => {
      clearInterval(pings)
      if (this.isClosed) return
      this.timer = setTimeout(() => this.dial(), this.pace.ended(clock.monoUs(), { isRefused }))
    })
  }

  private pass(frame: AccountFrame, groups: Sequence): void {
    const { onFrame, onGroupGap } = this.options
    onFrame(frame)
    if (frame.kind !== 'group') return
    const order = groups.take(frame.seq)
    if (order === 'gap' || order === 'rewound') onGroupGap()
  }
}
