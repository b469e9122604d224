import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { easternDate } from '../../../src/lib/games/eastern-date.js'
import { pairGames } from '../../../src/lib/games/pairing.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import { nameKey } from '../../../src/lib/games/team-names.js'
import { LEAGUES, isThreeWay } from '../../../src/lib/model/game.js'
import type { CatalogMarket, Game, League } from '../../../src/lib/model/game.js'
import {
  kalshiEvents,
  kalshiMarkets,
  noonOf,
  polymarketEvents,
  polymarketMarkets,
  scoreboardOf,
  unreadRows,
  type TableEvent,
} from './code-tables.js'
import { pairingContext } from './samples.js'

const codes = new TeamCodeBook()
const DAY_MS = 86_400_000

interface Tables {
  readonly league: League
  readonly kalshi: readonly TableEvent[]
  readonly poly: readonly TableEvent[]
  readonly unreadRows: readonly string[]
}

/** What tables may call a league. */
const ALIASES: Readonly<Record<string, League>> = { ncaaf: 'cfb', ncaab: 'cbb' }

/** Every league with both tables in a folder, whatever the date in their names; and the tables that are left over. */
function tablesIn(folder: string): { readonly tables: Tables[]; readonly leftOver: string[] } {
  const files = readdirSync(folder).flatMap((name) => {
    const [, said = '', kind] = /^([a-z]+)_(kalshi_tickers|polymarket_slugs).*\.json$/.exec(name) ?? []
    const league = ALIASES[said] ?? LEAGUES.find((each) => each === said)
    return kind === undefined ? [] : [{ name, kind, league }]
  })
  const tables: Tables[] = []
  for (const league of LEAGUES) {
    const of = (kind: string) => files.filter((file) => file.league === league && file.kind === kind)
    const [tickers, slugs] = [of('kalshi_tickers'), of('polymarket_slugs')]
    if (tickers.length === 0 || slugs.length === 0) continue
    const readAll = (own: typeof files, eventsOf: (table: unknown) => TableEvent[]): Read[] =>
      own.map(({ name }) => {
        const table: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'))
        return { table, events: eventsOf(table) }
      })
    tables.push(
      tablesOf(
        league,
        readAll(tickers, kalshiEvents),
        readAll(slugs, (table) => polymarketEvents(table, league)),
      ),
    )
  }
  const used = new Set(tables.map(({ league }) => league))
  const leftOver = files.filter(({ league }) => league === undefined || !used.has(league))
  return { tables, leftOver: leftOver.map(({ name }) => name) }
}

interface Read {
  readonly table: unknown
  readonly events: readonly TableEvent[]
}

function tablesOf(league: League, kalshi: readonly Read[], poly: readonly Read[]): Tables {
  const events = (reads: readonly Read[]) => reads.flatMap((read) => read.events)
  const unreadRowsOf = [...kalshi, ...poly].flatMap((read) => unreadRows(read.table, read.events))
  return { league, kalshi: events(kalshi), poly: events(poly), unreadRows: unreadRowsOf }
}

/** Teams and dates that both venues list, where codes or names say so beyond doubt. */
function shared({ league, kalshi, poly }: Tables): string[] {
  const keyOf = (venue: 'kalshi' | 'poly') => (event: TableEvent) => {
    const teams = event.codes
      .slice(0, 2)
      .map((code, i) =>
        codes.hasTable(league) ? codes.codeOf(league, venue, code) : nameKey(event.names[i] ?? ''),
      )
    return [...teams.map(String).sort(), event.date].join(' ')
  }
  const listed = new Set(poly.map(keyOf('poly')))
  return kalshi.map(keyOf('kalshi')).filter((key) => listed.has(key) && !key.includes('undefined'))
}

/** One pair: the game, and the event of either venue. */
interface Pair {
  readonly game: Game
  readonly kalshi: TableEvent
  readonly poly: TableEvent
}

