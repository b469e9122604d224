/** Polymarket's part of a fault script: which connections it hits, what is refused, how trades end, what goes stale. */

import type { FaultListener } from '../fault-plan.js'
import type { SocketFault, VenueFault } from '../faults.js'
import { Lasting } from '../lasting.js'
import type { Line } from '../line.js'
import type { Exchange } from '../exchange.js'
import type { RestBooks } from './rest-books.js'
import type { Settlement } from './settlement.js'
import type { SportsChannel } from './sports-channel.js'
import type { VenueState } from './venue-state.js'

interface Hit {
  readonly exchange: Exchange
  readonly state: VenueState
  readonly settlement: Settlement
  readonly books: RestBooks
  readonly sports: SportsChannel
  /** Open connections, by their number since the start. */
  readonly lines: () => Iterable<{ readonly number: number; readonly line: Line }>
}

export class PolyFaults implements FaultListener {
  private readonly lasting: Lasting

  constructor(private readonly venue: Hit) {
    this.lasting = new Lasting(venue.exchange.clock)
  }

  onFault(fault: SocketFault | VenueFault, connection: number | undefined): void {
    const { state, settlement, books } = this.venue
    switch (fault.fault) {
      case 'clock_skew':
        this.lasting.add(fault.forMs, state.skew(fault.byMs))
        return
      case 'mode':
        this.lasting.add(fault.forMs, state.enter(fault.is, fault.forMs))
        return
      case 'geoblock':
        this.lasting.add(fault.forMs, state.block())
        return
      case 'stale_books':
        this.lasting.add(fault.forMs, books.freeze())
        return
      case 'scores':
        this.lasting.add(fault.forMs, this.venue.sports.misbehave(fault.is))
        return
      case 'trades':
        settlement.script(fault.end, fault.times)
        return
      case 'tick':
        this.refineTick(fault.market)
        return
      case 'terminal':
      case 'pause':
      case 'fees':
      case 'waiver':
      case 'prices':
        return
      default:
        this.onConnection(fault, fault.connection ?? connection)
    }
  }

  /** Ends what has lasted long enough. */
  step(): void {
    this.lasting.step()
  }

  private refineTick(conditionId: string | undefined): void {
    const { exchange } = this.venue
    for (const market of exchange.polyMarkets()) {
      if (market.status === 'active' && (conditionId ?? market.id) === market.id) exchange.refineTick(market)
    }
  }

  private onConnection(fault: Parameters<Line['apply']>[0], number: number | undefined): void {
    for (const connected of [...this.venue.lines()]) {
      if (number === undefined || connected.number === number) connected.line.apply(fault)
    }
  }
}
