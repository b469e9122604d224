/**
 * Code tables of a league as they were recorded: Kalshi's tickers and Polymarket's slugs, with prices. From them the
 * venues' listings are built in the venues' own shape and read by the project's own readers, and the scoreboard of those
 * days from what either venue lists.
 *
 * Fields vary from table to table: `ticker` for `market_ticker`, dollars for cents, outcomes and prices as arrays for
 * `"Rockets BUY"`. What is not there is read from the ticker or the slug.
 */

import { easternMinutes } from '../../../src/lib/games/eastern-date.js'
import type { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import { nameKey } from '../../../src/lib/games/team-names.js'
import { isThreeWay } from '../../../src/lib/model/game.js'
import type { CatalogMarket, Game, League } from '../../../src/lib/model/game.js'
import { GAME_SERIES } from '../../../src/lib/venues/kalshi/catalog.js'
import { NO_FEE_CHANGES } from '../../../src/lib/venues/kalshi/fee-changes.js'
import { gamesOf, readListing } from '../../../src/lib/venues/kalshi/listing.js'
import { readEvent } from '../../../src/lib/venues/polymarket/gamma-market.js'

type Row = Readonly<Record<string, unknown>>

/** One event of a table, as its venue lists it. */
export interface TableEvent {
  /** Kalshi's event ticker, or Polymarket's slug. */
  readonly id: string
  /** US Eastern, `YYYY-MM-DD`. */
  readonly date: string
  readonly codes: readonly string[]
  /** What the venue calls the teams, in the order of `codes`. */
  readonly names: readonly string[]
  /** What YES on each team costs, dollars: bid and ask. */
  readonly prices: readonly (readonly [bid: number | undefined, ask: number | undefined])[]
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null

/** The rows of a table: bare or in an object, with their markets inside them, or ids alone. */
function rowsOf(table: unknown): Row[] {
  const rows = Array.isArray(table) ? (table as unknown[]) : isRow(table) ? arrayIn(table) : undefined
  return (rows ?? []).flatMap((row): Row[] => {
    if (typeof row === 'string') return [{ ticker: row, slug: row }]
    if (!isRow(row)) return []
    const { markets, ...event } = row
    if (!Array.isArray(markets)) return [row]
    const inside = markets.filter(isRow).map((market): Row => ({ ...event, ...market }))
    return inside.some((market) => 'ticker' in market || market['slug'] === event['slug']) ? inside : [event]
  })
}

const arrayIn = (table: Row): unknown[] | undefined =>
  Object.values(table).find((value): value is unknown[] => Array.isArray(value))

/** Rows that no event was made of, cut short. */
export function unreadRows(table: unknown, events: readonly TableEvent[]): string[] {
  return rowsOf(table)
    .filter((row) => {
      const ids = ['market_ticker', 'ticker', 'slug', 'event_slug', 'market_slug'].map((key) =>
        text(row, key),
      )
      return !events.some(({ id }) => ids.some((own) => own.startsWith(id)))
    })
    .map((row) => JSON.stringify(row).slice(0, 80))
}

const text = (row: Row, ...keys: string[]): string => {
  const found = keys.map((key) => row[key]).find((value) => typeof value === 'string')
  return typeof found === 'string' ? found : ''
}

/** Dollars, from cents or dollars, a number or a string. */
function dollars(row: Row, key: string): number | undefined {
  for (const [name, scale] of [
    [key, 100],
    [`${key}_dollars`, 1],
  ] as const) {
    const value = Number(row[name] ?? NaN)
    if (!Number.isNaN(value))
      return name === key && value <= 1 && !Number.isInteger(value) ? value : value / scale
  }
  return undefined
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** The date in a ticker: `KXNBAGAME-25NOV30HOUUTA`. */
function dateOf(ticker: string): string {
  const [, year = '', month = '', day = ''] = /-(\d\d)([A-Z]{3})(\d\d)/.exec(ticker) ?? []
  return `20${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, '0')}-${day}`
}

/** The event of a market; a college's own code may have a hyphen: `…BALLM-OH-M-OH`. */
function eventOf(ticker: string): string {
  const hyphened = /^(.*)-([A-Z]-[A-Z]{2,4})$/.exec(ticker)
  if (hyphened?.[1]?.includes(hyphened[2] ?? '-') === true) return hyphened[1]
  return ticker.slice(0, ticker.lastIndexOf('-'))
}

export function kalshiEvents(table: unknown): TableEvent[] {
  const events = new Map<string, Row[]>()
  for (const row of rowsOf(table)) {
    const ticker = text(row, 'market_ticker', 'ticker')
    const event = text(row, 'event_ticker') || eventOf(ticker)
    if (event !== '') events.set(event, [...(events.get(event) ?? []), row])
  }
  const isTie = (row: Row): boolean => text(row, 'market_ticker', 'ticker').endsWith('-TIE')
  return [...events].map(([id, listed]) => {
    // The teams first.
    const rows = [...listed.filter((row) => !isTie(row)), ...listed.filter(isTie)]
    const codes = rows.map((row) => text(row, 'market_ticker', 'ticker').slice(id.length + 1))
    const titled = text(rows[0]!, 'event_title', 'title')
      .replace(/ winner\?$/i, '')
      .split(/ (?:vs\.?|at|@) /i)
    // The title names the teams in the ticker's order.
    const names = codes.map((code, index) => {
      if (code === 'TIE') return 'Tie'
      const place = id.endsWith(code) ? 1 : 0
      return text(rows[index]!, 'yes_sub_title', 'team') || titled[place] || code
    })
    const prices = rows.map((row) => [dollars(row, 'yes_bid'), dollars(row, 'yes_ask')] as const)
    return { id, date: dateOf(id), codes, names, prices }
  })
}

export function polymarketEvents(table: unknown, league: League): TableEvent[] {
  const slug = new RegExp(`^${league}-([a-z0-9]+)-([a-z0-9]+)-(\\d{4}-\\d{2}-\\d{2})$`)
  return rowsOf(table).flatMap((row) => {
    const id = text(row, 'slug', 'event_slug', 'market_slug')
    const [, first, second, date] = slug.exec(id) ?? []
    if (first === undefined || second === undefined || date === undefined) return []
    const question = (text(row, 'question', 'title') || `${first} vs. ${second}`)
      .split(/ (?:vs\.?|at|@) /i)
      .map((name) => name.trim())
    const listed =
      typeof row['outcomes'] === 'string' ? (JSON.parse(row['outcomes']) as string[]) : row['outcomes']
    const names = Array.isArray(listed) ? (listed as string[]) : question
    const given = row['outcomePrices'] ?? row['prices']
    const list = typeof given === 'string' ? (JSON.parse(given) as unknown[]) : given
    const asks = names.map((name, index) => {
      const asked = Array.isArray(list)
        ? list[index]
        : (row[`${name} BUY`] ?? row[`${name.replaceAll(' ', '')} BUY`])
      return asked === null || asked === undefined ? undefined : Number(asked)
    })
    // Buying the one team at p is selling the other at 1 - p; where they may draw, what bids are is not said.
    const prices = asks.map((ask, index) => {
      if (isThreeWay(league)) return [ask === undefined ? undefined : Math.max(0, ask - 0.02), ask] as const
      const other = asks[1 - index]
      return [other === undefined ? undefined : 1 - other, ask] as const
    })
    return [{ id, date, codes: [first, second], names, prices }]
  })
}

const money = (price: number | undefined, none: string): string => price?.toFixed(4) ?? none
const STRUCTURE = [{ start: '0.0000', end: '1.0000', step: '0.0100' }]

/** What Kalshi's readers make of an event. */
export function kalshiMarkets(league: League, { id, codes, names, prices }: TableEvent): CatalogMarket[] {
  const series = GAME_SERIES[league]
  const marketEntries = codes.map((code, index) => ({
    ticker: `${id}-${code}`,
    event_ticker: id,
    status: 'active',
    price_ranges: STRUCTURE,
    title: `${names[index] ?? code} wins`,
    yes_sub_title: names[index],
    yes_bid_dollars: money(prices[index]?.[0], '0.0000'),
    yes_ask_dollars: money(prices[index]?.[1], '1.0000'),
  }))
  const listing = readListing({
    series,
    seriesFees: { feeType: 'quadratic', feeMultiplier: 1 },
    feeChanges: NO_FEE_CHANGES,
    askedMs: 0,
    eventEntries: [{ event_ticker: id }],
    marketEntries,
  })
  return [...gamesOf(listing, league, 0).markets]
}

/** Noon in New York, when all of a day's games are still to come. */
export const noonOf = (date: string): number => Date.parse(`${date}T17:00:00Z`)

/** What Gamma's readers make of an event; `outcomes` are its own, in the order of its tokens. */
export function polymarketMarkets(
  league: League,
  { id, date, codes, names, prices }: TableEvent,
  { outcomes = names, startMs }: { readonly outcomes?: readonly string[]; readonly startMs?: number } = {},
): CatalogMarket[] {
  const one = (slug: string, more: object) => ({
    ...{ slug, conditionId: `0x${Buffer.from(slug).toString('hex').padStart(64, '0').slice(-64)}` },
    ...{ clobTokenIds: '["1","2"]', active: true, closed: false, acceptingOrders: true, negRisk: false },
    ...{ enableOrderBook: true, orderPriceMinTickSize: 0.01, orderMinSize: 5, secondsDelay: 1 },
    ...{ sportsMarketType: 'moneyline', feesEnabled: true, version: 'v1' },
    ...{ feeSchedule: { exponent: 1, rate: 0.05, takerOnly: true } },
    ...more,
  })
  const priced = (index: number) => ({ bestBid: prices[index]?.[0], bestAsk: prices[index]?.[1] })
  const wins = (code: string, index: number) =>
    one(`${id}-${code}`, {
      ...{ outcomes: '["Yes", "No"]', question: `Will ${outcomes[index] ?? ''} win on ${date}?` },
      ...priced(index),
    })
  const drawn = { outcomes: '["Yes", "No"]', question: `Will ${names.join(' vs. ')} end in a draw?` }
  const event = {
    slug: id,
    title: names.join(' vs. '),
    startTime: new Date(startMs ?? noonOf(date) + 6 * 3_600_000).toISOString(),
    closed: false,
    teams: codes.map((abbreviation, index) => ({ abbreviation, name: names[index] })),
    markets: isThreeWay(league)
      ? [...codes.map(wins), one(`${id}-draw`, drawn)]
      : [one(id, { outcomes: JSON.stringify(outcomes), ...priced(0) })],
  }
  return readEvent(event, { league, nowMs: noonOf(date), teams: [] }).flatMap((reading) =>
    reading.kind === 'market' ? [reading.market] : [],
  )
}

/** Start of an event in a ticker that has one (`26SEP051605AZWSH`, US Eastern), else 6 pm. */
function startOf({ id, date }: TableEvent): number {
  const [, hours, minutes] = /-\d\d[A-Z]{3}\d\d([01]\d|2[0-3])([0-5]\d)[A-Z]/.exec(id) ?? []
  const sixPm = noonOf(date) + 6 * 3_600_000
  if (hours === undefined || minutes === undefined) return sixPm
  return sixPm + (Number(hours) * 60 + Number(minutes) - easternMinutes(sixPm)) * 60_000
}

/**
 * The scoreboard of those days: every game that either venue lists, at the starts that Kalshi's tickers tell. In a
 * league without a table of codes its teams are called as Polymarket calls them, or as Kalshi does where it alone lists
 * the game.
 */
export function scoreboardOf(
  league: League,
  kalshi: readonly TableEvent[],
  poly: readonly TableEvent[],
  codes: TeamCodeBook,
): Game[] {
  const meetings = new Map<
    string,
    { readonly event: TableEvent; readonly codes: string[]; starts: Set<number> }
  >()
  for (const [venue, events] of [
    ['poly', poly],
    ['kalshi', kalshi],
  ] as const) {
    for (const event of events) {
      const known = event.codes
        .slice(0, 2)
        .map((code, index) =>
          codes.hasTable(league) ? codes.codeOf(league, venue, code) : nameKey(event.names[index] ?? code),
        )
      const [first, second] = known
      if (first === undefined || second === undefined) continue
      const key = [...[first, second].sort(), event.date].join(' ')
      const meeting = meetings.get(key) ?? { event, codes: [first, second], starts: new Set<number>() }
      if (venue === 'kalshi') meeting.starts.add(startOf(event))
      meetings.set(key, meeting)
    }
  }
  return [...meetings].flatMap(
    ([
      key,
      {
        event,
        codes: [away = '', home = ''],
        starts,
      },
    ]) =>
      [...(starts.size === 0 ? [startOf(event)] : starts)].map((startMs, index): Game => {
        const team = (code: string) => ({ code: code.toUpperCase(), name: code, score: 0 })
        return {
          ...{ league, gameId: `${key} ${index}`.replaceAll(' ', '-'), home: team(home), away: team(away) },
          names: { home: [event.names[1] ?? ''], away: [event.names[0] ?? ''] },
          ...{ status: 'pre', period: 0, startMs, provider: 'espn', fetchedMs: 1 },
        }
      }),
  )
}
