/** Fees and prices that the simulated Kalshi changes while it trades, by a fault script; told as the venue tells them. */

import { randomUUID } from 'node:crypto'
import type { Exchange } from '../exchange.js'
import type { FeeOverride } from '../fee-override.js'
import type { TermsFault } from '../faults.js'
import type { KalshiMarket, SimGame } from '../market.js'
import { priceLevels, type PriceStructure } from '../price-structure.js'
import { LEAGUE_FACTS } from '../teams.js'
import type { KalshiChannels } from './channels.js'
import { overrideFields } from './fees.js'

interface FeeChange extends FeeOverride {
  readonly id: string
  readonly game: SimGame
  readonly scheduledMs: number
}

/** Runs a task after real ms; at once without them. */
type Later = (ms: number, task: () => void) => void

export class MarketTerms {
  private announced: readonly FeeChange[] = []

  constructor(
    private readonly exchange: Exchange,
    private readonly channels: KalshiChannels,
  ) {}

  /** `GET /events/fee_changes`: those that have not come into force. */
  feeChanges(): readonly unknown[] {
    return this.announced.map(({ id, game, scheduledMs, ...override }) => ({
      id,
      event_ticker: game.kalshi[0].eventTicker,
      series_ticker: LEAGUE_FACTS[game.league].kalshiSeries,
      ...overrideFields(override),
      scheduled_ts: new Date(scheduledMs).toISOString(),
    }))
  }

  apply(fault: TermsFault, later: Later): void {
    switch (fault.fault) {
      case 'fees':
        for (const game of this.exchange.games) {
          if ((fault.event ?? game.kalshi[0].eventTicker) === game.kalshi[0].eventTicker)
            this.changeFees(game, fault, later)
        }
        return
      case 'waiver':
        for (const market of this.named(fault.market)) this.waive(market, fault.forMs, later)
        return
      case 'prices':
        for (const market of this.named(fault.market)) {
          const before = market.structure
          this.setPrices(market, fault.structure)
          if (fault.forMs !== undefined) later(fault.forMs, () => this.setPrices(market, before))
        }
    }
  }

  private changeFees(game: SimGame, fault: Extract<TermsFault, { fault: 'fees' }>, later: Later): void {
    const { aheadMs, forMs, feeType, feeMultiplier } = fault
    const override = { feeType, feeMultiplier }
    const before = game.kalshi[0].feeOverride
    const begin = (): void => {
      this.setFees(game, override)
      if (forMs !== undefined) later(forMs, () => this.setFees(game, before))
    }
    if (aheadMs === 0) return begin()
    const scheduledMs = this.exchange.clock.nowMs() + aheadMs
    const change: FeeChange = { ...override, id: randomUUID(), game, scheduledMs }
    this.announced = [...this.announced, change]
    later(aheadMs, () => {
      this.announced = this.announced.filter((each) => each !== change)
      begin()
    })
  }

  private setFees(game: SimGame, override: FeeOverride): void {
    for (const market of game.kalshi) market.feeOverride = override
    this.channels.onEventFees(game.kalshi[0].eventTicker, overrideFields(override))
  }

  /** No message tells of it but that something about the market is new. */
  private waive(market: KalshiMarket, forMs: number, later: Later): void {
    const untilMs = this.exchange.clock.nowMs() + forMs
    market.feeWaivedUntilMs = untilMs
    market.isFeeWaived = true
    this.channels.onLifecycle(market, { event_type: 'metadata_updated' })
    later(forMs, () => {
      if (market.feeWaivedUntilMs === untilMs) market.isFeeWaived = false
    })
  }

  private setPrices(market: KalshiMarket, structure: PriceStructure): void {
    market.structure = structure
    this.channels.onLifecycle(market, {
      event_type: 'price_level_structure_updated',
      ...priceLevels(structure),
    })
  }

  private named(ticker: string | undefined): readonly KalshiMarket[] {
    const all = this.exchange.games.flatMap((game): readonly KalshiMarket[] => game.kalshi)
    return all.filter(({ id }) => (ticker ?? id) === id)
  }
}
