/**
 * Kalshi game tickers: `KXNBAGAME-26JUN13NYKSAS`, with markets `…-NYK` and `…-SAS`; soccer adds `…-TIE`.
 *
 * The tail is `YYMMMDD[HHMM]AWAYHOME[G1|G2]`, date and time US Eastern; away first, in soccer home first
 * (`KXMLSGAME-26SEP05MIAATL`). Team codes have two to six letters, in college also a hyphen (`25DEC27M-OHFRES`, Miami of
 * Ohio), and run together, so they are never split by width: the suffixes of the event's markets are the codes, and
 * they must make up the tail.
 */

import type { MarketKind } from '../../model/game.js'

const TAIL = /^(\d{2})([A-Z]{3})(\d{2})(?:([01]\d|2[0-3])([0-5]\d))?([A-Z].*)$/
const CODE = /^(?:[A-Z]-)?[A-Z]{2,6}$/
const DOUBLEHEADER = /G([12])$/
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** The suffix of the market that pays when nobody wins. */
const TIE = 'TIE'

export interface GameEvent {
  readonly kind: MarketKind
  /** `YYYY-MM-DD`, US Eastern, as is the time, `HH:MM`, where the ticker has one. */
  readonly easternDate: string
  readonly easternTime?: string
  /** In the ticker's order. */
  readonly teams: readonly [first: string, second: string]
  /** Which game of a doubleheader, where the ticker says so. */
  readonly gameNumber?: 1 | 2
}

/** Why it is no game. */
export type NoGame =
  'event_ticker' | 'event_date' | 'team_codes' | 'market_suffix' | `markets_of_event_${number}`

/** The market's own part of its ticker, or undefined when it is not a market of that event. */
export function marketSuffix(eventTicker: string, marketTicker: string): string | undefined {
  const prefix = `${eventTicker}-`
  const suffix = marketTicker.startsWith(prefix) ? marketTicker.slice(prefix.length) : ''
  return CODE.test(suffix) ? suffix : undefined
}

/** The game of an event, from its ticker and those of all of its markets, in any order; else why it is none. */
export function parseEventTicker(
  seriesTicker: string,
  eventTicker: string,
  marketTickers: readonly string[],
): GameEvent | NoGame {
  const suffixes = marketTickers.map((ticker) => marketSuffix(eventTicker, ticker))
  const codesOfTeams = suffixes.filter((suffix) => suffix !== TIE)
  const ties = suffixes.length - codesOfTeams.length
  if (suffixes.length < 2 || codesOfTeams.length > 2 || ties > 1) return `markets_of_event_${suffixes.length}`
  if (codesOfTeams.length < 2) return 'team_codes'
  const [first, second] = codesOfTeams
  if (first === undefined || second === undefined) return 'market_suffix'
  const prefix = `${seriesTicker}-`
  const match = eventTicker.startsWith(prefix) ? TAIL.exec(eventTicker.slice(prefix.length)) : null
  if (match === null) return 'event_ticker'
  const [, year = '', monthName = '', day = '', hour, minute, codes = ''] = match
  const easternDate = dateOf(Number(`20${year}`), MONTHS.indexOf(monthName) + 1, Number(day))
  if (easternDate === undefined) return 'event_date'
  const order = orderOf(codes, first, second)
  if (order === undefined) return 'team_codes'
  return {
    kind: ties === 1 ? 'three_way' : 'moneyline',
    easternDate,
    ...(hour === undefined || minute === undefined ? {} : { easternTime: `${hour}:${minute}` }),
    ...order,
  }
}

/** Away and home, and the number behind them: read only where the codes alone do not make up the tail. */
function orderOf(
  codes: string,
  first: string,
  second: string,
): Pick<GameEvent, 'teams' | 'gameNumber'> | undefined {
  if (first === second) return undefined
  for (const teams of [
    [first, second],
    [second, first],
  ] as const) {
    if (codes === teams.join('')) return { teams }
    const number = DOUBLEHEADER.exec(codes)?.[1]
    if (number !== undefined && codes.slice(0, -2) === teams.join('')) {
      return { teams, gameNumber: number === '1' ? 1 : 2 }
    }
  }
  return undefined
}

/** `YYYY-MM-DD` of a day that exists. */
function dateOf(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day))
  const exists = month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists ? date.toISOString().slice(0, 10) : undefined
}