interface Outcome {
  readonly pairs: readonly Pair[]
  /** By event or slug. */
  readonly refused: ReadonlyMap<string, string>
  /** Events that the readers left out. */
  readonly unread: readonly string[]
}

/** What Polymarket says of its start; its tables do not, so it is the scoreboard's, where that has one such game. */
function statedStart(
  games: readonly Game[],
  { date }: TableEvent,
  own: readonly CatalogMarket[],
): number | undefined {
  const meetings = games.filter((game) => {
    const { pairs } = marketsOf(
      [game],
      own.map((market) => ({ ...market, startMs: game.startMs })),
    )
    return pairs > 0
  })
  return meetings.length === 1 ? meetings[0]?.startMs : noonOf(date) - 9 * 3_600_000
}

/** How many of the markets are of a game of these, by themselves. */
function marketsOf(games: readonly Game[], markets: readonly CatalogMarket[]): { readonly pairs: number } {
  const { unpaired } = pairGames(games, markets, pairingContext())
  return { pairs: unpaired.filter(({ reason }) => reason === 'no_counterpart').length }
}

function pairAll({
  league,
  kalshi,
  poly,
}: Tables): Outcome & { readonly games: Game[]; readonly markets: CatalogMarket[] } {
  const games = scoreboardOf(league, kalshi, poly, codes)
  const listed = [
    ...kalshi.map((event) => ({ event, markets: kalshiMarkets(league, event) })),
    ...poly.map((event) => {
      const startMs = statedStart(games, event, polymarketMarkets(league, event))
      return { event, markets: polymarketMarkets(league, event, startMs === undefined ? {} : { startMs }) }
    }),
  ]
  const markets = listed.flatMap((each) => each.markets)
  const events = new Map(listed.map(({ event }) => [event.id, event]))
  const unread = listed.filter((each) => each.markets.length === 0).map(({ event }) => event.id)
  return { games, markets, unread, ...outcomeOf(games, markets, events) }
}

function outcomeOf(
  games: readonly Game[],
  markets: readonly CatalogMarket[],
  events: ReadonlyMap<string, TableEvent>,
): Pick<Outcome, 'pairs' | 'refused'> {
  const pairing = pairGames(games, markets, pairingContext())
  const byId = new Map(markets.map((market) => [market.marketId, market]))
  const pairs = pairing.games.flatMap(({ game, markets: own }) => {
    const [kalshi, poly] = (['kalshi', 'poly'] as const).map((venue) => {
      const market = own.find((each) => each.venue === venue)
      return events.get(byId.get(market?.marketId ?? '')?.eventId ?? '')
    })
    return kalshi === undefined || poly === undefined ? [] : [{ game, kalshi, poly }]
  })
  const refused = new Map(pairing.unpaired.map(({ market, reason }) => [market.eventId, reason]))
  return { pairs, refused }
}

