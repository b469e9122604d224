/** Gamma's shapes: events with their markets, lists hidden in strings, and things that are no game winner. */

import { createHash } from 'node:crypto'
import { complementE4 } from '../model/price.js'
import type { OrderBook } from '../model/order-book.js'
import { HOSTILE_TEXT } from './kalshi/shapes.js'
import { viewGame, type SimGame } from './market.js'
import { LEAGUE_FACTS, SIM_LEAGUES, type SimLeague } from './teams.js'

/** Gamma's tag for single games. */
const GAMES_TAG = '100639'

const dollars = (priceE4: number | undefined, fallback: number) => (priceE4 ?? fallback) / 10_000

export interface GammaEvent {
  readonly id: string
  readonly slug: string
  readonly series: string
  readonly tags: readonly string[]
  readonly closed: boolean
  readonly startMs: number
  readonly body: unknown
}

/** `GET /sports`. */
export function sportsShape(): unknown {
  const us = SIM_LEAGUES.map((league, index) => {
    const { gammaSeries, gammaTag } = LEAGUE_FACTS[league]
    return {
      id: 10 + index,
      sport: league,
      image: '',
      resolution: `https://www.${league}.com/`,
      ordering: 'away',
      tags: `1,${gammaTag},${GAMES_TAG}`,
      series: gammaSeries,
      createdAt: '2025-11-05T19:27:45.399303Z',
    }
  })
  const soccer = {
    id: 2,
    sport: 'epl',
    image: '',
    resolution: 'https://www.premierleague.com/',
    ordering: 'home',
    tags: `1,82,306,${GAMES_TAG},100350`,
    series: '10188',
    createdAt: '2025-11-05T19:27:45.399303Z',
  }
  return [soccer, ...us]
}

/** `GET /teams?league=`. */
export function teamsShape(league: SimLeague): unknown[] {
  return LEAGUE_FACTS[league].teams.map((team, index) => ({
    id: 100_000 + Number(LEAGUE_FACTS[league].gammaSeries) + index,
    name: team.name,
    league,
    record: '0-0',
    logo: '',
    abbreviation: team.poly,
    alias: team.city,
    createdAt: '2025-09-22T15:35:22.711Z',
    providerId: Number(team.espnId),
    ordering: 'away',
  }))
}

