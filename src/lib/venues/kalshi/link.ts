/**
 * One WebSocket to Kalshi, kept alive: dialed, pinged, given up, dialed again. The session decides what a frame means;
 * this file owns the socket.
 *
 * Two clocks of proof: a message in sequence, and the answer to our own ping (every 250 ms; the venue's comes only
 * every 10 s). An answer proves the books as of when its ping was sent.
 */

import { WebSocket } from 'ws'

import type { Backoff } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import { codeOf } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import type { FeedListener, FeedStatus } from '../ports.js'
import { RedialPace } from '../redial-pace.js'
import type { KalshiCredentials } from './auth.js'
import type { CatalogChange } from './catalog-change.js'
import { CatalogSession } from './catalog-session.js'
import { MAX_FRAME_BYTES, parseFrame } from './frames.js'
import { LinkPulse, type PulseOptions } from './link-pulse.js'
import type { BookEffect, SessionEffect } from './session-effects.js'
import { BookSession } from './session.js'
import { openSocket } from './socket.js'

export interface LinkOptions extends PulseOptions {
  readonly wsUrl: string
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  readonly pingMs: number
  readonly handshakeMs: number
  readonly snapshotTimeoutMs: number
  readonly quietMs: number
  readonly silenceAnswerMs: number
  readonly commandTimeoutMs: number
  readonly backoff: Backoff
  /** What the log calls it. */
  readonly name: string
}

export interface LinkListener extends Pick<FeedListener, 'onVerdict' | 'onNotice'> {
  /** The markets to follow. */
  wanted(): Iterable<string>
  onBook(effect: BookEffect, nowUs: number): void
  /** Continuity of every book is proved as of then. */
  onProof(): void
  /** The catalog changed; not asked for where nobody listens. */
  readonly onCatalogChange?: ((change: CatalogChange) => void) | undefined
  /** The connection is lost, and all of its books with it. */
  onDown(nowUs: number): void
}

/** One connection, from dialing to its end. */
interface Connection {
  readonly socket: WebSocket
  readonly session: BookSession
  readonly catalog: CatalogSession | undefined
  readonly pulse: LinkPulse
  isOpen: boolean
  isRefused: boolean
}

export class KalshiLink {
  /** When continuity was last proved, us; undefined before the first proof. */
  provedUs: number | undefined
  reconnects = 0
  private readonly pace: RedialPace
  private connection: Connection | undefined
  private redial: NodeJS.Timeout | undefined
  private hasConnected = false
  private isClosing = false

  constructor(
    private readonly options: LinkOptions,
    private readonly listener: LinkListener,
  ) {
    this.pace = new RedialPace(options.backoff)
  }

  get state(): FeedStatus['state'] {
    const { connection } = this
    if (this.isClosing) return 'DOWN'
    if (connection?.isOpen !== true) return this.hasConnected ? 'DOWN' : 'CONNECTING'
    if (connection.session.isComplete) return 'LIVE'
    return connection.session.isResyncing ? 'BROKEN' : 'CONNECTING'
  }

  dial(): void {
    const { options, listener } = this
    const nowUs = options.clock.monoUs()
    const socket = openSocket({ ...options, maxPayload: MAX_FRAME_BYTES })
    const connection: Connection = {
      socket,
      // What the venue's default will be: a flag that it then drops changes nothing.
      session: new BookSession({ ...options, useYesPrice: true }),
      catalog: listener.onCatalogChange === undefined ? undefined : new CatalogSession(),
      pulse: new LinkPulse(options, nowUs),
      isOpen: false,
      isRefused: false,
    }
    this.connection = connection
    const ifCurrent = (act: () => void) => {
      if (connection === this.connection) act()
    }
    socket.on('open', () => ifCurrent(() => this.onOpen(connection)))
    socket.on('message', (data: Buffer) => {
      const recvUs = options.clock.monoUs()
      ifCurrent(() => {
        connection.pulse.heard(recvUs)
        const frame = parseFrame(data)
        const { session, catalog } = connection
        this.perform(connection, catalog?.onFrame(frame, recvUs) ?? session.onFrame(frame, recvUs), recvUs)
      })
    })
    socket.on('pong', (payload: Buffer) => ifCurrent(() => this.onPong(connection, payload)))
    socket.on('ping', () => {
      connection.pulse.heardServerPing(options.clock.monoUs())
    })
    socket.on('error', (error) => ifCurrent(() => this.onError(connection, error, listener)))
    socket.on('close', (code: number) => this.onClose(connection, `closed with ${code}`))
  }

