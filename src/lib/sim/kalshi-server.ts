/** The simulated Kalshi: REST, order entry and WebSocket on one loopback port. */

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { PublicAccounts } from './accounts.js'
import type { BookChange } from './exchange.js'
import { listen, refuseUpgrade, type Host } from './http-host.js'
import { KalshiAccount, type KalshiFill, type KalshiOrder } from './kalshi/account.js'
import { KalshiVerifier } from './kalshi/auth.js'
import { isRefusal, notFound } from './kalshi/errors.js'
import { fillMessage, positionMessage, userOrderMessage, type PrintedTrade } from './kalshi/frames.js'
import { OrderEntry } from './kalshi/order-entry.js'
import { kalshiApp } from './kalshi/rest.js'
import { KalshiSession } from './kalshi/session.js'
import type { LastTrade } from './kalshi/shapes.js'
import type { KalshiMarket } from './market.js'
import type { ScenarioEvent } from './scenario.js'
import { playTape } from './tape.js'
import { textOf, type VenueServerOptions } from './venue-server.js'

export const KALSHI_WS_PATH = '/trade-api/ws/v2'

const PING_EVERY_MS = 10_000
const MAX_COMMAND_BYTES = 4 * 1024 * 1024

export async function startKalshi(options: VenueServerOptions<PublicAccounts['kalshi']>): Promise<Host> {
  const venue = new KalshiVenue(options)
  const host = await listen({
    name: 'kalshi',
    host: options.host,
    port: options.port,
    app: venue.app,
    onUpgrade: (request, socket, head) => venue.upgrade(request, socket, head),
  })
  const stop = venue.start()
  return {
    port: host.port,
    close: async () => {
      stop()
      await host.close()
    },
  }
}

class KalshiVenue {
  readonly app
  private readonly account = new KalshiAccount()
  private readonly verifier: KalshiVerifier
  private readonly sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_COMMAND_BYTES,
  })
  private readonly sessions = new Map<WebSocket, KalshiSession>()
  private readonly lastTrades = new Map<string, LastTrade>()

  constructor(private readonly options: VenueServerOptions<PublicAccounts['kalshi']>) {
    const { exchange, accounts, stats } = options
    this.verifier = new KalshiVerifier(accounts)
    const orderEntry = new OrderEntry(exchange, this.account, stats, {
      onOrder: (order, fills) => this.tellOwner(order, fills),
    })
    this.app = kalshiApp({
      exchange,
      account: this.account,
      verifier: this.verifier,
      orderEntry,
      stats,
      lastTrade: (ticker) => this.lastTrades.get(ticker),
    })
  }

  /** Follows the exchange and keeps connections alive; returns what stops it. */
  start(): () => void {
    const stopListening = this.options.exchange.listen({
      onBook: (change) => this.onBook(change),
      onEvent: (event, wallMs) => this.onEvent(event, wallMs),
    })
    const ping = setInterval(() => {
      for (const socket of this.sessions.keys()) socket.ping('heartbeat')
    }, PING_EVERY_MS)
    return () => {
      stopListening()
      clearInterval(ping)
      for (const [socket, session] of this.sessions) {
        session.close()
        socket.terminate()
      }
      this.sockets.close()
    }
  }

  /** The handshake is signed even for public channels. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { exchange, stats } = this.options
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const header = (name: string) => {
      const value = request.headers[name]
      return typeof value === 'string' ? value : undefined
    }
    const verdict =
      path === KALSHI_WS_PATH
        ? this.verifier.verify(
            {
              key: header('kalshi-access-key'),
              timestamp: header('kalshi-access-timestamp'),
              signature: header('kalshi-access-signature'),
              method: 'GET',
              path,
            },
            exchange.clock.nowMs(),
          )
        : notFound
    if (isRefusal(verdict)) {
      stats.refuse('kalshi', verdict.reason)
      refuseUpgrade(socket, verdict.status, verdict.body)
      return
    }
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.accept(webSocket))
  }

  private accept(socket: WebSocket): void {
    const { exchange, stats, tape, speed } = this.options
    const session = new KalshiSession({
      socket,
      exchange,
      stats,
      tape: tape && ((send) => playTape(tape, 'kalshi', speed, send)),
      lastTrade: (ticker) => this.lastTrades.get(ticker),
    })
    this.sessions.set(socket, session)
    socket.on('message', (data: RawData) => session.onText(textOf(data)))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      session.close()
      this.sessions.delete(socket)
    })
  }

  private onBook(change: BookChange): void {
    const { market, trade, wallMs } = change
    if (market.venue !== 'kalshi') return
    if (trade !== undefined) {
      for (const { yesPriceE4, sizeE6 } of trade.fills) {
        const countE2 = Math.round(sizeE6 / 10_000)
        const volumeE2 = (this.lastTrades.get(market.id)?.volumeE2 ?? 0) + countE2
        this.lastTrades.set(market.id, { priceE4: yesPriceE4, sizeE2: countE2, volumeE2 })
        this.print({
          tradeId: randomUUID(),
          market,
          yesPriceE4,
          countE2,
          takerBuysYes: (trade.order.outcome === 'yes') === (trade.order.side === 'buy'),
          wallMs,
        })
      }
    }
    for (const session of this.sessions.values()) session.onBook(change)
  }

  private print(trade: PrintedTrade): void {
    for (const session of this.sessions.values()) session.onTrade(trade)
  }

  private onEvent(event: ScenarioEvent, wallMs: number): void {
    if (event.kind === 'announced') {
      for (const market of event.game.kalshi) this.lifecycle(market, { event_type: 'created' })
    }
    if (event.kind !== 'status' || event.market.venue !== 'kalshi') return
    const { market } = event
    const seconds = Math.floor(wallMs / 1000)
    if (market.status === 'closed') this.lifecycle(market, { event_type: 'deactivated' })
    if (market.status === 'determined') {
      this.lifecycle(market, {
        event_type: 'determined',
        result: market.result,
        settlement_value: market.result === 'yes' ? '1.0000' : '0.0000',
        determination_ts: seconds,
      })
    }
    if (market.status === 'finalized') {
      this.account.settle(market, wallMs)
      this.lifecycle(market, { event_type: 'settled', settled_ts: seconds })
    }
  }

  private lifecycle(market: KalshiMarket, fields: Readonly<Record<string, unknown>>): void {
    const message = { market_ticker: market.id, ...fields }
    for (const session of this.sessions.values()) {
      session.onChannel('market_lifecycle_v2', 'market_lifecycle_v2', market.id, message)
    }
  }

  private tellOwner(order: KalshiOrder, fills: readonly KalshiFill[]): void {
    const { account } = this
    const ticker = order.market.id
    const messages: [string, string, unknown][] = [
      ...fills.map((fill): [string, string, unknown] => [
        'fill',
        'fill',
        fillMessage(fill, account.positionE2(ticker)),
      ]),
      ['user_orders', 'user_order', userOrderMessage(order, account.userId)],
    ]
    if (fills.length > 0) {
      const position = account.positionOf(order.market)
      messages.push(['market_positions', 'market_position', positionMessage(position, account.userId)])
    }
    for (const session of this.sessions.values()) {
      for (const [channel, type, message] of messages) session.onChannel(channel, type, ticker, message)
    }
  }
}
