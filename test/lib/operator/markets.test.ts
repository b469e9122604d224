import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import { renderMarkets } from '../../../src/lib/operator/markets-view.js'
import { listMarkets } from '../../../src/lib/operator/markets.js'
import { HttpVenue, type Answer } from '../venues/kalshi/http-venue.js'
import { ed25519Credentials } from '../venues/kalshi/keys.js'
import { EVENT, TAPERED, entry, eventEntry } from '../venues/kalshi/listings.js'

const HOSTILE = 'If \u001b[31mthey\u202e win,\nthen it resolves to Yes.'

let venue: HttpVenue
let pages: Record<string, Answer>
beforeEach(async () => {
  venue = await HttpVenue.start(ed25519Credentials().privateKey)
  const markets = [
    entry('SAS', { price_ranges: TAPERED, rules_primary: HOSTILE, close_time: '2026-06-28T00:30:00Z' }),
    entry('NYK', { rules_primary: 'NYK', rules_secondary: 'or not', exchange_index: undefined }),
    entry('BOS', { ticker: 'KXNBAGAME-26JUN14LALBOS-BOS', event_ticker: 'KXNBAGAME-26JUN14LALBOS' }),
  ]
  pages = {
    '/series/KXNBAGAME': { status: 200, body: { series: { fee_type: 'quadratic', fee_multiplier: 0.5 } } },
    '/series/fee_changes': { status: 200, body: { series_fee_change_arr: [] } },
    '/events/fee_changes': { status: 404, body: { error: { code: 'not_found', message: 'no' } } },
    '/events': { status: 200, body: { events: [eventEntry()], cursor: '' } },
    '/markets': { status: 200, body: { markets, cursor: '' } },
  }
  venue.answer = ({ path }) => pages[path]!
})
afterEach(() => venue.close())

function look(more: Partial<Parameters<typeof listMarkets>[0]> = {}) {
  const { settings } = loadSettings({
    flags: { 'kalshi.rest_url': venue.baseUrl, leagues: 'nba' },
    environment: {},
  })
  return listMarkets({ settings, clock: systemClock, rules: false, ...more })
}

describe('markets', () => {
  it('tells what each market costs to take, and why others are left out', async () => {
    const report = await look()
    expect(report).toMatchObject({
      venue: 'kalshi',
      env: 'sim',
      skipped: [{ series: 'KXNBAGAME', market: 'KXNBAGAME-26JUN14LALBOS-BOS', reason: 'markets_of_event_1' }],
      notices: [expect.stringContaining('the fee changes of events could not all be read')],
    })
    expect(report.markets).toEqual([
      {
        series: 'KXNBAGAME',
        event: EVENT,
        game: 'NYK at SAS',
        eastern: '2026-06-13',
        market: `${EVENT}-SAS`,
        selection: 'SAS',
        kind: 'moneyline',
        status: 'active',
        tick: 0.001,
        price_ranges: [
          [0, 0.1, 0.001],
          [0.1, 0.9, 0.01],
          [0.9, 1, 0.001],
        ],
        fee_type: 'quadratic',
        fee_cents: 0.88,
        shard: 3,
        close_time: '2026-06-28T00:30:00.000Z',
      },
      expect.objectContaining({ selection: 'NYK', tick: 0.01, shard: null, close_time: null }),
    ])
  })

  it('prints a table, and rules that cannot reach the terminal raw', async () => {
    const report = await look({ rules: true })
    const screen = renderMarkets(report, { width: 140, color: false, skipped: true })
    const lines = screen.split('\n')
    expect(lines[1]).toMatch(
      /^NYK at SAS +2026-06-13 +KXNBAGAME-26JUN13NYKSAS-SAS +SAS +active +0\.001\+ +0\.88c +3 +2026-06-28T00:30Z$/,
    )
    expect(lines).toContain('If \\u001b[31mthey\\u202e win,')
    expect(lines).toContain('then it resolves to Yes.')
    expect(lines).toContain('or not')
    expect(lines).toContain('KXNBAGAME-26JUN14LALBOS-BOS  markets_of_event_1')
    expect(screen).toContain('2 markets of 1 game, 1 left out; Kalshi sim (')
    expect(renderMarkets(report, { width: 140, color: false, skipped: false })).toContain(
      '(--skipped tells why)',
    )
    const narrow = renderMarkets(report, { width: 80, color: false, skipped: false }).split('\n')
    expect(narrow[1]).toMatch(/^NYK at SAS +KXNBAGAME-26JUN13NYKSAS-SAS +SAS +active +0\.001\+ +0\.88c$/)
    expect(JSON.stringify(report)).not.toMatch(/\u202e|\u001b/)
  })

  it('lists what is closed when that is asked for, and one event whatever its status', async () => {
    const settled = [entry('SAS', { status: 'finalized' }), entry('NYK', { status: 'finalized' })]
    pages['/markets'] = { status: 200, body: { markets: settled, cursor: '' } }
    expect((await look({ status: 'settled' })).markets.map(({ status }) => status)).toEqual([
      'finalized',
      'finalized',
    ])
    expect(venue.of('/markets')[0]!.query.get('status')).toBe('settled')
    expect((await look()).markets).toEqual([])
    pages[`/events/${EVENT}`] = { status: 200, body: { event: eventEntry(), markets: settled } }
    expect((await look({ event: EVENT })).markets).toHaveLength(2)
  })

  it('says which host of which env does not answer, and what to do', async () => {
    pages['/markets'] = 'cut'
    await expect(look()).rejects.toMatchObject({
      code: 'KALSHI_UNREACHABLE',
      exit: 6,
      message: expect.stringMatching(
        /^Kalshi \(sim\) at http:\/\/127\.0\.0\.1:\d+\/trade-api\/v2: /,
      ) as string,
      hint: expect.stringContaining('arbees up') as string,
    })
    pages['/markets'] = { status: 503, body: '<html>' }
    await expect(look()).rejects.toMatchObject({ code: 'KALSHI_REFUSED', exit: 6 })
  })
})
