import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ManualClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import { renderMarkets } from '../../../src/lib/operator/markets-view.js'
import { listPolymarket } from '../../../src/lib/operator/polymarket-markets.js'

const SLUG = 'nba-hou-uta-2026-11-20'
const CONDITION = `0x${'1f'.repeat(32)}`
const game = {
  slug: SLUG,
  title: 'Rockets vs. Jazz',
  startTime: '2026-11-21T01:00:00Z',
  closed: false,
  teams: [
    { abbreviation: 'uta', name: 'Utah Jazz' },
    { abbreviation: 'hou', name: 'Houston Rockets' },
  ],
  markets: [
    {
      ...{ conditionId: CONDITION, slug: SLUG, sportsMarketType: 'moneyline', version: 'v1' },
      ...{
        outcomes: '["Rockets", "Jazz"]',
        outcomePrices: '["0.83", "0.17"]',
        clobTokenIds: '["111", "222"]',
      },
      ...{ active: true, closed: false, acceptingOrders: true, enableOrderBook: true, negRisk: false },
      ...{ orderPriceMinTickSize: 0.01, orderMinSize: 5, secondsDelay: 1, feesEnabled: true },
      feeSchedule: { exponent: 1, rate: 0.05, takerOnly: true, rebateRate: 0.15 },
      description: 'If \u001b[31mHouston wins,\nit resolves to Rockets.',
    },
  ],
}
const newer = { ...game, slug: 'nba-lal-bos-2026-11-20' }

let server: Server
let routes: Record<string, unknown>
beforeEach(async () => {
  routes = {
    '/sports': [{ sport: 'nba', series: '10345', tags: '1,745,100639' }],
    '/events/keyset': { events: [game, newer] },
    '/events': [{ ...game, closed: true }],
    '/teams': [],
  }
  server = createServer((request, response) => {
    const body = routes[new URL(request.url ?? '', 'http://x').pathname]
    response.writeHead(body === undefined ? 404 : 200).end(JSON.stringify(body ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

function look(more: Partial<Parameters<typeof listPolymarket>[0]> = {}, leagues = 'nba') {
  const gamma = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { settings } = loadSettings({ flags: { 'polymarket.gamma_url': gamma, leagues }, environment: {} })
  const clock = new ManualClock(Date.parse('2026-11-20T12:00:00Z'))
  return listPolymarket({ settings, clock, rules: false, ...more })
}

describe('markets of Polymarket', () => {
  it('tells what each game costs to take, and why others are left out', async () => {
    const report = await look()
    expect(report).toMatchObject({ venue: 'polymarket', env: 'sim', notices: [], age_ms: 0 })
    expect(report.markets).toEqual([
      {
        league: 'nba',
        event: SLUG,
        game: 'HOU, UTA',
        eastern: '2026-11-20',
        start_time: '2026-11-21T01:00:00.000Z',
        market: CONDITION,
        selection: 'HOU',
        token_ids: ['111', '222'],
        tick: 0.01,
        min_size: 5,
        fee_cents: 1.25,
        taker_delay_ms: 1000,
        neg_risk: false,
      },
    ])
    expect(report.skipped).toEqual([
      { series: 'nba', market: newer.slug, reason: '0 moneyline markets under the slug' },
    ])
  })

  it('fits into 80 columns, with rules and what is left out when asked for', async () => {
    const report = await look({ rules: true })
    const text = renderMarkets(report, { width: 80, color: false, skipped: true })
    expect(text).toContain(SLUG)
    expect(text).toContain('If \\u001b[31mHouston wins,\nit resolves to Rockets.')
    expect(text).toContain('0 moneyline markets under the slug')
    expect(text).toMatch(/1 market of 1 game, 1 left out; Polymarket sim \(127\.0\.0\.1:\d+\), asked 0/)
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(renderMarkets(report, { width: 200, color: false, skipped: false })).toContain(CONDITION)
  })

  it('shows one game, open or not', async () => {
    expect(await look({ event: SLUG })).toMatchObject({
      markets: [],
      skipped: [{ series: 'nba', market: SLUG, reason: 'event closed' }],
    })
    for (const event of ['nba-aaa-bbb-2026-11-20', 'KXNBAGAME-26JUN13NYKSAS', 'a game']) {
      await expect(look({ event })).rejects.toMatchObject({ code: 'NO_SUCH_EVENT', exit: 2 })
    }
  })

  it('says which league is not listed, and that others than open ones are not', async () => {
    expect(await look({}, 'nhl')).toMatchObject({ markets: [], notices: ['Polymarket lists no nhl'] })
    await expect(look({ status: 'closed' })).rejects.toMatchObject({ code: 'USAGE', exit: 2 })
  })

  it('names the place that did not answer, and how to have one', async () => {
    await new Promise((resolve) => server.close(resolve))
    const { settings } = loadSettings({
      flags: { 'polymarket.gamma_url': 'http://127.0.0.1:1', leagues: 'nba' },
      environment: {},
    })
    const error = listPolymarket({ settings, clock: new ManualClock(0), rules: false })
    await expect(error).rejects.toMatchObject({
      exit: 6,
      message: expect.stringContaining('Polymarket (sim) at http://127.0.0.1:1') as string,
      hint: expect.stringContaining('start the simulator') as string,
    })
    server = createServer().listen(0)
  })
})