/** `no_counterpart 33, unknown_team 2`. */
function counted(reasons: Iterable<string>): string {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${reason} ${count}`).join(', ') || '-'
}

/** The middle of what a venue says that its first team costs. */
function middle({ prices }: TableEvent, index: number): number | undefined {
  const [bid, ask] = prices[index] ?? []
  return bid === undefined || ask === undefined ? undefined : (bid + ask) / 2
}

/** A pair whose every price is the favorite's, where the table's own lean too little to tell the teams apart. */
function leaning(event: TableEvent, firstIsFavorite: boolean): TableEvent {
  const of = (isFavorite: boolean) => (isFavorite ? ([0.7, 0.72] as const) : ([0.28, 0.3] as const))
  return { ...event, prices: event.codes.map((_, index) => of((index === 0) === firstIsFavorite)) }
}

const shifted = (date: string): string => new Date(noonOf(date) + DAY_MS).toISOString().slice(0, 10)

/** What becomes of one pair, once something is wrong about it; `undefined` is no pair. */
function again(
  { league }: Tables,
  games: readonly Game[],
  kalshi: readonly CatalogMarket[],
  poly: readonly CatalogMarket[],
): readonly string[] | undefined {
  const { games: found } = pairGames(
    games.filter((game) => game.league === league),
    [...kalshi, ...poly],
    pairingContext(),
  )
  return found
    .find(({ markets }) => markets.length > 0)
    ?.markets.map(({ venue, selection }) => `${venue} ${selection}`)
    .sort()
}

/** Seeds every mistake into every pair of a table; how many were caught, and what slipped through. */
function seed(tables: Tables, { pairs, games }: ReturnType<typeof pairAll>) {
  const { league } = tables
  const caught: Record<string, number> = {}
  const missed: string[] = []
  const tooEven: string[] = []
  for (const { game, kalshi, poly } of pairs) {
    const startMs = game.startMs
    const own = kalshiMarkets(league, kalshi)
    const theirs = polymarketMarkets(league, poly, { startMs })
    const right = again(tables, [game], own, theirs)
    expect(right, poly.id).toBeDefined()
    const check = (mistake: string, found: readonly string[] | undefined): void => {
      if (found === undefined) caught[mistake] = (caught[mistake] ?? 0) + 1
      else missed.push(`${mistake}: ${kalshi.id} ${poly.id}`)
    }

    // Named the other way round, with the prices where they were: the table's own where they lean, then a favorite's.
    const outcomes = [...poly.names].reverse()
    const inverted = polymarketMarkets(league, poly, { startMs, outcomes })
    // In soccer the questions are swapped against the slugs, and nothing is left to read.
    if (!isThreeWay(league)) expect(inverted[0]?.selection, poly.id).not.toBe(theirs[0]?.selection)
    if (again(tables, [game], own, inverted) !== undefined) tooEven.push(poly.id)
    const firstOf = (code: string | undefined): boolean => code === kalshi.codes[0]
    const favored = kalshiMarkets(league, leaning(kalshi, firstOf(own[0]?.selection)))
    const leans = leaning(poly, sameTeam(league, kalshi, poly))
    expect(again(tables, [game], favored, polymarketMarkets(league, leans, { startMs })), poly.id).toEqual(
      right,
    )
    check(
      'outcomes swapped',
      again(tables, [game], favored, polymarketMarkets(league, leans, { startMs, outcomes })),
    )
    // Kalshi's markets with one another's ticker.
    const crossed = own.map((market, i) => ({
      ...market,
      selection: own[own.length - 1 - i]?.selection ?? '',
    }))
    check('tickers swapped', again(tables, [game], crossed, theirs))
    // The slug turned round is the same game, and not inverted.
    const turned: TableEvent = {
      ...{ ...poly, codes: [...poly.codes].reverse(), names: [...poly.names].reverse() },
      // In soccer each market's price goes with its team; else the first outcome's, which stays where it is.
      prices: isThreeWay(league) ? [...poly.prices].reverse() : poly.prices,
      id: poly.id.replace(poly.codes.join('-'), [...poly.codes].reverse().join('-')),
    }
    expect(
      again(
        tables,
        [game],
        own,
        polymarketMarkets(
          league,
          turned,
          isThreeWay(league) ? { startMs } : { startMs, outcomes: poly.names },
        ),
      ),
    ).toEqual(right)

    // They meet again four hours later, and the venues say no start that would tell.
    const isLate = easternDate(startMs + 4 * 3_600_000) !== easternDate(startMs)
    const apartMs = (isLate ? -4 : 4) * 3_600_000
    const second = { ...game, gameId: 'second', startMs: startMs + apartMs }
    const silent = own.map(({ easternTime: _, gameNumber: __, ...market }) => market)
    const atNoon = theirs.map((market) => ({ ...market, startMs: startMs + apartMs / 2 }))
    check('doubleheader', again(tables, [game, second], silent, atNoon))

    // The same teams on the next day, of which each venue lists another game.
    const tomorrow = { ...game, gameId: 'tomorrow', startMs: startMs + DAY_MS }
    const next: TableEvent = {
      ...poly,
      date: shifted(poly.date),
      id: poly.id.replace(poly.date, shifted(poly.date)),
    }
    const rematch = polymarketMarkets(league, next, { startMs: startMs + DAY_MS })
    expect(rematch).toHaveLength(theirs.length)
    check('next-day rematch', again(tables, [game, tomorrow], own, rematch))

    // A team that nobody knows, by either venue's name for it.
    const renamed: TableEvent = {
      ...poly,
      ...{ codes: ['zzq', poly.codes[1] ?? ''], names: ['Zzyzx Quokkas', poly.names[1] ?? ''] },
      id: poly.id.replace(`-${poly.codes[0]}-`, '-zzq-'),
    }
    check(
      'renamed on Polymarket',
      again(tables, [game], own, polymarketMarkets(league, renamed, { startMs })),
    )
    const gone = kalshi.codes[0] ?? ''
    // Behind the date, whose letters are no team's.
    const [head = '', tail = ''] = kalshi.id.split(/(?<=-\d\d[A-Z]{3}\d\d(?:\d{4})?)(?=[A-Z])/)
    const strangers: TableEvent = {
      ...kalshi,
      ...{ codes: ['ZZQ', ...kalshi.codes.slice(1)], names: ['Zzyzx', ...kalshi.names.slice(1)] },
      id: `${head}${tail.replace(gone, 'ZZQ')}`,
    }
    expect(kalshiMarkets(league, strangers), strangers.id).toHaveLength(own.length)
    check('renamed on Kalshi', again(tables, [game], kalshiMarkets(league, strangers), theirs))
  }
  return { caught, missed, tooEven, games: games.length }
}

/** Whether the first code of Kalshi's event and of the slug are one team, by the price where names do not say. */
function sameTeam(league: League, kalshi: TableEvent, poly: TableEvent): boolean {
  if (codes.hasTable(league)) {
    return (
      codes.codeOf(league, 'kalshi', kalshi.codes[0] ?? '') ===
      codes.codeOf(league, 'poly', poly.codes[0] ?? '')
    )
  }
  const [one, first, second] = [middle(kalshi, 0), middle(poly, 0), middle(poly, 1)]
  if (one === undefined || first === undefined || second === undefined) return true
  return Math.abs(one - first) <= Math.abs(one - second)
}

function report(
  tables: Tables,
  outcome: ReturnType<typeof pairAll>,
  seeded: ReturnType<typeof seed>,
): string {
  const ids = (events: readonly TableEvent[]) =>
    events.map(({ id }) => outcome.refused.get(id)).filter((id) => id !== undefined)
  return [
    `${tables.league}: ${tables.kalshi.length} Kalshi events, ${tables.poly.length} slugs, ${outcome.pairs.length} pairs`,
    `  refused of Kalshi: ${counted(ids(tables.kalshi))}`,
    `  refused of Polymarket: ${counted(ids(tables.poly))}`,
    ...(outcome.unread.length === 0 ? [] : [`  not read: ${outcome.unread.join(' ')}`]),
    ...(tables.unreadRows.length === 0 ? [] : [`  rows not read: ${tables.unreadRows.join(' ')}`]),
    `  seeded mistakes caught: ${Object.entries(seeded.caught)
      .map(([mistake, count]) => `${mistake} ${count}`)
      .join(', ')}`,
    `  swapped outcomes that the table's own prices are too even to tell: ${seeded.tooEven.length}`,
  ].join('\n')
}

