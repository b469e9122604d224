/** Prices as a monitor publishes them: a few markets whose quotes move in small steps, the same for every seed. */

import { legacyPriceFields } from '../messages/codec.js'
import { pricesPayload } from '../messages/convert.js'
import type { PricesPayload } from '../messages/payloads.js'
import { formatTopic } from '../messages/topics.js'
import type { Venue } from '../model/venue.js'

const TEAMS = ['MIA', 'BOS', 'LAL', 'DEN', 'NYK', 'CHI', 'DAL', 'PHX']

interface Market {
  readonly topic: string
  readonly marketId: string
  readonly selection: string
  bidE4: number
  bookSeq: number
}

export interface PriceChange {
  readonly topic: string
  readonly payload: PricesPayload
  readonly topLevel: string
}

export class PriceWalk {
  private readonly markets: readonly Market[]
  private at = 0

  constructor(
    private state = 20260115,
    private readonly venue: Venue = 'kalshi',
  ) {
    this.markets = TEAMS.map((team, index) => {
      const marketId = `KXNBAGAME-26JAN15${team}${TEAMS[(index + 1) % TEAMS.length] ?? team}-${team}`
      const topic = formatTopic({ family: 'prices', scope: venue, id: marketId })
      return { topic, marketId, selection: team, bidE4: 3000 + 500 * index, bookSeq: 0 }
    })
  }

  /** The next change: the work that a monitor does per message, from quote to payload. */
  next(): PriceChange {
    const market = this.markets[this.at++ % this.markets.length]
    if (market === undefined) throw new Error('there are no markets')
    const step = this.random() % 3
    market.bidE4 = Math.min(9800, Math.max(100, market.bidE4 + (step - 1) * 100))
    market.bookSeq++
    const payload = pricesPayload({
      venue: this.venue,
      marketId: market.marketId,
      selection: market.selection,
      state: 'LIVE',
      yesBidE4: market.bidE4,
      yesAskE4: market.bidE4 + 100,
      yesBidSizeE2: 100 * (1 + (this.random() % 500)),
      yesAskSizeE2: 100 * (1 + (this.random() % 500)),
      bookSeq: market.bookSeq,
    })
    const topLevel = legacyPriceFields(market.marketId, payload.yes_bid ?? null, payload.yes_ask ?? null)
    return { topic: market.topic, payload, topLevel }
  }

  /** Numerical Recipes' linear congruential generator, upper bits. */
  private random(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    return this.state >>> 8
  }
}
