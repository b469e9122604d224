/**
 * Two or three contracts of one game that together pay whatever it comes to:
 *
 *   cross-venue   a team here and its opponents there: YES of one and NO of the other, or the same outcome of markets
 *                 that pay on different teams
 *   same-venue    YES of both teams' markets at one venue, or NO of both
 *   three-way     YES of both teams and of the draw, each at any venue, or NO of all three, which pays two dollars
 *
 * Of three legs one at most is at Polymarket: it takes no order below five contracts, so what the opening leg filled of
 * fewer could not be followed there.
 *
 * They are made once, when a game's markets are known; what they pay at worst is theirs for good.
 */

import type { GameMarket, GameStatus, League } from '../model/game.js'
import { DRAW, worstPayout } from '../model/payout.js'
import type { SettlementRow } from '../model/payout.js'
import type { CombinationKind } from '../model/signal.js'
import type { Outcome } from '../model/venue.js'
import type { BookView } from './book-view.js'
import type { Ownership } from './ownership.js'

/** A game as far as trading cares. Times are this process's monotonic clock, us. */
export interface GameView {
  readonly league: League
  readonly gameId: string
  /** Home and away. */
  readonly teams: readonly [string, string]
  /** Whose its quotes are; absent where there is one shard alone. */
  readonly ownership?: Ownership | undefined
  status: GameStatus
  /** When its state last came. */
  heardUs: number
  /** When the scoreboard itself last said so: what is repeated in between grows old. */
  fetchedUs: number
}

/** A market of a game, with its book. */
export interface MarketView {
  readonly market: GameMarket
  readonly book: BookView
  /** The monitor's own word on what YES pays on agrees with the pairing; kept by whoever feeds the book. */
  selectionAgrees: boolean
}

/** An outcome to buy. */
export interface CombinationLeg {
  readonly of: MarketView
  readonly outcome: Outcome
  /** Venue, market and outcome, `kalshi:<ticker>:yes`: what is offered to everybody who wants it. */
  readonly offer: string
}

export interface Combination {
  readonly kind: CombinationKind
  readonly game: GameView
  /** By offer, whatever the order in which the markets were told. */
  readonly legs: readonly CombinationLeg[]
  /** The offers, `kalshi:<ticker>:yes+poly:<condition>:no`: one open plan for each. */
  readonly key: string
  /** What a contract of each leg pays at worst, micro-dollars; above 0. */
  readonly payoutMicros: number
}

/** One that can pay nothing at all, and where. */
export interface WorthlessCombination {
  readonly key: string
  readonly row: SettlementRow
}

export interface Combinations {
  readonly kept: readonly Combination[]
  readonly worthless: readonly WorthlessCombination[]
}

interface Draft {
  readonly kind: CombinationKind
  readonly legs: readonly (readonly [MarketView, Outcome])[]
}

/** Every combination of a game's markets, in an order that follows theirs. */
export function combinationsOf(game: GameView, markets: readonly MarketView[]): Combinations {
  const moneyline = markets.filter(({ market }) => market.kind === 'moneyline')
  const threeWay = markets.filter(({ market }) => market.kind === 'three_way')
  const drafts = [
    ...crossVenue(moneyline, true),
    ...crossVenue(threeWay, false),
    ...sameVenue(moneyline),
    ...baskets(threeWay, game.teams).filter(canFollow),
  ]
  const kept: Combination[] = []
  const worthless: WorthlessCombination[] = []
  for (const { kind, legs: drafted } of drafts) {
    const legs = drafted
      .map(([of, outcome]) => legOf(of, outcome))
      .sort((a, b) => (a.offer < b.offer ? -1 : 1))
    const key = legs.map(({ offer }) => offer).join('+')
    const settled = legs.map(({ of: { market }, outcome }) => ({ ...market, outcome }))
    const { micros, row } = worstPayout(settled, game.teams)
    if (micros > 0) kept.push({ kind, game, legs, key, payoutMicros: micros })
    else worthless.push({ key, row })
  }
  return { kept, worthless }
}

/** It takes no order as small as another one may fill: such a leg should open. */
export const hasFloor = ({ minSizeE2, sizeStepE2 }: GameMarket): boolean => minSizeE2 > sizeStepE2

/** One leg at most that can only open. */
const canFollow = ({ legs }: Draft): boolean => legs.filter(([{ market }]) => hasFloor(market)).length <= 1

const legOf = (of: MarketView, outcome: Outcome): CombinationLeg => {
  const { venue, marketId } = of.market
  return { of, outcome, offer: `${venue}:${marketId}:${outcome}` }
}

const OUTCOMES = ['yes', 'no'] as const
const other = (outcome: Outcome): Outcome => (outcome === 'yes' ? 'no' : 'yes')

/** With `twoWay`, YES of one team is NO of the other. */
function crossVenue(markets: readonly MarketView[], twoWay: boolean): Draft[] {
  const here = markets.filter(({ market }) => market.venue === 'kalshi')
  const there = markets.filter(({ market }) => market.venue === 'poly')
  return here.flatMap((one) =>
    there.flatMap((two) => {
      const isSame = one.market.selection === two.market.selection
      if (!isSame && !twoWay) return []
      return OUTCOMES.map((outcome): Draft => {
        const opposite = isSame ? other(outcome) : outcome
        return { kind: 'cross-venue', legs: [[one, outcome], [two, opposite]] } // prettier-ignore
      })
    }),
  )
}

function sameVenue(markets: readonly MarketView[]): Draft[] {
  return markets.flatMap((one, index) =>
    markets.slice(index + 1).flatMap((two) => {
      const { venue, selection } = one.market
      if (two.market.venue !== venue || two.market.selection === selection) return []
      return OUTCOMES.map((outcome): Draft => ({ kind: 'same-venue', legs: [[one, outcome], [two, outcome]] })) // prettier-ignore
    }),
  )
}

function baskets(markets: readonly MarketView[], [home, away]: readonly [string, string]): Draft[] {
  const of = (selection: string) => markets.filter(({ market }) => market.selection === selection)
  return of(home).flatMap((one) =>
    of(away).flatMap((two) =>
      of(DRAW).flatMap(
        (three) =>
        OUTCOMES.map((outcome): Draft => ({ kind: 'three-way', legs: [[one, outcome], [two, outcome], [three, outcome]] })), // prettier-ignore
      ),
    ),
  )
}