function proven(tables: Tables): ReturnType<typeof pairAll> {
  expect([tables.kalshi.length, tables.poly.length].includes(0), 'a table that cannot be read').toBe(false)
  const outcome = pairAll(tables)
  if (shared(tables).length > 0) expect(outcome.pairs.length, 'pairs of what both list').toBeGreaterThan(0)
  const seeded = seed(tables, outcome)
  console.log(report(tables, outcome, seeded))
  expect(seeded.missed).toEqual([])
  for (const mistake of Object.keys(seeded.caught))
    expect(seeded.caught[mistake], mistake).toBe(outcome.pairs.length)
  for (const { kalshi, poly } of outcome.pairs) {
    expect(poly.date, poly.id).toBe(kalshi.date)
    // Not inverted: what the venues ask for one team agrees better than what they ask for one and the other.
    const [one, other] = [middle(kalshi, 0), middle(poly, sameTeam(tables.league, kalshi, poly) ? 0 : 1)]
    if (one === undefined || other === undefined || Math.abs(other - 0.5) < 0.1) continue
    expect(Math.abs(one - other), poly.id).toBeLessThan(Math.abs(one - (1 - other)))
  }
  return outcome
}

describe('code tables of our own', () => {
  const { tables, leftOver } = tablesIn(join(import.meta.dirname, 'tables'))
  it('are all used', () => expect(leftOver).toEqual([]))

  const of = (league: League) => {
    const found = tables.find((each) => each.league === league)
    if (found === undefined) throw new Error(`no tables of ${league}`)
    return proven(found)
  }

  it('of the NBA: three games, a rematch that one venue lists alone, a game that the other does', () => {
    const { pairs, refused } = of('nba')
    expect(pairs).toHaveLength(3)
    expect([...refused]).toEqual([
      ['KXNBAGAME-26JAN12NYKUTA', 'no_counterpart'],
      ['nba-por-phx-2026-01-12', 'no_counterpart'],
    ])
  })

  it('of MLB: a doubleheader that Polymarket does not tell apart, and a game', () => {
    const { pairs, refused } = of('mlb')
    expect(pairs.map(({ poly }) => poly.id)).toEqual(['mlb-cws-oak-2026-09-05'])
    expect(Object.fromEntries(refused)).toEqual({
      'KXMLBGAME-26SEP051305AZWSHG1': 'no_counterpart',
      'KXMLBGAME-26SEP051905AZWSHG2': 'no_counterpart',
      'mlb-ari-wsh-2026-09-05': 'doubleheader',
    })
  })

  it('of college football: by names, and not where one could mean another school', () => {
    const { pairs, refused } = of('cfb')
    expect(pairs.map(({ kalshi }) => kalshi.id)).toEqual([
      'KXNCAAFGAME-25NOV29BALLM-OH',
      'KXNCAAFGAME-25NOV29OHSTMICH',
    ])
    expect(refused.get('KXNCAAFGAME-25NOV29MIAPITT')).toBe('no_counterpart')
  })

  it('of soccer: three markets each, and not a club whose name Kalshi cuts short', () => {
    const { pairs, refused } = of('epl')
    expect(pairs.map(({ poly }) => poly.id)).toEqual(['epl-ars-liv-2026-10-24'])
    expect(refused.get('KXEPLGAME-26OCT25EVEMUN')).toBe('no_counterpart')
  })
})

