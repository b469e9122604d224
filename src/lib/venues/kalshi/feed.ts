/**
 * Kalshi's order books over one WebSocket, kept alive. The session decides what a frame means; this file owns the
 * socket, the timer and the markets' identities across connections.
 *
 * Two clocks of proof: a message in sequence, and the answer to our own ping (every 250 ms; the venue's comes only
 * every 10 s). An answer proves the books as of when its ping was sent.
 */

import { WebSocket } from 'ws'

import { Backoff } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import { codeOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { CatalogMarket } from '../../model/game.js'
import { OrderBook } from '../../model/order-book.js'
import type { FeedListener, FeedStatus, MarketFeed } from '../ports.js'
import { keyWarning, type KalshiCredentials } from './auth.js'
import { MAX_FRAME_BYTES, parseFrame } from './frames.js'
import type { BookState, SessionEffect } from './session-effects.js'
import { BookSession } from './session.js'
import { openSocket, parseWsUrl } from './socket.js'

export interface KalshiFeedOptions {
  /** `wss://external-api-ws.kalshi.com/trade-api/ws/v2`. */
  readonly wsUrl: string
  /** Even public channels need a signed handshake; a read-only key is enough. */
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  readonly listener: FeedListener
  readonly pingMs?: number
  /** Without an answered ping or a message for so long, books are published STALE. */
  readonly staleMs?: number
  /** Without a pong or any message for so long, the link is dead. */
  readonly deadMs?: number
  /** The venue pings every 10 s; without one for so long, the link is dead. */
  readonly serverPingMs?: number
  readonly handshakeMs?: number
  readonly snapshotTimeoutMs?: number
  readonly quietMs?: number
  readonly silenceAnswerMs?: number
  readonly commandTimeoutMs?: number
  readonly backoff?: Backoff
}

/** Pings of ours that wait for a pong: ten seconds of them. */
const MAX_OPEN_PINGS = 40
const DEFAULTS = {
  pingMs: 250,
  staleMs: 750,
  deadMs: 2000,
  serverPingMs: 25_000,
  handshakeMs: 5000,
  snapshotTimeoutMs: 2000,
  // Asked and given up within two seconds and a tick: a silent stream must not look alive for longer.
  quietMs: 750,
  silenceAnswerMs: 1000,
  commandTimeoutMs: 5000,
} as const

interface FollowedMarket {
  market: CatalogMarket
  book: OrderBook
  /** What the session says; undefined before its first book. */
  state: BookState | undefined
}

/** One connection, from dialing to its end. */
interface Connection {
  readonly socket: WebSocket
  readonly session: BookSession
  /** When each unanswered ping was sent, us; by its payload. */
  readonly pings: Map<string, number>
  heardUs: number
  serverPingUs: number
  isOpen: boolean
}

export class KalshiFeed implements MarketFeed {
  private readonly options: Required<Omit<KalshiFeedOptions, 'backoff'>>
  private readonly backoff: Backoff
  private readonly followed = new Map<string, FollowedMarket>()
  /** For the process's lifetime: a market that is followed again goes on counting. */
  private readonly bookSeqs = new Map<string, number>()
  private connection: Connection | undefined
  private tick: NodeJS.Timeout | undefined
  private redial: NodeJS.Timeout | undefined
  private hasStarted = false
  private hasConnected = false
  private closing: Promise<void> | undefined
  private provedUs: number | undefined
  private isStale = false
  private reconnects = 0
  private pingCount = 0
  private lastTickUs = 0

  /** Throws `BAD_URL` (exit CONFIG). */
  constructor(options: KalshiFeedOptions) {
    parseWsUrl(options.wsUrl)
    const { backoff, ...rest } = options
    this.options = { ...DEFAULTS, ...rest }
    this.backoff = backoff ?? new Backoff({ minMs: 100, maxMs: 5000 })
  }

  follow(markets: readonly CatalogMarket[]): void {
    if (this.closing !== undefined) return
    const next = new Map(markets.map((market) => [market.marketId, market]))
    for (const [ticker, entry] of this.followed) {
      if (next.has(ticker)) continue
      this.setState(ticker, entry, 'BROKEN', this.options.clock.monoUs())
      this.followed.delete(ticker)
    }
    for (const [ticker, market] of next) {
      const entry = this.followed.get(ticker)
      if (entry === undefined) this.followed.set(ticker, { market, book: new OrderBook(), state: undefined })
      else entry.market = market
    }
    if (!this.hasStarted) this.start()
    const { connection } = this
    if (connection?.isOpen !== true) return
    const nowUs = this.options.clock.monoUs()
    this.perform(connection, connection.session.follow(this.followed.keys(), nowUs), nowUs)
  }

  status(): FeedStatus {
    const { provedUs, reconnects } = this
    return { state: this.feedState(), provedUs, markets: this.followed.size, reconnects }
  }

  close(): Promise<void> {
    this.closing ??= this.stop()
    return this.closing
  }

  private feedState(): FeedStatus['state'] {
    const { connection } = this
    if (this.closing !== undefined) return 'DOWN'
    if (connection?.isOpen !== true) return this.hasConnected ? 'DOWN' : 'CONNECTING'
    if (connection.session.isComplete) return 'LIVE'
    return connection.session.isResyncing ? 'BROKEN' : 'CONNECTING'
  }

  private start(): void {
    this.hasStarted = true
    const warning = keyWarning(this.options.credentials)
    if (warning !== undefined) this.options.listener.onNotice('warn', warning)
    this.lastTickUs = this.options.clock.monoUs()
    this.tick = setInterval(() => this.onTick(), this.options.pingMs)
    this.dial()
  }

  private async stop(): Promise<void> {
    clearInterval(this.tick)
    clearTimeout(this.redial)
    const socket = this.connection?.socket
    this.connection = undefined
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve())
      if (socket.readyState === WebSocket.OPEN) socket.close(1000)
      else socket.terminate()
      const deadline = setTimeout(() => socket.terminate(), 500)
      socket.once('close', () => clearTimeout(deadline))
    })
  }

  private dial(): void {
    const { options } = this
    const nowUs = options.clock.monoUs()
    const { snapshotTimeoutMs, quietMs, silenceAnswerMs, commandTimeoutMs } = options
    const session = new BookSession({
      useYesPrice: false,
      snapshotTimeoutMs,
      quietMs,
      silenceAnswerMs,
      commandTimeoutMs,
    })
    const socket = openSocket({ ...options, maxPayload: MAX_FRAME_BYTES })
    const connection: Connection = {
      socket,
      session,
      pings: new Map(),
      heardUs: nowUs,
      serverPingUs: nowUs,
      isOpen: false,
    }
    this.connection = connection
    socket.on('open', () => this.onOpen(connection))
    socket.on('message', (data: Buffer) => this.onMessage(connection, data))
    socket.on('pong', (payload: Buffer) => this.onPong(connection, payload))
    socket.on('ping', () => {
      connection.serverPingUs = connection.heardUs = options.clock.monoUs()
    })
    socket.on('error', (error) => {
      if (connection === this.connection) this.onSocketError(error)
    })
    socket.on('close', (code: number) => this.onClose(connection, `closed with ${code}`))
  }

  private onOpen(connection: Connection): void {
    if (connection !== this.connection) return
    const nowUs = this.options.clock.monoUs()
    connection.isOpen = true
    connection.heardUs = nowUs
    connection.serverPingUs = nowUs
    this.hasConnected = true
    this.options.listener.onNotice('info', 'connected to Kalshi')
    this.perform(connection, connection.session.follow(this.followed.keys(), nowUs), nowUs)
  }

  private onMessage(connection: Connection, data: Buffer): void {
    const recvUs = this.options.clock.monoUs()
    if (connection !== this.connection) return
    connection.heardUs = recvUs
    this.perform(connection, connection.session.onFrame(parseFrame(data), recvUs), recvUs)
  }

  private onPong(connection: Connection, payload: Buffer): void {
    if (connection !== this.connection) return
    const key = payload.toString('latin1')
    const sentUs = connection.pings.get(key)
    // Only an answer to a ping of ours: an unasked pong proves nothing.
    if (sentUs === undefined) return
    connection.pings.delete(key)
    connection.heardUs = this.options.clock.monoUs()
    if (connection.session.isSubscribed) this.prove(sentUs)
  }

  private onSocketError(error: Error): void {
    const { listener } = this.options
    if (codeOf(error) === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      listener.onVerdict({ kind: 'refused', reason: 'oversize', detail: `over ${MAX_FRAME_BYTES} bytes` })
    }
    const isAuth = /response: 40[13]\b/.test(error.message)
    const hint = isAuth ? '; check key id, key file, that both belong to this host, and the clock' : ''
    listener.onNotice(isAuth ? 'error' : 'warn', `Kalshi socket: ${sanitize(error.message, 200)}${hint}`)
  }

  private onClose(connection: Connection, reason: string): void {
    if (connection !== this.connection) return
    this.connection = undefined
    const nowUs = this.options.clock.monoUs()
    for (const [ticker, entry] of this.followed) this.setState(ticker, entry, 'BROKEN', nowUs)
    const delayMs = this.backoff.nextMs()
    this.options.listener.onNotice('warn', `Kalshi connection ${reason}; again in ${delayMs} ms`)
    this.redial = setTimeout(() => {
      this.reconnects++
      this.dial()
    }, delayMs)
  }

  private onTick(): void {
    const { connection, options } = this
    const nowUs = options.clock.monoUs()
    const lateUs = nowUs - this.lastTickUs - options.pingMs * 1000
    this.lastTickUs = nowUs
    if (connection?.isOpen === true) {
      // After a stall of our own process its answers still wait in the socket: give them one more round.
      if (lateUs * 2 > options.deadMs * 1000) connection.heardUs = connection.serverPingUs = nowUs
      if (nowUs - connection.heardUs > options.deadMs * 1000) this.drop(connection, 'does not answer')
      else if (nowUs - connection.serverPingUs > options.serverPingMs * 1000)
        this.drop(connection, 'sends no pings')
      else {
        this.ping(connection, nowUs)
        this.perform(connection, connection.session.onTime(nowUs), nowUs)
      }
    }
    const isProved = this.provedUs !== undefined && nowUs - this.provedUs <= options.staleMs * 1000
    if (!isProved && !this.isStale) this.setStale(true, nowUs)
  }

  private ping(connection: Connection, nowUs: number): void {
    if (connection.socket.readyState !== WebSocket.OPEN) return
    const payload = String(++this.pingCount)
    connection.pings.set(payload, nowUs)
    // One that is never answered proves nothing any more.
    if (connection.pings.size > MAX_OPEN_PINGS)
      connection.pings.delete(String(this.pingCount - MAX_OPEN_PINGS))
    connection.socket.ping(payload)
  }

  /** Ends a connection at once; its books are published BROKEN before the socket has finished closing. */
  private drop(connection: Connection, reason: string): void {
    this.onClose(connection, reason)
    connection.socket.terminate()
  }

  private perform(connection: Connection, effects: readonly SessionEffect[], nowUs: number): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'proof':
          this.prove(nowUs)
          break
        case 'book': {
          const entry = this.followed.get(effect.ticker)
          if (entry === undefined) break
          entry.book = effect.book
          if (effect.state === 'LIVE' || effect.state === 'EMPTY') this.backoff.reset()
          this.publish(effect.ticker, entry, effect.state, nowUs, effect.venueMs)
          break
        }
        case 'send':
          if (connection.socket.readyState === WebSocket.OPEN)
            connection.socket.send(JSON.stringify(effect.command))
          break
        case 'verdict':
          this.options.listener.onVerdict(effect.verdict)
          break
        case 'notice':
          this.options.listener.onNotice(effect.level, effect.text)
          break
        case 'reconnect':
          this.drop(connection, effect.reason)
          return
      }
    }
  }

  private prove(atUs: number): void {
    if (this.provedUs === undefined || atUs > this.provedUs) this.provedUs = atUs
    const nowUs = this.options.clock.monoUs()
    if (this.isStale && nowUs - this.provedUs <= this.options.staleMs * 1000) this.setStale(false, nowUs)
  }

  private setStale(isStale: boolean, nowUs: number): void {
    this.isStale = isStale
    for (const [ticker, entry] of this.followed) {
      if (entry.state === 'LIVE' || entry.state === 'EMPTY')
        this.publish(ticker, entry, entry.state, nowUs, undefined)
    }
  }

  /** Without a frame: nothing is said twice, nor of a market that has no book yet. */
  private setState(ticker: string, entry: FollowedMarket, state: BookState, nowUs: number): void {
    if (entry.state !== undefined && entry.state !== state)
      this.publish(ticker, entry, state, nowUs, undefined)
  }

  private publish(
    ticker: string,
    entry: FollowedMarket,
    state: BookState,
    recvUs: number,
    venueMs: number | undefined,
  ): void {
    entry.state = state
    const bookSeq = (this.bookSeqs.get(ticker) ?? 0) + 1
    this.bookSeqs.set(ticker, bookSeq)
    this.options.listener.onBook({
      market: entry.market,
      book: entry.book,
      state: this.isStale && state !== 'BROKEN' ? 'STALE' : state,
      bookSeq,
      recvUs,
      ...(venueMs === undefined ? {} : { venueMs }),
    })
  }
}