  /** What is wanted has changed. */
  follow(): void {
    const { connection } = this
    if (connection?.isOpen !== true) return
    const nowUs = this.options.clock.monoUs()
    this.perform(connection, connection.session.follow(this.listener.wanted(), nowUs), nowUs)
  }

  /** Asks for new snapshots of books that are believed. */
  ask(tickers: readonly string[], nowUs: number): void {
    const { connection } = this
    if (connection?.isOpen === true) this.perform(connection, connection.session.ask(tickers, nowUs), nowUs)
  }

  /** Pings, deadlines. `lateUs`: how much later than due this is, for what waits in the socket meanwhile. */
  onTick(nowUs: number, lateUs: number): void {
    const { connection } = this
    if (connection?.isOpen !== true) return
    const reason = connection.pulse.deadBecause(nowUs, lateUs)
    if (reason !== undefined) {
      this.drop(connection, reason)
      return
    }
    if (connection.socket.readyState === WebSocket.OPEN) connection.socket.ping(connection.pulse.ping(nowUs))
    this.perform(connection, connection.session.onTime(nowUs), nowUs)
    this.perform(connection, connection.catalog?.onTime(nowUs) ?? [], nowUs)
  }

  async close(): Promise<void> {
    this.isClosing = true
    clearTimeout(this.redial)
    const socket = this.connection?.socket
    this.connection = undefined
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(() => socket.terminate(), 500)
      socket.once('close', () => {
        clearTimeout(deadline)
        resolve()
      })
      if (socket.readyState === WebSocket.OPEN) socket.close(1000)
      else socket.terminate()
    })
  }

  private onOpen(connection: Connection): void {
    const nowUs = this.options.clock.monoUs()
    connection.isOpen = true
    connection.pulse.restart(nowUs)
    this.hasConnected = true
    this.listener.onNotice('info', `connected to ${this.options.name}`)
    this.follow()
    this.perform(connection, connection.catalog?.open(nowUs) ?? [], nowUs)
  }

  private onPong(connection: Connection, payload: Buffer): void {
    const sentUs = connection.pulse.answered(payload.toString('latin1'), this.options.clock.monoUs())
    if (sentUs !== undefined && connection.session.isSubscribed) this.prove(sentUs)
  }

  private onError(connection: Connection, error: Error, { onVerdict, onNotice }: LinkListener): void {
    if (codeOf(error) === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      onVerdict({ kind: 'refused', reason: 'oversize', detail: `over ${MAX_FRAME_BYTES} bytes` })
    }
    connection.isRefused = /server response: \d{3}\b/.test(error.message)
    const isAuth = /response: 40[13]\b/.test(error.message)
    const hint = isAuth ? '; check key id, key file, that both belong to this host, and the clock' : ''
    onNotice(isAuth ? 'error' : 'warn', `${this.options.name} socket: ${sanitize(error.message, 200)}${hint}`)
  }

  private onClose(connection: Connection, reason: string): void {
    if (connection !== this.connection) return
    this.connection = undefined
    const nowUs = this.options.clock.monoUs()
    this.listener.onDown(nowUs)
    const delayMs = this.pace.ended(nowUs, connection)
    this.listener.onNotice('warn', `${this.options.name} connection ${reason}; again in ${delayMs} ms`)
    this.redial = setTimeout(() => {
      this.reconnects++
      this.dial()
    }, delayMs)
  }

  /** Ends a connection at once; its books are lost before the socket has finished closing. */
  private drop(connection: Connection, reason: string): void {
    this.onClose(connection, reason)
    connection.socket.terminate()
  }

  private prove(atUs: number): void {
    if (this.provedUs === undefined || atUs > this.provedUs) this.provedUs = atUs
    this.listener.onProof()
  }

  private perform(connection: Connection, effects: readonly SessionEffect[], nowUs: number): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'proof':
          this.prove(nowUs)
          break
        case 'book':
          if (effect.state !== 'BROKEN') this.pace.live(nowUs)
          this.listener.onBook(effect, nowUs)
          break
        case 'send':
          if (connection.socket.readyState === WebSocket.OPEN)
            connection.socket.send(JSON.stringify(effect.command))
          break
        case 'catalog':
          this.listener.onCatalogChange?.(effect.change)
          break
        case 'verdict':
          this.listener.onVerdict(effect.verdict)
          break
        case 'notice':
          this.listener.onNotice(effect.level, effect.text)
          break
        case 'reconnect':
          this.drop(connection, effect.reason)
          return
      }
    }
  }
}