describe('a table in another shape', () => {
  const slug = 'nba-gsw-sas-2026-01-11'
  const tickers = ['GSW', 'SAS'].map((team) => `KXNBAGAME-26JAN11GSWSAS-${team}`)
  const poly = { slug, question: 'Warriors vs. Spurs', 'Warriors BUY': 0.42, 'Spurs BUY': 0.6 }
  const read = (kalshi: unknown, polymarket: unknown, league: League = 'nba') =>
    tablesOf(
      league,
      [{ table: kalshi, events: kalshiEvents(kalshi) }],
      [{ table: polymarket, events: polymarketEvents(polymarket, league) }],
    )

  it.each<[string, unknown, unknown]>([
    ['with empty rows', [null, ...tickers.map((ticker) => ({ ticker }))], [null, poly]],
    [
      'with markets inside their event',
      {
        events: [{ event_ticker: 'KXNBAGAME-26JAN11GSWSAS', markets: tickers.map((ticker) => ({ ticker })) }],
      },
      { events: [{ slug, markets: [{ slug, outcomes: '["Warriors", "Spurs"]' }] }] },
    ],
    ['of ids alone', tickers, [poly]],
  ])('%s is read', (_, kalshi, polymarket) => {
    const tables = read(kalshi, polymarket)
    expect(proven(tables).pairs).toHaveLength(1)
    expect(tables.unreadRows).toEqual([])
  })

  it('is found by what colleges are called elsewhere; one without its twin or a league is named', () => {
    const folder = mkdtempSync(join(tmpdir(), 'arbees-tables-'))
    const names = [
      'ncaaf_kalshi_tickers_1',
      'ncaaf_polymarket_slugs_1',
      'ncaab_kalshi_tickers',
      'ufc_polymarket_slugs',
    ]
    for (const name of names) writeFileSync(join(folder, `${name}.json`), '[]')
    const { tables, leftOver } = tablesIn(folder)
    rmSync(folder, { recursive: true })
    expect(tables.map(({ league }) => league)).toEqual(['cfb'])
    expect(leftOver.sort()).toEqual(['ncaab_kalshi_tickers.json', 'ufc_polymarket_slugs.json'])
  })

  it('that cannot be read is no success, and names its rows', () => {
    const tables = read([{ code: 'GSW' }], [poly])
    expect(tables.unreadRows).toEqual(['{"code":"GSW"}'])
    expect(() => proven(tables)).toThrow('a table that cannot be read')
  })

  it('of soccer, in the shape of the NBA, keeps each price with its team when the slug is turned', () => {
    const priced = [
      ['ARS', 'Arsenal', 70],
      ['TIE', 'Tie', 20],
      ['LIV', 'Liverpool', 10],
    ] as const
    const kalshi = priced.map(([code, team, cents]) => ({
      ...{ market_ticker: `KXEPLGAME-26OCT24ARSLIV-${code}`, yes_sub_title: team },
      ...{ yes_bid: cents, yes_ask: cents + 1 },
    }))
    const epl = {
      ...{ slug: 'epl-ars-liv-2026-10-24', question: 'Arsenal vs. Liverpool' },
      ...{ 'Arsenal BUY': 0.71, 'Liverpool BUY': 0.11 },
    }
    expect(proven(read(kalshi, [epl], 'epl')).pairs).toHaveLength(1)
  })
})

