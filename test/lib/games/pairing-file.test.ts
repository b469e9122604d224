import { describe, expect, it } from 'vitest'
import { ArbeesError } from '../../../src/lib/core/errors.js'
import { parsePairingFile } from '../../../src/lib/games/pairing-file.js'
import { SettlementTable } from '../../../src/lib/games/settlement-table.js'
import { LEAGUES, isThreeWay } from '../../../src/lib/model/game.js'
import { VENUES } from '../../../src/lib/model/venue.js'

const GOOD = `
pins:
  - event: KXMLBGAME-26SEP051605AZWSHG2
    league: mlb
    game: 401701234
    why: moved to the evening
bans:
  - { market: KXNBAGAME-25DEC01HOUUTA-HOU, why: under review }
  - { event: nba-hou-uta-2025-12-01, why: under review }
  - { league: nba, game: '401', why: neutral venue }
settlement:
  - { league: nfl, venue: polymarket, overtime: included, tie: half, reviewed: 2026-11-20, by: jr }
  - { league: epl, venue: kalshi, kind: three_way, canceled: fair, reviewed: 2026-11-20, by: jr }
`

/** `line: message (hint)` of the refusal. */
function refusal(text: string): string {
  try {
    parsePairingFile(text, 'p.yaml')
  } catch (error) {
    if (!(error instanceof ArbeesError)) throw error
    expect([error.code, error.exit]).toEqual(['BAD_PAIRING_FILE', 4])
    return `${error.message} (${error.hint ?? ''})`
  }
  return 'none'
}

describe('the pairing file', () => {
  it('holds pins, bans and reviewed settlement rules', () => {
    expect(parsePairingFile(GOOD, 'p.yaml')).toEqual({
      pins: [{ eventId: 'KXMLBGAME-26SEP051605AZWSHG2', league: 'mlb', gameId: '401701234' }],
      bans: [
        { kind: 'market', marketId: 'KXNBAGAME-25DEC01HOUUTA-HOU' },
        { kind: 'event', eventId: 'nba-hou-uta-2025-12-01' },
        { kind: 'game', league: 'nba', gameId: '401' },
      ],
      settlement: [
        {
          ...{ league: 'nfl', venue: 'poly', kind: 'moneyline' },
          cells: { overtime: 'included', tie: 'half' },
        },
        { league: 'epl', venue: 'kalshi', kind: 'three_way', cells: { canceled: 'fair' } },
      ],
    })
  })

  it.each(['', '# nothing yet\n', 'pins:\nbans:\n', 'pins: []'])('may hold nothing: %j', (text) => {
    expect(parsePairingFile(text, 'p.yaml')).toEqual({ pins: [], bans: [], settlement: [] })
  })

  const pin = (more: string) => `pins:\n  - event: E\n    league: mlb\n    game: 1\n    why: x\n${more}`
  it.each([
    ['bams:\n  - { market: M, why: x }', "p.yaml:1: nothing is named 'bams' here (near: bans)"],
    ['- pin', 'p.yaml:1: not `key: value` lines (known here: pins, bans, settlement)'],
    ['pins: yes', 'p.yaml:1: pins is not a list (begin each entry with "- ")'],
    ['bans:\n  - KXNBA', 'p.yaml:2: not `key: value` lines (known here: market, event, league, game, why)'],
    [
      'bans:\n  - market: M',
      "p.yaml:2: an entry without 'why' (why: the reason, for whoever reads it later)",
    ],
    [
      "bans:\n  - market: M\n    why: ' '",
      "p.yaml:3: why is ' ' (wanted: the reason, for whoever reads it later)",
    ],
    ['bans:\n  - why: x', 'p.yaml:2: a ban of nothing (name one: market, event, or league and game)'],
    [
      'bans:\n  - { market: M, event: E, why: x }',
      'p.yaml:2: a ban of market and event (name one: market, event, or league and game)',
    ],
    [
      'bans:\n  - { market: M, league: nba, why: x }',
      'p.yaml:2: a ban of a market with a league (its id alone says which)',
    ],
    [
      'bans:\n  - { game: 1, why: x }',
      `p.yaml:2: an entry without 'league' (league: one of ${LEAGUES.join(', ')})`,
    ],
    [
      'bans:\n  - { game: 1, league: curling, why: x }',
      `p.yaml:2: league is 'curling' (wanted: one of ${LEAGUES.join(', ')})`,
    ],
    [
      "bans:\n  - { market: 'a b', why: x }",
      "p.yaml:2: market is 'a b' (wanted: the id as its venue writes it, without spaces)",
    ],
    [
      'pins:\n  - { event: E, league: nba, why: x }',
      "p.yaml:2: an entry without 'game' (game: ESPN's id of the game)",
    ],
    [
      pin('  - { event: E, league: mlb, game: 2, why: y }'),
      'p.yaml: event E is pinned twice (take one of them out)',
    ],
    [
      'settlement:\n  - { league: nfl, venue: kalshi, tie: maybe, reviewed: 2026-11-20, by: jr }',
      "p.yaml:2: tie is 'maybe' (wanted: one of half, no, impossible, unknown)",
    ],
    [
      'settlement:\n  - { league: nfl, venue: poly, tie: half, reviewed: 2026-11-20, by: jr }',
      "p.yaml:2: venue is 'poly' (wanted: one of kalshi, polymarket)",
    ],
    [
      'settlement:\n  - { league: nfl, venue: kalshi, tie: half, by: jr }',
      "p.yaml:2: an entry without 'reviewed' (reviewed: the day of the review, 2026-11-20)",
    ],
    [
      'settlement:\n  - { league: nfl, venue: kalshi, tie: half, reviewed: 20.11.26, by: jr }',
      "p.yaml:2: reviewed is '20.11.26' (wanted: the day of the review, 2026-11-20)",
    ],
    ...['2026-02-31', '2026-13-01', '2026-00-10'].map((day): [string, string] => [
      `settlement:\n  - { league: nfl, venue: kalshi, tie: half, reviewed: ${day}, by: jr }`,
      `p.yaml:2: reviewed is '${day}', which is no day (wanted: the day of the review, 2026-11-20)`,
    ]),
    ...['epl', 'mls'].map((league): [string, string] => [
      `settlement:\n  - { league: ${league}, venue: kalshi, kind: three_way, tie: impossible, reviewed: 2026-11-20, by: jr }`,
      `p.yaml:2: tie is 'impossible' in ${league} (its games may end in one: half or no)`,
    ]),
    [
      'settlement:\n  - { league: nfl, venue: kalshi, tie: impossible, reviewed: 2026-11-20, by: jr }',
      "p.yaml:2: tie is 'impossible' in nfl (its games may end in one: half or no)",
    ],
    [
      'settlement:\n  - { league: nba, venue: kalshi, kind: three_way, tie: no, reviewed: 2026-11-20, by: jr }',
      "p.yaml:2: kind is 'three_way' in nba (write kind: moneyline)",
    ],
    [
      'settlement:\n  - { league: epl, venue: kalshi, tie: no, reviewed: 2026-11-20, by: jr }',
      "p.yaml:2: kind is 'moneyline' in epl (write kind: three_way)",
    ],
    [
      'settlement:\n  - { league: nfl, venue: kalshi, reviewed: 2026-11-20, by: jr }',
      'p.yaml:2: a settlement that says nothing (give one of overtime, tie, postponed, canceled)',
    ],
    [
      'pins:\n  - event: [E',
      'p.yaml:2: not YAML: an opening [ has no ] (close it, and indent what stands between)',
    ],
    ['bans: []\nbans: []', 'p.yaml:2: bans is given twice ()'],
  ])('refuses %j', (text, expected) => {
    expect(refusal(text)).toBe(expected)
  })
})