/** A game's event: its moneyline, and a spread and a total beside it. */
export function gameEvent(game: SimGame, book: OrderBook, scenarioMs: number): GammaEvent {
  const facts = LEAGUE_FACTS[game.league]
  const { poly, away, home } = game
  const view = viewGame(game, scenarioMs)
  const closed = poly.status === 'finalized'
  const title = `${away.name} vs. ${home.name}`
  const id = String(500_000 + game.index)
  const markets = [moneyline(game, book, title), spread(game), total(game)]
  const seconds = Math.floor(view.clockS)
  const body = {
    id,
    ticker: poly.slug,
    slug: poly.slug,
    title,
    description: '',
    startDate: iso(game.startMs - 4 * 86_400_000),
    creationDate: iso(game.startMs - 4 * 86_400_000),
    endDate: iso(game.startMs + 7 * 86_400_000),
    startTime: iso(game.startMs),
    eventDate: game.easternDate,
    active: true,
    closed,
    archived: false,
    enableOrderBook: true,
    negRisk: poly.negRisk,
    gameId: Number(game.gameId),
    seriesSlug: game.league,
    series: [
      { id: facts.gammaSeries, ticker: game.league, slug: game.league, title: game.league.toUpperCase() },
    ],
    tags: [
      { id: '1', label: 'Sports', slug: 'sports' },
      { id: facts.gammaTag, label: game.league.toUpperCase(), slug: game.league },
      { id: GAMES_TAG, label: 'Games', slug: 'games' },
    ],
    live: view.status === 'live',
    ended: view.status === 'final',
    ...(view.status !== 'pre' && {
      score: `${view.away}-${view.home}`,
      period: view.status === 'final' ? 'FT' : `Q${view.period}`,
      elapsed: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`,
    }),
    teams: [away, home].map((team) => ({ name: team.name, abbreviation: team.poly, league: game.league })),
    homeTeamName: home.name,
    awayTeamName: away.name,
    markets,
  }
  return {
    id,
    slug: poly.slug,
    series: facts.gammaSeries,
    tags: ['1', facts.gammaTag, GAMES_TAG],
    closed,
    startMs: game.startMs,
    body,
  }
}

/** A season-long question in the league's series: no game, nothing to pair. */
export function seasonEvent(league: SimLeague, nowMs: number): GammaEvent {
  const facts = LEAGUE_FACTS[league]
  const slug = `${league}-champion-${new Date(nowMs).getUTCFullYear() + 1}`
  const favourite = facts.teams[6] ?? facts.teams[0]
  const question = `Will the ${favourite?.city ?? ''} ${favourite?.name ?? ''} win the title?`
  const startMs = nowMs - 30 * 86_400_000
  const body = {
    id: String(400_000 + Number(facts.gammaSeries)),
    ticker: slug,
    slug,
    title: `${league.toUpperCase()} champion`,
    active: true,
    closed: false,
    startDate: iso(startMs),
    seriesSlug: league,
    tags: [{ id: facts.gammaTag, label: league.toUpperCase(), slug: league }],
    markets: [
      {
        ...marketBase(slug, question, ['Yes', 'No'], 0.12),
        feesEnabled: true,
        feeSchedule: { exponent: 1, rate: 0.05, takerOnly: true, rebateRate: 0.15 },
      },
    ],
  }
  return {
    id: body.id,
    slug,
    series: facts.gammaSeries,
    tags: ['1', facts.gammaTag],
    closed: false,
    startMs,
    body,
  }
}

function moneyline(game: SimGame, book: OrderBook, title: string): unknown {
  const { poly } = game
  const bid = book.best('bid')?.[0]
  const ask = book.best('ask')?.[0]
  const middleE4 = bid === undefined || ask === undefined ? (bid ?? ask ?? 5000) : (bid + ask) / 2
  const settled = poly.result !== undefined
  const firstE4 = settled ? (poly.result === 'yes' ? 10_000 : 0) : middleE4
  return {
    id: String(900_000 + game.index),
    question: game.index === 0 ? `${title} ${HOSTILE_TEXT}` : title,
    conditionId: poly.id,
    slug: poly.slug,
    endDate: iso(game.startMs + 7 * 86_400_000),
    startDate: iso(game.startMs - 4 * 86_400_000),
    outcomes: JSON.stringify([game.away.name, game.home.name]),
    outcomePrices: JSON.stringify([String(firstE4 / 10_000), String(complementE4(firstE4) / 10_000)]),
    clobTokenIds: JSON.stringify(poly.tokenIds),
    active: true,
    closed: poly.status === 'finalized',
    archived: false,
    enableOrderBook: true,
    orderPriceMinTickSize: poly.tickE4 / 10_000,
    orderMinSize: 5,
    gameStartTime: gameStart(game.startMs),
    secondsDelay: poly.pace.secondsDelay,
    makerBaseFee: 1000,
    takerBaseFee: 1000,
    acceptingOrders: poly.status === 'active',
    negRisk: poly.negRisk,
    bestBid: dollars(bid, 0),
    bestAsk: dollars(ask, 10_000),
    clearBookOnStart: true,
    gameId: game.gameId,
    sportsMarketType: 'moneyline',
    feesEnabled: true,
    feeType: 'sports_fees_v2',
    feeSchedule: { exponent: 1, rate: 0.05, takerOnly: true, rebateRate: 0.15 },
    version: 'v1',
  }
}

function spread(game: SimGame): unknown {
  const base = marketBase(
    `${game.poly.slug}-spread-home-4pt5`,
    `Spread: ${game.home.name} (-4.5)`,
    [game.home.name, game.away.name],
    0.47,
  )
  return {
    ...base,
    sportsMarketType: 'spreads',
    line: -4.5,
    gameId: game.gameId,
    gameStartTime: gameStart(game.startMs),
  }
}

function total(game: SimGame): unknown {
  const base = marketBase(
    `${game.poly.slug}-total-220pt5`,
    `${game.away.name} vs. ${game.home.name}: O/U 220.5`,
    ['Over', 'Under'],
    0.5,
  )
  return {
    ...base,
    sportsMarketType: 'totals',
    line: 220.5,
    gameId: game.gameId,
    gameStartTime: gameStart(game.startMs),
  }
}

/** A listed market without a book here. */
function marketBase(slug: string, question: string, outcomes: readonly string[], first: number) {
  const hex = (text: string) => createHash('sha256').update(text).digest('hex')
  return {
    id: String(parseInt(hex(slug).slice(0, 6), 16)),
    question,
    conditionId: `0x${hex(`condition:${slug}`)}`,
    slug,
    outcomes: JSON.stringify(outcomes),
    outcomePrices: JSON.stringify([String(first), String(Math.round((1 - first) * 1000) / 1000)]),
    clobTokenIds: JSON.stringify([0, 1].map((side) => BigInt(`0x${hex(`${slug}:${side}`)}`).toString())),
    active: true,
    closed: false,
    enableOrderBook: true,
    orderPriceMinTickSize: 0.01,
    orderMinSize: 5,
    secondsDelay: 1,
    acceptingOrders: true,
    negRisk: false,
    version: 'v1',
  }
}

const iso = (unixMs: number): string => new Date(unixMs).toISOString().replace(/\.\d{3}Z$/, 'Z')

/** `2026-08-14 21:00:00+00`. */
const gameStart = (unixMs: number): string => `${iso(unixMs).slice(0, 19).replace('T', ' ')}+00`