const fixtures = process.env['ARBEES_FIXTURES']

describe.skipIf(fixtures === undefined)('recorded code tables (ARBEES_FIXTURES)', () => {
  const { tables: found, leftOver } =
    fixtures === undefined ? { tables: [], leftOver: [] } : tablesIn(join(fixtures, 'polymarket'))

  it('are all of a league and in pairs, or named', () => {
    expect(found.length).toBeGreaterThan(0)
    if (leftOver.length > 0) console.log(`tables without a twin or a league: ${leftOver.join(' ')}`)
  })

  it.each(found.map((tables) => [tables.league, tables] as const))('of %s', (_, tables) => {
    proven(tables)
  })

  it('of the NBA in December 2025: 16 events, 47 slugs, 15 pairs, HOU at UTA of November 30 refused', () => {
    const nba = found.find(({ league }) => league === 'nba')
    if (nba === undefined) throw new Error('no NBA tables')
    const { pairs, refused } = pairAll(nba)
    expect([nba.kalshi.length, nba.poly.length, pairs.length]).toEqual([16, 47, 15])
    expect(refused.get('KXNBAGAME-25NOV30HOUUTA')).toBe('no_counterpart')
    expect(new Set(refused.values())).toEqual(new Set(['no_counterpart']))
  })
})
