/** The simulated Polymarket CLOB: market WebSocket and REST on one loopback port. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { PublicAccounts } from './accounts.js'
import { listen, refuseUpgrade, type Host } from './http-host.js'
import { textOf, type VenueServerOptions } from './venue-server.js'
import { PolyAccount } from './polymarket/account.js'
import { MarketFeed } from './polymarket/market-feed.js'
import { PolyOrderEntry } from './polymarket/order-entry.js'
import { polyApp } from './polymarket/rest.js'
import { MarketSession } from './polymarket/session.js'
import { playTape } from './tape.js'

export const POLY_WS_PATH = '/ws/market'

const MAX_COMMAND_BYTES = 4 * 1024 * 1024

export async function startPolymarket(
  options: VenueServerOptions<PublicAccounts['polymarket']>,
): Promise<Host> {
  const { exchange, accounts: owner, stats, speed, tape } = options
  const sessions = new Map<WebSocket, MarketSession>()
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_COMMAND_BYTES,
  })
  const account = new PolyAccount(speed)
  const feed = new MarketFeed(exchange, () => sessions.values())
  const findToken = (tokenId: string) => feed.findToken(tokenId)
  const orderEntry = new PolyOrderEntry(exchange, account, owner, stats, findToken)
  const findMarket = (conditionId: string) => exchange.polyMarket(conditionId)

  const dump = (tokenId: string): unknown => {
    const listed = feed.findToken(tokenId)
    return listed && feed.stateOf(listed.market).dumpWire(listed.token)
  }
  const accept = (socket: WebSocket): void => {
    const play = tape && ((send: (text: string) => void) => playTape(tape, 'poly', speed, send))
    const session = new MarketSession({ socket, stats, dump, tape: play })
    sessions.set(socket, session)
    socket.on('message', (data: RawData) => session.onText(textOf(data)))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      session.close()
      sessions.delete(socket)
    })
  }
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (new URL(request.url ?? '/', 'http://localhost').pathname === POLY_WS_PATH) {
      sockets.handleUpgrade(request, socket, head, accept)
      return
    }
    stats.refuse('poly', 'not_found')
    refuseUpgrade(socket, 404, { error: 'not found' })
  }

  const host = await listen({
    name: 'poly',
    host: options.host,
    port: options.port,
    app: polyApp({ clock: exchange.clock, feed, account, owner, orderEntry, stats, findMarket }),
    onUpgrade,
  })
  const stopListening = exchange.listen({
    onBook: (change) => feed.onBook(change),
    onEvent: (event, wallMs) => {
      feed.onEvent(event, wallMs)
      if (event.kind === 'status' && event.market.venue === 'poly' && event.market.status === 'finalized') {
        account.settle(event.market)
      }
    },
  })
  return {
    port: host.port,
    close: async () => {
      stopListening()
      for (const [socket, session] of sessions) {
        session.close()
        socket.terminate()
      }
      sockets.close()
      await host.close()
    },
  }
}