describe('the settlement table', () => {
  const nflTie = { league: 'nfl', venue: 'kalshi', kind: 'moneyline' } as const

  it("says what the venues' own rules say, and nothing of what they do not", () => {
    const table = new SettlementTable(false, [])
    expect(table.rules(nflTie)).toEqual({
      overtime: 'included',
      tie: 'half',
      postponed: 'fair',
      canceled: 'fair',
    })
    expect(table.rules({ ...nflTie, venue: 'poly' }).overtime).toBe('unknown')
    expect(table.rules({ league: 'epl', venue: 'poly', kind: 'three_way' })).toMatchObject({
      overtime: 'excluded',
      tie: 'no',
    })
    expect(table.rules({ ...nflTie, league: 'mlb' })).toEqual({
      overtime: 'included',
      tie: 'impossible',
      postponed: 'fair',
      canceled: 'fair',
    })
    // A kind that the league does not have is none that anybody has read the rules of.
    expect(Object.values(table.rules({ ...nflTie, kind: 'three_way' }))).not.toContain('half')
  })

  it("has the operator's reviewed cells above its own, one by one", () => {
    const { settlement } = parsePairingFile(GOOD, 'p.yaml')
    const table = new SettlementTable(false, settlement)
    expect(table.rules({ ...nflTie, venue: 'poly' })).toEqual({
      overtime: 'included',
      tie: 'half',
      postponed: 'stays',
      canceled: 'half',
    })
    expect(table.rules(nflTie)).toEqual(new SettlementTable(false, []).rules(nflTie))
  })

  it('knows all of a simulated venue, which trades live by it', () => {
    const table = new SettlementTable(true, [])
    for (const league of LEAGUES) {
      for (const venue of VENUES) {
        const kind = isThreeWay(league) ? 'three_way' : 'moneyline'
        expect(Object.values(table.rules({ league, venue, kind }))).not.toContain('unknown')
      }
    }
  })
})
