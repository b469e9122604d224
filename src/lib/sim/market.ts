/** The simulated games and their markets: identity that never changes, and the little that does. */

import { createHash } from 'node:crypto'
import type { Venue } from '../model/venue.js'
import { tickerDate } from './eastern.js'
import type { FeeOverride } from './fee-override.js'
import type { PolyPace } from './poly-pace.js'
import type { PriceStructure } from './price-structure.js'
import { LEAGUE_FACTS, type SimLeague, type SimTeam } from './teams.js'

export type MarketStatus = 'active' | 'closed' | 'determined' | 'finalized'

interface MarketState {
  status: MarketStatus
  /** Which outcome won, once determined. */
  result: 'yes' | 'no' | undefined
}

export interface KalshiMarket extends MarketState {
  readonly venue: 'kalshi'
  /** The ticker. */
  readonly id: string
  readonly eventTicker: string
  /** Kalshi's `market_id`. */
  readonly uuid: string
  readonly yesTeam: SimTeam
  readonly yesIsHome: boolean
  readonly exchangeIndex: number
  readonly game: SimGame
  /** Which prices it takes; the venue may change that while it trades. */
  structure: PriceStructure
  /** The same for both of its event. */
  feeOverride: FeeOverride
  isFeeWaived: boolean
  /** Unix ms; undefined: never was. */
  feeWaivedUntilMs: number | undefined
}

export interface PolyMarket extends MarketState {
  readonly venue: 'poly'
  /** The condition id. */
  readonly id: string
  readonly slug: string
  /** Token ids of YES (the away team, listed first) and NO. */
  readonly tokenIds: readonly [string, string]
  readonly yesIsHome: boolean
  readonly negRisk: boolean
  readonly pace: PolyPace
  readonly game: SimGame
  /** Smallest price step, $0.0001; it may become finer near the edges. */
  tickE4: number
}

export type SimMarket = KalshiMarket | PolyMarket

/** Something that moved the score or the odds. */
export interface Play {
  /** Scenario time, ms. */
  readonly atMs: number
  readonly side: 'home' | 'away'
  readonly points: number
  /** How much the home team's win probability moved, $0.0001. */
  readonly moveE4: number
  readonly text: string
  /** When each venue's makers notice, scenario ms. */
  readonly seenAtMs: Readonly<Record<Venue, number>>
}

export interface SimGame {
  /** Position among the games created, from 0. */
  readonly index: number
  readonly league: SimLeague
  /** ESPN's event id. */
  readonly gameId: string
  readonly away: SimTeam
  readonly home: SimTeam
  /** Scheduled start, Unix ms. */
  readonly startMs: number
  readonly easternDate: string
  /** Scenario time at which it was announced, went or goes live, and ends, ms. */
  readonly announcedAtMs: number
  readonly liveAtMs: number
  readonly endsAtMs: number
  /** Seconds of play left when it went live here. */
  readonly remainingAtLiveS: number
  readonly opening: Readonly<Record<'home' | 'away', number>>
  /** Home win probability at the opening, $0.0001. */
  readonly openingFairE4: number
  readonly plays: Play[]
  readonly kalshi: readonly [away: KalshiMarket, home: KalshiMarket]
  readonly poly: PolyMarket
}

/**
 * The markets that both venues list for a game. Kalshi's take whole cents or, every third game, finer prices near the
 * ends; Polymarket's tick alternates between 0.01 and 0.001.
 */
export function listMarkets(game: Omit<SimGame, 'kalshi' | 'poly'>, pace: PolyPace): SimGame {
  const facts = LEAGUE_FACTS[game.league]
  const { away, home, easternDate, index } = game
  const eventTicker = `${facts.kalshiSeries}-${tickerDate(easternDate)}${away.kalshi}${home.kalshi}`
  const slug = `${game.league}-${away.poly}-${home.poly}-${easternDate}`
  const conditionId = `0x${digest(`condition:${slug}`).toString('hex')}`
  const listed: SimGame = {
    ...game,
    get kalshi() {
      return kalshi
    },
    get poly() {
      return poly
    },
  }
  const kalshiMarket = (yesTeam: SimTeam, yesIsHome: boolean): KalshiMarket => {
    const id = `${eventTicker}-${yesTeam.kalshi}`
    return {
      venue: 'kalshi',
      id,
      eventTicker,
      uuid: uuidOf(`market:${id}`),
      yesTeam,
      yesIsHome,
      exchangeIndex: facts.exchangeIndex,
      game: listed,
      structure: index % 3 === 0 ? 'tapered_deci_cent' : 'linear_cent',
      feeOverride: { feeType: null, feeMultiplier: null },
      isFeeWaived: false,
      feeWaivedUntilMs: undefined,
      status: 'active',
      result: undefined,
    }
  }
  const kalshi = [kalshiMarket(away, false), kalshiMarket(home, true)] as const
  const poly: PolyMarket = {
    venue: 'poly',
    id: conditionId,
    slug,
    tokenIds: [tokenId(`${slug}:0`), tokenId(`${slug}:1`)],
    yesIsHome: false,
    negRisk: index % 4 === 3,
    pace,
    game: listed,
    tickE4: index % 2 === 0 ? 100 : 10,
    status: 'active',
    result: undefined,
  }
  return listed
}

export interface GameView {
  readonly status: 'pre' | 'live' | 'final'
  readonly period: number
  /** Seconds on the game clock. */
  readonly clockS: number
  readonly home: number
  readonly away: number
  readonly lastPlay: Play | undefined
}

/** The game as it stood at a scenario time. */
export function viewGame(game: SimGame, atMs: number): GameView {
  const { periods, periodSeconds } = LEAGUE_FACTS[game.league]
  if (atMs < game.liveAtMs) {
    return { status: 'pre', period: 0, clockS: 0, home: 0, away: 0, lastPlay: undefined }
  }
  let { home, away } = game.opening
  let lastPlay: Play | undefined
  for (const play of game.plays) {
    if (play.atMs > atMs) break
    if (play.side === 'home') home += play.points
    else away += play.points
    lastPlay = play
  }
  if (atMs >= game.endsAtMs) return { status: 'final', period: periods, clockS: 0, home, away, lastPlay }
  const left = Math.max(0.1, game.remainingAtLiveS - (atMs - game.liveAtMs) / 1000)
  const later = Math.ceil(left / periodSeconds) - 1
  return {
    status: 'live',
    period: periods - later,
    clockS: left - later * periodSeconds,
    home,
    away,
    lastPlay,
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const tokenId = (text: string): string => BigInt(`0x${digest(`token:${text}`).toString('hex')}`).toString()

/** A stable UUID for a name (version nibble 4, as the venues' look). */
export function uuidOf(name: string): string {
  const hex = digest(name).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
