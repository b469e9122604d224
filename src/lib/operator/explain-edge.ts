/**
 * The edge of a signal computed again, from the books that it names and the fees of the game's markets: what the shard
 * said beside what follows from its inputs.
 */

import { levelsOf } from '../messages/convert.js'
import type {
  GameMarketPayload,
  OrderbookPayload,
  SignalLegPayload,
  SignalsPayload,
} from '../messages/payloads.js'
import { takerFeeMicros } from '../model/fees.js'
import type { Level } from '../model/order-book.js'
import { complementE4, costMicros, priceToWire, sizeE2FromWire, sizeToWire } from '../model/price.js'

/** One level of a book that the plan takes from. */
export interface TakenLevel {
  readonly price: number
  readonly size: number
}

export interface LegEdge {
  readonly venue: string
  readonly market_id: string
  readonly outcome: string
  /** Best first; together as much as the plan's size, unless the book has less. */
  readonly takes: readonly TakenLevel[]
  readonly cost_micros: number
  /** By the market's schedule, each level a fill of its own; null where the schedule is not known. */
  readonly fees_micros: number | null
  /** The book does not hold the plan's size within the levels that are published. */
  readonly is_short: boolean
}

export interface EdgeAgain {
  readonly legs: readonly LegEdge[]
  readonly gross_edge_micros: number
  readonly fees_micros: number | null
  readonly net_edge_micros: number | null
  /** Whether each is what the signal says; null where it could not be computed. */
  readonly agrees: boolean | null
}

/** Undefined where a leg's book is not there. */
export function edgeAgain(
  signal: SignalsPayload,
  bookOf: (leg: SignalLegPayload) => OrderbookPayload | undefined,
  marketOf: (leg: SignalLegPayload) => GameMarketPayload | undefined,
): EdgeAgain | undefined {
  const legs: LegEdge[] = []
  for (const leg of signal.legs) {
    const book = bookOf(leg)
    const asks = book === undefined ? undefined : asksOf(book, leg.outcome)
    const sizeE2 = sizeE2FromWire(signal.size)
    if (asks === undefined || sizeE2 === undefined) return undefined
    legs.push(takeFrom(asks, sizeE2, leg, marketOf(leg)))
  }
  const cost = legs.reduce((sum, { cost_micros: micros }) => sum + micros, 0)
  const gross = signal.worst_payout_micros - cost
  const fees = legs.reduce<number | null>(
    (sum, { fees_micros: micros }) => (sum === null || micros === null ? null : sum + micros),
    0,
  )
  const net = fees === null ? null : gross - fees
  const agrees =
    net === null
      ? null
      : gross === signal.gross_edge_micros &&
        fees === signal.fees_micros &&
        net === signal.net_edge_micros &&
        legs.every(({ is_short: isShort }) => !isShort)
  return { legs, gross_edge_micros: gross, fees_micros: fees, net_edge_micros: net, agrees }
}

/** What is offered of an outcome: YES by the asks, NO by whoever bids for YES. */
function asksOf({ bids, asks }: OrderbookPayload, outcome: SignalLegPayload['outcome']): Level[] | undefined {
  if (outcome === 'yes') return levelsOf(asks)
  return levelsOf(bids)?.map(([priceE4, sizeE2]) => [complementE4(priceE4), sizeE2])
}

function takeFrom(
  asks: readonly Level[],
  wantedE2: number,
  { venue, market_id, outcome }: SignalLegPayload,
  market: GameMarketPayload | undefined,
): LegEdge {
  const schedule =
    market === undefined
      ? undefined
      : { ratePpm: market.fee.rate_ppm, roundUpToMicros: market.fee.round_up_micros }
  const takes: TakenLevel[] = []
  let [leftE2, cost, fees] = [wantedE2, 0, 0]
  for (const [priceE4, sizeE2] of asks) {
    if (leftE2 === 0) break
    const takenE2 = Math.min(leftE2, sizeE2)
    takes.push({ price: priceToWire(priceE4), size: sizeToWire(takenE2) })
    cost += costMicros(priceE4, takenE2)
    if (schedule !== undefined) fees += takerFeeMicros(schedule, priceE4, takenE2)
    leftE2 -= takenE2
  }
  return {
    ...{ venue, market_id, outcome, takes, cost_micros: cost },
    fees_micros: schedule === undefined ? null : fees,
    is_short: leftE2 > 0,
  }
}
