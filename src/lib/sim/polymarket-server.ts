/** The simulated Polymarket CLOB: market WebSocket and REST on one loopback port. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PublicAccounts } from './accounts.js'
import { FaultPlan } from './fault-plan.js'
import { refuseUpgrade, type Host } from './http-host.js'
import type { Line } from './line.js'
import { PolyAccount } from './polymarket/account.js'
import { MarketFeed } from './polymarket/market-feed.js'
import { hasExpired } from './polymarket/order.js'
import { PolyDesk } from './polymarket/order-desk.js'
import { PolyOrderEntry } from './polymarket/order-entry.js'
import { polyApp } from './polymarket/rest.js'
import { RestBooks } from './polymarket/rest-books.js'
import { MarketSession } from './polymarket/session.js'
import { Settlement } from './polymarket/settlement.js'
import { SPORTS_WS_PATH, SportsChannel } from './polymarket/sports-channel.js'
import { PolyFaults } from './polymarket/venue-faults.js'
import { VenueState } from './polymarket/venue-state.js'
import { Prng } from './prng.js'
import type { ScenarioEvent } from './scenario.js'
import { playTape } from './tape.js'
import { serveVenue, type SimulatedVenue, type VenueServerOptions } from './venue-server.js'
import { VenueSockets } from './venue-sockets.js'

export const POLY_WS_PATH = '/ws/market'

interface PolyServerOptions extends VenueServerOptions<PublicAccounts['polymarket']> {
  /** Decides how events are put into frames. */
  readonly seed: number
}

export async function startPolymarket(options: PolyServerOptions): Promise<Host> {
  return await serveVenue('poly', new PolyVenue(options), options)
}

class PolyVenue implements SimulatedVenue {
  readonly app
  readonly plan: FaultPlan
  private readonly state: VenueState
  private readonly account: PolyAccount
  private readonly feed: MarketFeed
  private readonly desk: PolyDesk
  private readonly faults: PolyFaults
  private readonly sockets: VenueSockets<MarketSession>
  private readonly sports: SportsChannel

  constructor(private readonly options: PolyServerOptions) {
    const { exchange, accounts: owner, stats } = options
    const { clock } = exchange
    this.plan = new FaultPlan(options.faults)
    this.sockets = new VenueSockets(this.plan)
    const state = new VenueState(clock)
    const account = new PolyAccount(owner.funder)
    exchange.haltWhere((market) => market.venue === 'poly' && state.isHalted)
    const settlement = new Settlement(exchange, account)
    const feed = new MarketFeed(
      exchange,
      () => this.sockets.sessions(),
      () => state.nowMs(),
    )
    const books = new RestBooks(feed, () => exchange.polyMarkets())
    const desk = new PolyDesk(exchange, account, settlement, stats)
    const findToken = (tokenId: string) => feed.findToken(tokenId)
    const orderEntry = new PolyOrderEntry(state, account, owner, desk, stats, findToken)
    const findMarket = (conditionId: string) => exchange.polyMarket(conditionId)
    const lines = () => this.sockets.all()
    this.sports = new SportsChannel(exchange)
    this.state = state
    this.account = account
    this.feed = feed
    this.desk = desk
    this.faults = new PolyFaults({ exchange, state, settlement, books, lines, sports: this.sports })
    this.plan.listen(this.faults)
    const wallMs = () => clock.nowMs()
    this.app = polyApp({
      ...{ state, feed, books, account, owner, orderEntry, desk, stats, findMarket, wallMs },
    })
  }

  /** What the venue's clock shows when it is wrong, Unix ms. */
  get dateMs(): number | undefined {
    return this.state.skewMs === 0 ? undefined : this.state.nowMs()
  }

  /** Follows the exchange; returns what stops it. */
  start(): () => void {
    const { exchange } = this.options
    const stopListening = exchange.listen({
      onBook: (change) => {
        this.feed.onBook(change)
        this.desk.onBook(change)
      },
      onEvent: (event) => this.onEvent(event),
      onStep: (wallMs) => {
        this.desk.cancelWhere((order) => hasExpired(order, wallMs))
        this.plan.onTime(exchange.nowScenarioMs())
        this.faults.step()
        this.sports.step(exchange.nowScenarioMs())
      },
    })
    return () => {
      stopListening()
      this.sockets.close()
      this.sports.close()
    }
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === POLY_WS_PATH) {
      this.sockets.accept(request, socket, head, (line, number) => this.open(line, number))
      return
    }
    if (pathname === SPORTS_WS_PATH) return this.sports.accept(request, socket, head)
    this.options.stats.refuse('poly', 'not_found')
    refuseUpgrade(socket, 404, { error: 'not found' })
  }

  private open(line: Line, number: number): MarketSession {
    const { seed, stats, tape, speed } = this.options
    return new MarketSession({
      line,
      stats,
      prng: new Prng(seed, `poly-frames:${number}`),
      dump: (tokenId) => {
        const listed = this.feed.findToken(tokenId)
        return listed && this.feed.stateOf(listed.market).dumpWire(listed.token)
      },
      tape: tape && ((send) => playTape(tape, 'poly', speed, send)),
    })
  }

  private onEvent(event: ScenarioEvent): void {
    this.feed.onEvent(event)
    // `clearBookOnStart`: nobody's order from before the game is met in it.
    if (event.kind === 'live') this.desk.cancelWhere(({ market }) => market === event.game.poly)
    if (event.kind !== 'status' || event.market.venue !== 'poly') return
    const ended = event.market
    if (ended.status === 'closed') this.desk.cancelWhere(({ market }) => market === ended)
    if (ended.status === 'finalized') this.account.settle(ended)
  }
}
