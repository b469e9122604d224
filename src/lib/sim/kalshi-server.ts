/** The simulated Kalshi: REST, order entry and WebSocket on one loopback port. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PublicAccounts } from './accounts.js'
import type { BookChange } from './exchange.js'
import { FaultPlan } from './fault-plan.js'
import { refuseUpgrade, type Host } from './http-host.js'
import { KalshiAccount } from './kalshi/account.js'
import { KalshiVerifier } from './kalshi/auth.js'
import { KalshiChannels } from './kalshi/channels.js'
import { isRefusal, notFound } from './kalshi/errors.js'
import { ExchangeState } from './kalshi/exchange-state.js'
import { MarketTerms } from './kalshi/market-terms.js'
import { OrderDesk } from './kalshi/order-desk.js'
import { OrderEntry } from './kalshi/order-entry.js'
import { kalshiApp } from './kalshi/rest.js'
import { KalshiSession } from './kalshi/session.js'
import { KalshiFaults } from './kalshi/venue-faults.js'
import type { Line } from './line.js'
import type { ScenarioEvent } from './scenario.js'
import { playTape } from './tape.js'
import { serveVenue, type SimulatedVenue, type VenueServerOptions } from './venue-server.js'
import { VenueSockets } from './venue-sockets.js'

export const KALSHI_WS_PATH = '/trade-api/ws/v2'

const PING_EVERY_MS = 10_000

export async function startKalshi(options: VenueServerOptions<PublicAccounts['kalshi']>): Promise<Host> {
  return await serveVenue('kalshi', new KalshiVenue(options), options)
}

class KalshiVenue implements SimulatedVenue {
  readonly app
  readonly plan: FaultPlan
  private readonly accounts: ReadonlyMap<string, KalshiAccount>
  private readonly channels: KalshiChannels
  private readonly desk: OrderDesk
  private readonly verifier: KalshiVerifier
  private readonly sockets: VenueSockets<KalshiSession>
  private readonly faults: KalshiFaults

  constructor(private readonly options: VenueServerOptions<PublicAccounts['kalshi']>) {
    const { exchange, accounts, stats } = options
    this.plan = new FaultPlan(options.faults)
    this.sockets = new VenueSockets(this.plan)
    this.verifier = new KalshiVerifier(accounts)
    this.accounts = new Map(accounts.keys.map(({ account }) => [account, new KalshiAccount(account)]))
    this.channels = new KalshiChannels(() => this.sockets.sessions(), exchange.clock)
    this.desk = new OrderDesk(exchange, this.accounts, stats, this.channels)
    const state = new ExchangeState()
    exchange.haltWhere((market) => market.venue === 'kalshi' && state.isPaused(market))
    const terms = new MarketTerms(exchange, this.channels)
    const connections = () => this.sockets.all()
    this.faults = new KalshiFaults({
      exchange,
      state,
      desk: this.desk,
      channels: this.channels,
      terms,
      connections,
    })
    this.plan.listen(this.faults)
    this.app = kalshiApp({
      exchange,
      state,
      terms,
      accounts: this.accounts,
      usageTier: accounts.usage_tier,
      verifier: this.verifier,
      orderEntry: new OrderEntry(exchange, state, this.desk, stats),
      desk: this.desk,
      stats,
      nowMs: () => this.nowMs,
      lastTrade: (ticker) => this.channels.lastTrade(ticker),
    })
  }

  /** What the venue's clock shows when it is wrong, Unix ms. */
  get dateMs(): number | undefined {
    return this.faults.skewMs === 0 ? undefined : this.nowMs
  }

  private get nowMs(): number {
    return this.options.exchange.clock.nowMs() + this.faults.skewMs
  }

  /** Follows the exchange and keeps connections alive; returns what stops it. */
  start(): () => void {
    const stopListening = this.options.exchange.listen({
      onBook: (change) => this.onBook(change),
      onEvent: (event, wallMs) => this.onEvent(event, wallMs),
      onStep: (wallMs) => {
        this.desk.cancelWhere(({ expiresMs }) => (expiresMs ?? Infinity) <= wallMs)
        this.plan.onTime(this.options.exchange.nowScenarioMs())
        this.faults.step()
      },
    })
    const ping = setInterval(() => {
      for (const { line } of this.sockets.all()) line.ping('heartbeat')
    }, PING_EVERY_MS)
    return () => {
      stopListening()
      clearInterval(ping)
      this.sockets.close()
    }
  }

  /** The handshake is signed even for public channels. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { stats } = this.options
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
            this.nowMs,
          )
        : notFound
    if (isRefusal(verdict)) {
      stats.refuse('kalshi', verdict.reason)
      refuseUpgrade(socket, verdict.status, verdict.body)
      return
    }
    const account = this.accounts.get(verdict.account)
    if (account === undefined) return
    this.sockets.accept(request, socket, head, (line) => this.open(line, account))
  }

  private open(line: Line, account: KalshiAccount): KalshiSession {
    const { exchange, stats, tape, speed } = this.options
    return new KalshiSession({
      line,
      exchange,
      stats,
      account,
      tape: tape && ((send) => playTape(tape, 'kalshi', speed, send)),
      lastTrade: (ticker) => this.channels.lastTrade(ticker),
    })
  }

  private onBook(change: BookChange): void {
    this.channels.onBook(change)
    if (change.market.venue === 'kalshi' && change.trade !== undefined) this.desk.onTrade(change.trade)
  }

  private onEvent(event: ScenarioEvent, wallMs: number): void {
    if (event.kind === 'announced') {
      for (const market of event.game.kalshi) this.channels.onLifecycle(market, { event_type: 'created' })
    }
    if (event.kind !== 'status' || event.market.venue !== 'kalshi') return
    const { market } = event
    const seconds = Math.floor(wallMs / 1000)
    if (market.status === 'closed') {
      this.desk.cancelWhere((order) => order.market === market)
      this.channels.onLifecycle(market, { event_type: 'deactivated' })
    }
    if (market.status === 'determined') {
      this.channels.onLifecycle(market, {
        event_type: 'determined',
        result: market.result,
        settlement_value: market.result === 'yes' ? '1.0000' : '0.0000',
        determination_ts: seconds,
      })
    }
    if (market.status === 'finalized') {
      for (const account of this.accounts.values()) account.settle(market, wallMs)
      this.channels.onLifecycle(market, { event_type: 'settled', settled_ts: seconds })
    }
  }
}
