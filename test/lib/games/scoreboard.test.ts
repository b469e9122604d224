import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseScoreboard } from '../../../src/lib/games/scoreboard.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import type { Game, League } from '../../../src/lib/model/game.js'

const codes = new TeamCodeBook()
const FETCHED_MS = 1_769_500_000_000

const read = (body: unknown, league: League = 'nba') =>
  parseScoreboard(body, { league, codes, fetchedMs: FETCHED_MS })

function gamesOf(body: unknown, league: League = 'nba'): readonly Game[] {
  const reading = read(body, league)
  if (reading.kind === 'refused') throw new Error(`refused: ${reading.reason}`)
  expect(reading.skipped).toEqual([])
  return reading.games
}

/** An event in the shape of the service, written by hand. */
function event(change: Record<string, unknown> = {}, status: Record<string, unknown> = {}): object {
  return {
    id: '401',
    date: '2026-01-16T00:30Z',
    competitions: [
      {
        competitors: [
          { homeAway: 'home', score: '87', team: { abbreviation: 'BOS', displayName: 'Boston Celtics' } },
          { homeAway: 'away', score: '92', team: { abbreviation: 'UTAH', displayName: 'Utah Jazz' } },
        ],
        status: {
          clock: 521,
          period: 4,
          type: { name: 'STATUS_IN_PROGRESS', state: 'in', completed: false },
          ...status,
        },
        ...change,
      },
    ],
  }
}
const board = (...events: unknown[]) => ({ leagues: [{ slug: 'nba' }], events })
const type = (name: string, state: string, completed = false) => ({ type: { name, state, completed } })
const competitors = (home: object, away: object) => ({
  competitors: [
    { homeAway: 'home', score: '1', team: { abbreviation: 'BOS' }, ...home },
    { homeAway: 'away', score: '2', team: { abbreviation: 'NY' }, ...away },
  ],
})

