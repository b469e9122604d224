/**
 * Kalshi game tickers: `KXNBAGAME-26JUN13NYKSAS`, with markets `…-NYK` and `…-SAS`.
 *
 * The tail is `YYMMMDD[HHMM]AWAYHOME[G1|G2]`, date and time US Eastern, away first. Team codes have two or three
 * letters and run together, so they are never split by width: the suffixes of the event's two markets are the codes,
 * and they must make up the tail.
 */

const TAIL = /^(\d{2})([A-Z]{3})(\d{2})(?:([01]\d|2[0-3])[0-5]\d)?([A-Z].*)$/
const CODE = /^[A-Z]{2,4}$/
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

export type ParsedEvent =
  | {
      readonly kind: 'game'
      readonly easternDate: string
      readonly teams: readonly [away: string, home: string]
    }
  | { readonly kind: 'refused'; readonly reason: 'event_ticker' | 'event_date' | 'team_codes' }

/** The market's own part of its ticker, or undefined when it is not a market of that event. */
export function marketSuffix(eventTicker: string, marketTicker: string): string | undefined {
  const prefix = `${eventTicker}-`
  const suffix = marketTicker.startsWith(prefix) ? marketTicker.slice(prefix.length) : ''
  return CODE.test(suffix) ? suffix : undefined
}

/** `suffixes` are those of the event's two markets, in any order. */
export function parseEventTicker(
  seriesTicker: string,
  eventTicker: string,
  suffixes: readonly [string, string],
): ParsedEvent {
  const prefix = `${seriesTicker}-`
  const match = eventTicker.startsWith(prefix) ? TAIL.exec(eventTicker.slice(prefix.length)) : null
  if (match === null) return { kind: 'refused', reason: 'event_ticker' }
  const [, year = '', monthName = '', day = '', , codes = ''] = match
  const easternDate = dateOf(Number(`20${year}`), MONTHS.indexOf(monthName) + 1, Number(day))
  if (easternDate === undefined) return { kind: 'refused', reason: 'event_date' }
  const teams = orderOf(codes, suffixes)
  return teams === undefined
    ? { kind: 'refused', reason: 'team_codes' }
    : { kind: 'game', easternDate, teams }
}

function orderOf(
  codes: string,
  [first, second]: readonly [string, string],
): readonly [string, string] | undefined {
  if (first === second || !CODE.test(first) || !CODE.test(second)) return undefined
  const teams = [codes, codes.replace(/G[12]$/, '')]
  if (teams.includes(`${first}${second}`)) return [first, second]
  if (teams.includes(`${second}${first}`)) return [second, first]
  return undefined
}

/** `YYYY-MM-DD` of a day that exists. */
function dateOf(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day))
  const exists = month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists ? date.toISOString().slice(0, 10) : undefined
}
