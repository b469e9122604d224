/** Kalshi's part of a fault script: which connections it hits, and what pauses. */

import type { FaultListener } from '../fault-plan.js'
import type { SocketFault, VenueFault } from '../faults.js'
import { Lasting } from '../lasting.js'
import type { Exchange } from '../exchange.js'
import type { Connection } from '../venue-sockets.js'
import type { KalshiChannels } from './channels.js'
import type { ExchangeState } from './exchange-state.js'
import type { MarketTerms } from './market-terms.js'
import type { OrderDesk } from './order-desk.js'
import type { KalshiSession } from './session.js'

interface Hit {
  readonly exchange: Exchange
  readonly state: ExchangeState
  readonly desk: OrderDesk
  readonly channels: KalshiChannels
  readonly terms: MarketTerms
  readonly connections: () => Iterable<Connection<KalshiSession>>
}

export class KalshiFaults implements FaultListener {
  private readonly lasting: Lasting
  private offMs = 0

  constructor(private readonly venue: Hit) {
    this.lasting = new Lasting(venue.exchange.clock)
  }

  /** How far the venue's clock is off, ms; 0 when it is right. */
  get skewMs(): number {
    return this.offMs
  }

  onFault(fault: SocketFault | VenueFault, connection: number | undefined): void {
    if (fault.on === 'connection') this.onConnection(fault, fault.connection ?? connection)
    else if (fault.fault === 'clock_skew') {
      this.offMs += fault.byMs
      this.lasting.add(fault.forMs, () => (this.offMs -= fault.byMs))
    } else if (fault.fault === 'pause') this.pause(fault)
    else if (fault.fault === 'fees' || fault.fault === 'waiver' || fault.fault === 'prices')
      this.venue.terms.apply(fault, (ms, task) => this.lasting.add(ms, task))
  }

  /** Ends what has lasted long enough. */
  step(): void {
    this.lasting.step()
  }

  private onConnection(fault: SocketFault, number: number | undefined): void {
    for (const connected of [...this.venue.connections()]) {
      if (number !== undefined && connected.number !== number) continue
      if (fault.fault === 'terminal') connected.session.terminate(fault.code)
      else connected.line.apply(fault)
    }
  }

  private pause({
    stops,
    exchangeIndex,
    market: ticker,
    forMs,
  }: Extract<VenueFault, { fault: 'pause' }>): void {
    const { exchange, state, desk, channels } = this.venue
    const resumesMs = forMs === undefined ? undefined : exchange.clock.nowMs() + forMs
    const resume = state.pause({ stops, exchangeIndex, ticker, resumesMs })
    desk.cancelWhere(({ cancelOnPause, market }) => cancelOnPause && state.isPaused(market))
    const market = exchange.kalshiMarket(ticker ?? '')
    if (market !== undefined) channels.onLifecycle(market, { event_type: 'deactivated' })
    this.lasting.add(forMs, () => {
      resume()
      if (market !== undefined) channels.onLifecycle(market, { event_type: 'activated' })
    })
  }
}