describe('a scoreboard event', () => {
  it('of college tells all names of its schools, but no nickname; other leagues need none', () => {
    const team = (homeAway: string, abbreviation: string, location: string, name: string) => ({
      ...{ homeAway, score: '0' },
      team: { abbreviation, location, name, displayName: `${location} ${name}`, shortDisplayName: location },
    })
    const college = event({
      competitors: [
        team('home', 'TA&M', 'Texas A&M', 'Aggies'),
        team('away', 'M-OH', 'Miami (OH)', 'RedHawks'),
      ],
    })
    const slate = { leagues: [{ slug: 'college-football' }], events: [college] }
    expect(gamesOf(slate, 'cfb')[0]).toMatchObject({
      home: { code: 'TA&M' },
      names: {
        home: ['Texas A&M Aggies', 'Texas A&M'],
        away: ['Miami (OH) RedHawks', 'Miami (OH)'],
      },
    })
    expect(read(slate, 'cbb')).toMatchObject({ kind: 'refused', reason: 'wrong_league' })
    expect(gamesOf(board(event()))[0]).not.toHaveProperty('names')
  })

  it('becomes a game with ESPN codes, scores, clock and start', () => {
    expect(gamesOf(board(event()))).toEqual([
      {
        league: 'nba',
        gameId: '401',
        home: { code: 'BOS', name: 'Boston Celtics', score: 87 },
        away: { code: 'UTAH', name: 'Utah Jazz', score: 92 },
        status: 'live',
        period: 4,
        clockS: 521,
        startMs: Date.UTC(2026, 0, 16, 0, 30),
        provider: 'espn',
        fetchedMs: FETCHED_MS,
      },
    ])
  })

  it.each([
    ['STATUS_SCHEDULED', 'pre', false, 'pre'],
    ['STATUS_IN_PROGRESS', 'in', false, 'live'],
    ['STATUS_HALFTIME', 'in', false, 'live'],
    ['STATUS_END_PERIOD', 'in', false, 'live'],
    ['STATUS_DELAYED', 'pre', false, 'pre'],
    ['STATUS_RAIN_DELAY', 'in', false, 'live'],
    ['STATUS_FINAL', 'post', true, 'final'],
    // The name that ends a game is believed before a state that goes on.
    ['STATUS_FINAL', 'in', false, 'final'],
    ['STATUS_FULL_TIME', 'in', false, 'final'],
    ['STATUS_FINAL_AET', 'in', false, 'final'],
    ['STATUS_FINAL_PEN', 'pre', false, 'final'],
    ['STATUS_POSTPONED', 'post', false, 'postponed'],
    ['STATUS_SUSPENDED', 'in', false, 'postponed'],
    ['STATUS_CANCELED', 'post', false, 'canceled'],
    ['STATUS_A_NEW_ONE', 'in', false, 'live'],
    ['STATUS_A_NEW_ONE', 'post', false, 'postponed'],
  ])('%s in state %s (completed %s) is %s', (name, state, completed, status) => {
    expect(gamesOf(board(event({}, type(name, state, completed))))[0]!.status).toBe(status)
  })

  it.each([
    ['a string', '87', 87],
    ['a number', 87, 87],
    ['a string with a point', '87.0', 87],
    ['an object', { value: 87, displayValue: '87' }, 87],
    ['an object with its display alone', { displayValue: '87' }, 87],
  ])('reads a score that is %s', (_, score, expected) => {
    expect(gamesOf(board(event(competitors({ score }, {}))))[0]!.home.score).toBe(expected)
  })

  it('needs no score before the start', () => {
    const pre = event(competitors({ score: undefined }, { score: '' }), type('STATUS_SCHEDULED', 'pre'))
    expect(gamesOf(board(pre))[0]).toMatchObject({ home: { score: 0 }, away: { score: 0 }, status: 'pre' })
  })

  it('has no clock in baseball and outside of play', () => {
    const body = { events: [event(competitors({}, { team: { abbreviation: 'NYY' } }), { clock: 0 })] }
    expect(gamesOf(body, 'mlb')[0]!.clockS).toBeUndefined()
    expect(gamesOf(board(event({}, type('STATUS_FINAL', 'post', true))))[0]!.clockS).toBeUndefined()
  })

  it.each<[string, unknown, string]>([
    ['not an object', 'x', 'bad_event'],
    ['null', null, 'bad_event'],
    ['without an id', { ...event(), id: undefined }, 'bad_id'],
    ['with an id that would break a topic', { ...event(), id: 'a b\u001b[31m' }, 'bad_id'],
    ['with a date of words', { ...event(), date: 'tomorrow' }, 'bad_date'],
    ['with an impossible date', { ...event(), date: '2026-13-45T99:99Z' }, 'bad_date'],
    ['without competitions', { id: '1', date: '2026-01-16T00:30Z' }, 'bad_event'],
    ['without a status', event({ status: undefined }), 'bad_status'],
    ['in a state nobody knows', event({}, type('STATUS_NEW', 'limbo')), 'bad_status'],
    ['with one competitor', event({ competitors: [{}] }), 'bad_competitors'],
    ['with two home teams', event(competitors({}, { homeAway: 'home' })), 'bad_competitors'],
    [
      'of one team against itself',
      event(competitors({}, { team: { abbreviation: 'BOS' } })),
      'bad_competitors',
    ],
    [
      'of a team that is not in the league',
      event(competitors({}, { team: { abbreviation: 'GSW' } })),
      'unknown_team',
    ],
    [
      'of a team named __proto__',
      event(competitors({}, { team: { abbreviation: '__proto__' } })),
      'unknown_team',
    ],
    ['live without a score', event(competitors({ score: undefined }, {})), 'bad_score'],
    ['with a negative score', event(competitors({ score: '-3' }, {})), 'bad_score'],
    ['with a score of 1e400', event(competitors({ score: 1e400 }, {})), 'bad_score'],
    ['with a score of half a point in words', event(competitors({ score: '1.5' }, {})), 'bad_score'],
    ['with a score of half a point', event(competitors({ score: 1.5 }, {})), 'bad_score'],
  ])('%s is left out by reason, the others stand', (_, bad, reason) => {
    const reading = read(board(bad, { ...event(), id: '402' }))
    expect(reading.kind).toBe('games')
    if (reading.kind !== 'games') return
    expect(reading.skipped.map((skipped) => skipped.reason)).toEqual([reason])
    expect(reading.games.map(({ gameId }) => gameId)).toEqual(['402'])
  })

  it('counts once when it is repeated', () => {
    const reading = read(board(event(), event()))
    expect(reading).toMatchObject({ games: [{ gameId: '401' }], skipped: [{ reason: 'repeated_id' }] })
  })
})

