/**
 * One socket of the market channel and the REST compare beside it: all the I/O of `PolymarketMapper`.
 *
 * The venue answers a text PING every 10 s while its data stand still for hours, so a PONG only keeps the socket: what
 * proves continuity is a hash, or, after 750 ms without one, the books that REST has.
 */

import WebSocket from 'ws'
import { Backoff } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import { codeOf, messageOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { CatalogMarket } from '../../model/game.js'
import { RedialPace } from '../redial-pace.js'
import { isVerdict, MAX_FRAME_BYTES, parseFrames } from './frames.js'
import type { MapperEffect, MapperOptions } from './mapper-effects.js'
import { PolymarketMapper } from './mapper.js'
import { RestCompare, type CompareTimings } from './rest-compare.js'
import type { PolymarketRest } from './rest.js'

export interface ConnectionTimings extends MapperOptions, CompareTimings {
  readonly pingEveryMs: number
  /** A socket whose PONG is this late is dead. */
  readonly pongTimeoutMs: number
  /** Without any proof for this long, hash or REST, the socket is replaced. */
  readonly giveUpMs: number
  readonly tickMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
}

export const TIMINGS: ConnectionTimings = {
  // 750 ms of silence, then a compare that proves as of its question: 200 ms for its round trip and a tick. On the
  // simulator's clean traffic the oldest proof was 0.79 s, with one market to a socket, and nothing went STALE.
  staleAfterUs: 1_000_000,
  resyncTimeoutUs: 3_000_000,
  resyncGapUs: 500_000,
  claimGraceUs: 250_000,
  pingEveryMs: 10_000,
  pongTimeoutMs: 25_000,
  proofAfterMs: 750,
  compareGapMs: 750,
  auditEveryMs: 2000,
  giveUpMs: 20_000,
  tickMs: 50,
  backoffMinMs: 100,
  backoffMaxMs: 5000,
}

export interface ConnectionOptions {
  readonly url: string
  readonly clock: Clock
  readonly timings: ConnectionTimings
  readonly random?: () => number
  readonly rest: Pick<PolymarketRest, 'book' | 'books'>
  /** Book, verdict and notice effects, in order, with the arrival time of the bytes that caused them. */
  readonly onEffect: (effect: MapperEffect, recvUs: number) => void
}

export class MarketConnection {
  readonly mapper: PolymarketMapper
  reconnects = 0
  /** Attempts since the socket was last open. */
  failures = 0

  private readonly pace: RedialPace
  private isRefused = false
  private socket: WebSocket | undefined
  private readonly compare: RestCompare
  private openedUs = 0
  private pingedUs = 0
  private pongUs = 0
  private closed = false
  private retry: NodeJS.Timeout | undefined
  private ticker: NodeJS.Timeout | undefined

  constructor(private readonly options: ConnectionOptions) {
    const { timings, random } = options
    const mapper = new PolymarketMapper(timings)
    this.mapper = mapper
    this.compare = new RestCompare({
      timings,
      mapper,
      rest: options.rest,
      nowUs: () => this.now(),
      onBooks: (books, askedUs) => {
        const nowUs = this.now()
        this.run(mapper.onRest(books, askedUs, nowUs), nowUs)
      },
      onFailure: (text) => this.notice('warn', `polymarket REST compare: ${text}`),
    })
    const { backoffMinMs: minMs, backoffMaxMs: maxMs } = timings
    this.pace = new RedialPace(new Backoff({ minMs, maxMs, ...(random === undefined ? {} : { random }) }))
  }

  get assets(): number {
    return this.mapper.assets
  }

  private get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN
  }

  follow(market: CatalogMarket): void {
    this.run(this.mapper.follow(market, this.now()), this.now())
    if (this.ticker === undefined) this.start()
  }

  unfollow(marketId: string): void {
    this.run(this.mapper.unfollow(marketId), this.now())
  }

  close(): Promise<void> {
    this.closed = true
    clearInterval(this.ticker)
    clearTimeout(this.retry)
    this.compare.abort()
    const { socket } = this
    this.socket = undefined
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return Promise.resolve()
    return new Promise((resolve) => {
      socket.once('close', () => resolve())
      socket.terminate()
    })
  }

  private start(): void {
    this.ticker = setInterval(() => this.tick(), this.options.timings.tickMs)
    this.connect()
  }

  private now(): number {
    return this.options.clock.monoUs()
  }

  private connect(): void {
    if (this.closed) return
    const socket = new WebSocket(this.options.url, {
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: 5000,
      perMessageDeflate: false,
    })
    this.socket = socket
    socket.on('open', () => this.opened())
    socket.on('message', (data) => this.received(socket, data))
    socket.on('error', (error) => this.failed(socket, error))
    socket.on('close', (code) => this.lost(socket, code))
  }

  private opened(): void {
    const nowUs = this.now()
    this.failures = 0
    this.openedUs = nowUs
    this.pingedUs = nowUs
    this.pongUs = nowUs
    this.run(this.mapper.connected(nowUs), nowUs)
  }

  private received(socket: WebSocket, data: WebSocket.RawData): void {
    const recvUs = this.now()
    if (socket !== this.socket) return
    for (const item of parseFrames(toBuffer(data))) {
      // Given up by what the same frame told before.
      if (socket !== this.socket) return
      if (!isVerdict(item)) {
        this.run(this.mapper.onEvent(item, recvUs), recvUs)
        continue
      }
      if (item.kind === 'skipped' && item.name === 'PONG') this.pongUs = recvUs
      this.run(this.mapper.onVerdict(item, recvUs), recvUs)
    }
  }

  /** `close` follows. What ws itself refuses never becomes a message, so it is counted here. */
  private failed(socket: WebSocket, error: Error): void {
    if (socket === this.socket && codeOf(error) === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      const verdict = {
        kind: 'refused',
        reason: 'oversize',
        detail: `over ${MAX_FRAME_BYTES} bytes`,
      } as const
      this.options.onEffect({ kind: 'verdict', verdict }, this.now())
    }
    this.isRefused = /server response: \d{3}\b/.test(error.message)
    this.notice('warn', `polymarket socket: ${sanitize(messageOf(error), 200)}`)
  }

  private lost(socket: WebSocket, code: number): void {
    if (socket !== this.socket || this.closed) return
    this.socket = undefined
    this.compare.abort()
    this.reconnects += 1
    this.failures += 1
    const nowUs = this.now()
    this.run(this.mapper.disconnected(), nowUs)
    const delayMs = this.pace.ended(nowUs, { isRefused: this.isRefused })
    this.isRefused = false
    this.notice('warn', `polymarket socket closed (${code}), connecting again in ${delayMs} ms`)
    this.retry = setTimeout(() => this.connect(), delayMs)
  }

  private tick(): void {
    const nowUs = this.now()
    this.run(this.mapper.tick(nowUs), nowUs)
    if (!this.isOpen) return
    const { pingEveryMs, pongTimeoutMs, giveUpMs } = this.options.timings
    if (nowUs - this.pingedUs >= pingEveryMs * 1000) {
      this.pingedUs = nowUs
      this.socket?.send('PING')
    }
    if (nowUs - this.pongUs >= pongTimeoutMs * 1000) return this.drop('no PONG')
    if (!this.mapper.expectsProof) return
    if (nowUs - (this.mapper.partlyProvedUs ?? this.openedUs) >= giveUpMs * 1000)
      return this.drop('nothing proves continuity')
    this.compare.tick(nowUs - (this.mapper.provedUs ?? this.openedUs))
  }

  private run(effects: readonly MapperEffect[], recvUs: number): void {
    for (const effect of effects) {
      if (effect.kind === 'send') {
        if (this.isOpen) this.socket?.send(effect.text)
      } else if (effect.kind === 'reconnect') {
        // What else was to be done was for the connection that is gone.
        return this.drop(effect.reason)
      } else {
        if (effect.kind === 'proved') this.pace.live(this.now())
        this.options.onEffect(effect, recvUs)
      }
    }
  }

  private drop(reason: string): void {
    this.notice('warn', `polymarket socket dropped: ${reason}`)
    const { socket } = this
    if (socket === undefined) return
    socket.terminate()
    this.lost(socket, 1006)
  }

  private notice(level: 'info' | 'warn' | 'error', text: string): void {
    if (!this.closed) this.options.onEffect({ kind: 'notice', level, text }, this.now())
  }
}

function toBuffer(data: WebSocket.RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
