import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSportsFrame } from '../../../src/lib/games/sports-message.js'
import type { GameStatus } from '../../../src/lib/model/game.js'

const read = (value: unknown) => readSportsFrame(Buffer.from(JSON.stringify(value)))
const FULL = {
  gameId: 1,
  leagueAbbreviation: 'nba',
  slug: 'nba-hou-uta-2025-12-01',
  homeTeam: 'UTA',
  awayTeam: 'HOU',
  status: 'InProgress',
  score: '92-87',
  period: 'Q4',
  elapsed: '5:18',
  live: true,
  ended: false,
}
const { leagueAbbreviation: _, status: __, ...SHORT } = FULL
const wordOf = (value: unknown) => {
  const [reading] = read(value)
  if (reading?.kind !== 'word') throw new Error(JSON.stringify(reading))
  return reading
}

describe('a frame of the sports channel', () => {
  it('is a ping, or a word about a game by its slug', () => {
    expect(readSportsFrame(Buffer.from('ping'))).toEqual([{ kind: 'ping' }])
    expect(read(FULL)).toEqual([
      {
        kind: 'word',
        unknown: [],
        word: {
          slug: 'nba-hou-uta-2025-12-01',
          league: 'nba',
          teams: ['HOU', 'UTA'],
          date: '2025-12-01',
          status: 'live',
          scores: [92, 87],
          saidMs: undefined,
        },
      },
    ])
  })

  it('says the same bare, wrapped and in a list', () => {
    const bare = read(FULL)
    expect(read({ type: 'sport_result', payload: FULL })).toEqual(bare)
    expect(read([FULL, { type: 'sport_result', payload: FULL }])).toEqual([...bare, ...bare])
  })

  it('needs no league and no status, as the oldest frames have none', () => {
    const { word } = wordOf({ ...SHORT, slug: 'mci-liv-2025-02-03', last_update: '2025-02-03T19:50:16.939Z' })
    expect(word).toMatchObject({ league: undefined, teams: ['MCI', 'LIV'], status: 'live' })
    expect(word.saidMs).toBe(Date.UTC(2025, 1, 3, 19, 50, 16, 939))
  })

  it.each<[Record<string, unknown>, GameStatus]>([
    [{ status: 'Scheduled', live: false }, 'pre'],
    [{ status: 'InProgress' }, 'live'],
    [{ status: 'Break' }, 'live'],
    [{ status: 'PenaltyShootout' }, 'live'],
    [{ status: 'Final', live: false, ended: true }, 'final'],
    [{ status: 'F/OT' }, 'final'],
    [{ status: 'F/SO' }, 'final'],
    [{ status: 'F/2OT' }, 'final'],
    [{ status: 'finished' }, 'final'],
    [{ status: 'Suspended' }, 'postponed'],
    [{ status: 'Postponed', ended: true }, 'postponed'],
    [{ status: 'Canceled', ended: true }, 'canceled'],
    [{ status: 'cancelled' }, 'canceled'],
    // Not to be traded, whatever its flags say.
    [{ status: 'Interrupted', live: true }, 'postponed'],
    [{ status: 'Abandoned', live: false }, 'canceled'],
    [{ status: 'Forfeit' }, 'canceled'],
    [{ status: 'Awarded' }, 'canceled'],
    [{ status: 'NotNecessary' }, 'canceled'],
    [{ status: 'Delayed', live: true }, 'live'],
    [{ status: 'Delayed', live: false }, 'pre'],
    // What contradicts itself is over when any part says so.
    [{ status: 'InProgress', ended: true }, 'final'],
    [{ status: 'InProgress', period: 'FT' }, 'final'],
    [{ status: 'InProgress', period: 'FT OT' }, 'final'],
    [{ status: undefined, live: false, ended: true }, 'final'],
    [{ status: undefined, live: false, ended: false }, 'pre'],
  ])('%j is %s', (change, status) => {
    expect(wordOf({ ...FULL, ...change }).word.status).toBe(status)
  })

  it('names fields and statuses that nobody has told us of, and believes its flags', () => {
    const { word, unknown } = wordOf({ ...FULL, status: 'Halted', xG: 1, [`a\u001b[31m`]: 1 })
    expect(word.status).toBe('live')
    expect(unknown).toEqual(['field xG', 'field (unprintable)', 'status Halted'])
  })

  it.each<[unknown, object]>([
    [
      { ...FULL, slug: undefined },
      { kind: 'skipped', name: 'no slug' },
    ],
    [
      { ...FULL, slug: 'nba-hou-uta-2025-12-01-spread-home-4pt5' },
      { kind: 'skipped', name: 'slug form' },
    ],
    [
      { ...FULL, slug: `nba-${'a'.repeat(100_000)}` },
      { kind: 'skipped', name: 'slug form' },
    ],
    [
      { ...FULL, slug: 'nba-\u202Ehou-uta-2025-12-01' },
      { kind: 'skipped', name: 'slug form' },
    ],
    [
      { ...FULL, leagueAbbreviation: 'nfl' },
      { kind: 'skipped', name: 'league differs from slug' },
    ],
    [
      { ...FULL, leagueAbbreviation: '\u0000' },
      { kind: 'skipped', name: 'league form' },
    ],
    [
      { ...FULL, status: 7, live: undefined, ended: undefined },
      { kind: 'skipped', name: 'no status' },
    ],
    [
      { type: 'odds', payload: FULL },
      { kind: 'skipped', name: 'type odds' },
    ],
    [
      { type: 'x'.repeat(1000), payload: FULL },
      { kind: 'skipped', name: 'type (unprintable)' },
    ],
    [
      { type: 'sport_result', payload: 'no' },
      { kind: 'refused', reason: 'not_an_object' },
    ],
    [7, { kind: 'refused', reason: 'not_an_object' }],
    [null, { kind: 'refused', reason: 'not_an_object' }],
  ])('%j is no word', (value, reading) => {
    expect(read(value)).toEqual([reading])
  })

  it('leaves out a score that is none: rounds of maps, an object, a sentence', () => {
    for (const score of ['000-000|2-0|Bo3', { home: 1 }, '', '1000-1', 'nil-nil']) {
      expect(wordOf({ ...FULL, score }).word.scores).toBeUndefined()
    }
  })

  it('never throws, whatever arrives', () => {
    const keys = fc.constantFrom(...Object.keys(FULL), 'type', 'payload', '__proto__')
    fc.assert(
      fc.property(fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.constant(FULL))), (value) => {
        expect(read(value).length).toBe(1)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Array.isArray(readSportsFrame(Buffer.from(bytes)))).toBe(true)
      }),
    )
  })
})

const recordings = join(process.env['ARBEES_FIXTURES'] ?? '', 'polymarket')
describe.runIf(existsSync(join(recordings, 'sports_ws_nfl_in_progress.json')))('recorded frames', () => {
  it.each([
    ['sports_ws_nfl_in_progress.json', { league: 'nfl', teams: ['LAC', 'BUF'], scores: [3, 16] }],
    ['sports_ws_soccer_live.json', { league: undefined, teams: ['MCI', 'LIV'], scores: [1, 0] }],
  ])('%s is read without a remark', (name, word) => {
    const [reading] = readSportsFrame(readFileSync(join(recordings, name)))
    expect(reading).toMatchObject({ kind: 'word', unknown: [], word: { status: 'live', ...word } })
  })
})