describe('a scoreboard body', () => {
  it.each([
    ['null', null, 'not_an_object'],
    ['a list', [], 'not_an_object'],
    ['without events', { leagues: [] }, 'no_events'],
    ['with events of another type', { events: {} }, 'no_events'],
    ['of another league', { leagues: [{ slug: 'nhl' }], events: [] }, 'wrong_league'],
  ])('that is %s is refused', (_, body, reason) => {
    expect(read(body)).toEqual({ kind: 'refused', reason })
  })

  it('never throws and never yields an ill-formed game, whatever comes', () => {
    fc.assert(
      fc.property(fc.json(), fc.anything(), (json, anything) => {
        for (const body of [JSON.parse(json), { events: [JSON.parse(json), anything] }]) {
          const reading = read(body)
          if (reading.kind === 'games') expect(reading.games).toEqual([])
        }
      }),
      { numRuns: 100 },
    )
  })
})

const fixtures = process.env['ARBEES_FIXTURES']
const load = (name: string): unknown => JSON.parse(readFileSync(join(fixtures ?? '', 'espn', name), 'utf8'))

describe.skipIf(fixtures === undefined)('recorded scoreboards (ARBEES_FIXTURES)', () => {
  it.each<[string, League, Record<string, number>, string[]]>([
    ['mlb_2022-09-17_live_slate.json', 'mlb', { final: 3, live: 3, pre: 11 }, []],
    ['nba_2022_mixed_states_from_all.json', 'nba', { final: 1, live: 1, pre: 2 }, []],
    ['nba_phi_bos_q4_live_raw.json', 'nba', { live: 1 }, []],
    ['nfl_2022w1_live_slate.json', 'nfl', { final: 2, live: 8, pre: 6 }, []],
    ['nfl_2022w1_single_event_full.json', 'nfl', { live: 1 }, []],
    // The Coyotes of 2022 are no team any more.
    ['nhl_2022-09-25_live_slate.json', 'nhl', { final: 3, live: 4, pre: 2 }, ['unknown_team']],
  ])('%s', (name, league, statuses, skipped) => {
    const reading = read(load(name), league)
    if (reading.kind === 'refused') throw new Error(reading.reason)
    const found: Record<string, number> = {}
    for (const { status } of reading.games) found[status] = (found[status] ?? 0) + 1
    expect(found).toEqual(statuses)
    expect(reading.skipped.map(({ reason }) => reason)).toEqual(skipped)
  })

  it('reads the fourth quarter of PHI at BOS as it stood', () => {
    const reading = read(load('nba_phi_bos_q4_live_raw.json'))
    expect(reading).toMatchObject({
      games: [
        {
          gameId: '401869412',
          home: { code: 'BOS', name: 'Boston Celtics', score: 87 },
          away: { code: 'PHI', score: 92 },
          period: 4,
          clockS: 521,
          startMs: Date.UTC(2026, 4, 2, 23, 30),
        },
      ],
    })
  })

  it("takes OAK of 2022 for today's ATH", () => {
    const reading = read(load('mlb_2022-09-17_live_slate.json'), 'mlb')
    const games = reading.kind === 'games' ? reading.games : []
    expect(games.find(({ gameId }) => gameId === '401356379')!.away.code).toBe('ATH')
  })

  it('reads a slate of MLS: names beside the labels, a clock that counts up, one game of each state', () => {
    const body = load('mls_2022-09-17_live_slate.json')
    const games = gamesOf(body, 'mls')
    expect(games).toHaveLength(11)
    expect(games[0]).toMatchObject({
      home: { code: 'NYC', score: 2 },
      names: { home: ['New York City FC', 'NYCFC'], away: ['New York Red Bulls', 'NY Red Bulls'] },
      status: 'final',
    })
    expect(games[2]).toMatchObject({ status: 'live', period: 2, clockS: 3480 })
    expect(games[6]).toMatchObject({ status: 'pre', period: 0 })
    expect(read(body, 'epl')).toMatchObject({ kind: 'refused', reason: 'wrong_league' })
  })

  it('refuses a soccer slate asked for as basketball', () => {
    expect(read(load('mls_2022-09-17_live_slate.json')).kind).toBe('refused')
  })
})
