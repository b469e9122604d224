/** Kalshi's part of a fault script: which connections it hits, and what pauses. */

import type { FaultListener } from '../fault-plan.js'
import type { SocketFault, VenueFault } from '../faults.js'
import type { Line } from '../line.js'
import type { Exchange } from '../exchange.js'
import type { KalshiChannels } from './channels.js'
import type { ExchangeState } from './exchange-state.js'
import type { MarketTerms } from './market-terms.js'
import type { OrderDesk } from './order-desk.js'
import type { KalshiSession } from './session.js'

/** An open connection. */
export interface Connected {
  /** The how many-th since the start, from 1. */
  readonly number: number
  readonly session: KalshiSession
  readonly line: Line
}

interface Hit {
  readonly exchange: Exchange
  readonly state: ExchangeState
  readonly desk: OrderDesk
  readonly channels: KalshiChannels
  readonly terms: MarketTerms
  readonly connections: () => Iterable<Connected>
}

export class KalshiFaults implements FaultListener {
  private lasting: readonly { readonly endsAtUs: number; readonly end: () => void }[] = []
  private offMs = 0

  constructor(private readonly venue: Hit) {}

  /** How far the venue's clock is off, ms; 0 when it is right. */
  get skewMs(): number {
    return this.offMs
  }

  onFault(fault: SocketFault | VenueFault, connection: number | undefined): void {
    if (fault.on === 'connection') this.onConnection(fault, fault.connection ?? connection)
    else if (fault.fault === 'clock_skew') {
      this.offMs += fault.byMs
      this.later(fault.forMs, () => (this.offMs -= fault.byMs))
    } else if (fault.fault === 'pause') this.pause(fault)
    else this.venue.terms.apply(fault, (ms, task) => this.later(ms, task))
  }

  /** Ends what has lasted long enough. */
  step(): void {
    const nowUs = this.venue.exchange.clock.monoUs()
    const over = this.lasting.filter(({ endsAtUs }) => endsAtUs <= nowUs)
    if (over.length === 0) return
    this.lasting = this.lasting.filter((each) => !over.includes(each))
    for (const { end } of over) end()
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
    this.later(forMs, () => {
      resume()
      if (market !== undefined) channels.onLifecycle(market, { event_type: 'activated' })
    })
  }

  private later(ms: number | undefined, end: () => void): void {
    if (ms === undefined) return
    const endsAtUs = this.venue.exchange.clock.monoUs() + ms * 1000
    this.lasting = [...this.lasting, { endsAtUs, end }]
  }
}
