/** Recorded REST responses of the folder named by ARBEES_FIXTURES, through the code that reads such a call. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { takerFeeMicros } from '../../../../src/lib/model/fees.js'
import type { OrderRequest } from '../../../../src/lib/model/order.js'
import { parsePriceE4, parseSizeE2 } from '../../../../src/lib/model/price.js'
import type { PreparedOrder } from '../../../../src/lib/venues/ports.js'
import { ExchangeStatus } from '../../../../src/lib/venues/kalshi/exchange-status.js'
import { NO_FEE_CHANGES } from '../../../../src/lib/venues/kalshi/fee-changes.js'
import { feesOfSeries } from '../../../../src/lib/venues/kalshi/fees.js'
import { gamesOf, readListing, reviewListing } from '../../../../src/lib/venues/kalshi/listing.js'
import { orderBody } from '../../../../src/lib/venues/kalshi/order-body.js'
import { sumFills } from '../../../../src/lib/venues/kalshi/order-fills.js'
import { outcomeOfCreate, outcomeOfListed } from '../../../../src/lib/venues/kalshi/order-outcome.js'
import { parseErrorBody } from '../../../../src/lib/venues/kalshi/rest-result.js'
import type { RestResult } from '../../../../src/lib/venues/kalshi/rest-result.js'
import { gameMarket } from './markets.js'

type Json = Readonly<Record<string, unknown>>

const ROOT = process.env['ARBEES_FIXTURES']
const FOLDER = ROOT === undefined ? '' : join(ROOT, 'kalshi')
const FILES = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.startsWith('rest_')) : []

const text = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')
const read = (file: string): Json => JSON.parse(text(file)) as Json
const listOf = (body: Json, name: string): Json[] => body[name] as Json[]
const statusOf = (file: string): number =>
  Number(/_(\d{3})\.json$/.exec(file)?.[1] ?? /_(\d{3})_/.exec(file)?.[1])

/** The request that a recorded response answered, as ours would have been. */
function prepared(more: Partial<OrderRequest>, body = ''): PreparedOrder {
  const request: OrderRequest = {
    orderId: '2b8394e0-515e-4b89-b624-f34067756855',
    signalId: 's',
    leg: 0,
    attempt: 0,
    venue: 'kalshi',
    marketId: 'KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP',
    outcome: 'yes',
    side: 'buy',
    limitE4: 9900,
    sizeE2: 100,
    signalMs: 1,
    ...more,
  }
  return { request, market: gameMarket({ marketId: request.marketId }), body, sizeE2: request.sizeE2 }
}

function created(file: string, more: Partial<OrderRequest> = {}) {
  const status = statusOf(file)
  const result: RestResult =
    status < 300
      ? { kind: 'ok', status, body: read(file) }
      : { kind: 'refused', status, error: parseErrorBody(status, text(file)) }
  return outcomeOfCreate(result, prepared(more))
}

describe.skipIf(FILES.length === 0)('recorded Kalshi responses (skipped without ARBEES_FIXTURES)', () => {
  it.each([
    [
      'rest_auth_bad_signature_401.json',
      'authentication_error',
      'authentication_error: INCORRECT_API_KEY_SIGNATURE',
    ],
    [
      'rest_auth_missing_signature_401.json',
      'signature_is_missing_from_headers',
      'signature is missing from headers',
    ],
    ['rest_auth_timestamp_expired_401.json', 'header_timestamp_expired', 'header timestamp expired'],
    [
      'rest_markets_limit_over_max_bare_msg_400.json',
      'http_400',
      'Parameter validation failed for GetMarkets',
    ],
    [
      'rest_v2_create_numeric_fields_flat_error_400.json',
      'bad_request',
      'bad request: json: cannot unmarshal number',
    ],
    ['rest_v2_create_post_only_cross_400.json', 'invalid_order', 'invalid order: post only cross'],
    ['rest_v2_cancel_unknown_404.json', 'not_found', 'not found'],
    ['rest_error_429_documented.json', 'http_429', 'too many requests'],
    [
      'rest_error_v1_order_endpoint_410.json',
      'deprecated_v1_order_endpoint',
      'Please switch to the V2 endpoints',
    ],
  ])('%s is %s', (file, code, message) => {
    const error = parseErrorBody(statusOf(file), text(file))
    expect(error).toMatchObject({ code, isVenues: true })
    expect(error.message.startsWith(message)).toBe(true)
  })

  it('every recorded error is in a shape that is read', () => {
    const errors = FILES.filter((file) => statusOf(file) >= 400)
    expect(errors.length).toBeGreaterThan(8)
    for (const file of errors) expect(parseErrorBody(statusOf(file), text(file)).isVenues, file).toBe(true)
  })

  it.each([
    ['rest_v2_create_insufficient_balance_400.json', 'rejected', 'insufficient_balance'],
    ['rest_v2_create_invalid_price_400.json', 'rejected', 'invalid_price'],
    ['rest_v2_create_post_only_cross_400.json', 'rejected', 'invalid_order'],
    ['rest_v2_create_numeric_fields_flat_error_400.json', 'rejected', 'bad_request'],
    ['rest_auth_timestamp_expired_401.json', 'rejected', 'header_timestamp_expired'],
    ['rest_error_fok_no_volume_409.json', 'rejected', 'fill_or_kill_insufficient_resting_volume'],
    ['rest_error_trading_is_paused_409.json', 'rejected', 'trading_is_paused'],
    ['rest_error_429_documented.json', 'rejected', 'http_429'],
    ['rest_v2_create_duplicate_client_order_id_409.json', 'unknown', undefined],
    ['rest_v2_create_reuse_canceled_client_id_409.json', 'unknown', undefined],
  ])('a create answered by %s is %s', (file, kind, code) => {
    expect(created(file)).toMatchObject(code === undefined ? { kind } : { kind, code })
  })

  it('a filled and a self-crossing IOC are what they were, by fill count alone', () => {
    const venueOrderId = '97ec18b7-10d3-4557-9de0-8598aad625f0'
    expect(created('rest_v2_create_ioc_filled_201.json')).toEqual({
      kind: 'filled',
      venueOrderId,
      filledE6: 1_000_000,
    })
    expect(created('rest_v2_create_ioc_filled_201.json', { sizeE2: 300 })).toMatchObject({ kind: 'partial' })
    const zero = { orderId: '8ae6f81d-5f9d-4bb0-8bff-076e5cb4038d' }
    expect(created('rest_v2_create_ioc_selftrade_zero_fill_201.json', zero)).toMatchObject({ kind: 'none' })
    expect(created('rest_v2_create_ioc_filled_201.json', { orderId: 'another' })).toMatchObject({
      kind: 'unknown',
    })
  })

  it.each([
    ['rest_v2_create_ioc_filled_201.request.json', {}],
    [
      'rest_v2_create_ioc_selftrade_zero_fill_201.request.json',
      { orderId: '8ae6f81d-5f9d-4bb0-8bff-076e5cb4038d', side: 'sell', limitE4: 4800 },
    ],
  ] as const)('our body is the one that the venue accepted: %s', (file, more) => {
    const { request, market } = prepared(more)
    expect(JSON.parse(orderBody(request, market))).toEqual(read(file)['request_body'])
  })

  it('orders of the list are found final, and one that rests is not', () => {
    const orders = listOf(read('rest_orders_list_200.json'), 'orders')
    const outcomes = orders.map((order) => outcomeOfListed(order, prepared({})).kind)
    expect(orders.map(({ fill_count_fp }) => (fill_count_fp === '1.00' ? 'filled' : 'none'))).toEqual(
      outcomes,
    )
    const resting = read('rest_get_order_resting_200.json')['order'] as Json
    expect(outcomeOfListed(resting, prepared({}))).toMatchObject({ kind: 'unknown' })
  })

  it("the money of each recorded fill is the venue's, and its fee is what the schedule says", () => {
    const fills = listOf(read('rest_fills_200.json'), 'fills')
    const schedule = feesOfSeries({ feeType: 'quadratic', feeMultiplier: 1 })
    if (schedule.kind !== 'schedule') throw new Error(schedule.reason)
    const reports = fills.map(({ order_id }) => {
      return sumFills(fills, prepared({}).request, { venueOrderId: String(order_id), filledE6: 1_000_000 })
    })
    expect(reports.map(({ cashMicros, feesMicros }) => [cashMicros, feesMicros])).toEqual([
      [520_000, 17_500],
      [990_000, 700],
      [990_000, 700],
    ])
    fills.forEach((fill, index) => {
      const [priceE4, sizeE2] = [
        parsePriceE4(String(fill['yes_price_dollars'])),
        parseSizeE2(String(fill['count_fp'])),
      ]
      expect(takerFeeMicros(schedule.fees, priceE4!, sizeE2!)).toBe(reports[index]!.feesMicros)
    })
  })

  it("a maker's fill costs no fee", () => {
    const fill = read('rest_fill_maker_entry_demo.json')
    const filled = { venueOrderId: String(fill['order_id']), filledE6: 1_000_000 }
    expect(sumFills([fill], prepared({}).request, filled)).toMatchObject({
      cashMicros: 390_000,
      feesMicros: 0,
    })
  })

  const QUADRATIC = { feeType: 'quadratic', feeMultiplier: 1 }
  const NOW_MS = Date.parse('2026-06-12T00:00:00Z')

  function listed(series: string, eventEntries: readonly unknown[], marketEntries: readonly unknown[]) {
    const told = { seriesFees: QUADRATIC, feeChanges: NO_FEE_CHANGES, askedMs: NOW_MS }
    return readListing({ series, ...told, eventEntries, marketEntries })
  }
  const reasonsOf = (listing: ReturnType<typeof readListing>): string[] =>
    [...gamesOf(listing, 'nba', NOW_MS).skipped].map(({ reason }) => reason)

  it('the recorded NBA game is a game, once its markets are taken for open ones', () => {
    const { event } = read('rest_event_nba_200.json')
    const markets = listOf(read('rest_event_nba_200.json'), 'markets')
    const settled = listed('KXNBAGAME', [event], markets)
    expect(reasonsOf(settled)).toEqual(['status_finalized', 'status_finalized'])
    for (const reviewed of reviewListing(settled, NOW_MS)) {
      expect(reviewed.event).toEqual({ kind: 'moneyline', easternDate: '2026-06-13', teams: ['NYK', 'SAS'] })
      expect(reviewed.market.closeMs).toBe(Date.parse('2026-06-14T03:31:47Z'))
      expect(reviewed.market.rules.primary).toMatch(/^If (San Antonio|New York) wins the Game 5: /)
    }
    const open = markets.map((market) => ({ ...market, status: 'active' }))
    expect(reasonsOf(listed('KXNBAGAME', [], open))).toEqual(['event_not_listed', 'event_not_listed'])
    const games = gamesOf(listed('KXNBAGAME', [event], open), 'nba', NOW_MS)
    expect(games.skipped).toEqual([])
    expect(games.markets.map(({ selection }) => selection).sort()).toEqual(['NYK', 'SAS'])
    expect(games.markets[0]).toMatchObject({
      kind: 'moneyline',
      easternDate: '2026-06-13',
      teams: ['NYK', 'SAS'],
      tickE4: 100,
      sizeStepE2: 1,
      takerDelayMs: 0,
      fees: { ratePpm: 70_000, roundUpToMicros: 100 },
    })
    expect(games.markets[0]).not.toHaveProperty('exchangeIndex')
  })

  it.each([
    ['rest_markets_last_page_200.json', 'KXWTACHALLENGERMATCH', ['markets_of_event_1']],
    ['rest_markets_nba_event_finalized_200.json', 'KXNBAGAME', ['status_finalized', 'status_finalized']],
    ['rest_old_cents_markets_synthetic.json', 'KXMLBGAME', ['price_ranges', 'status_missing']],
  ])('%s: each market has its reason, and none trades on the retired form', (file, series, expected) => {
    expect(reasonsOf(listed(series, [], listOf(read(file), 'markets')))).toEqual(expected)
  })

  it('a market of a series that is no game keeps its rules, its prices and its closing', () => {
    const listing = listed(
      'KXWTACHALLENGERMATCH',
      [],
      listOf(read('rest_markets_last_page_200.json'), 'markets'),
    )
    const [market] = listing.markets.values()
    expect(market).toMatchObject({ status: 'active', grid: { tickE4: 100 }, sizeStepE2: 1, flaw: undefined })
    expect(market!.closeMs).toBe(Date.parse('2026-06-25T16:00:00Z'))
    expect(market!.rules.primary).toMatch(/^If Varvara Lepchenko wins .* resolves to Yes\.$/)
    expect(market!.rules.secondary).toMatch(/fair price in accordance with the rules/)
  })

  it('settled markets of other kinds are left out for what they are', () => {
    const markets = listOf(read('rest_markets_status_settled_200.json'), 'markets')
    expect(markets.length).toBeGreaterThan(1)
    expect(new Set(reasonsOf(listed('KXNBAGAME', [], markets)))).toEqual(new Set(['status_finalized']))
  })

  it('the recorded exchange trades, on whatever shard', () => {
    const status = new ExchangeStatus()
    expect(status.learn(read('rest_exchange_status_200.json'), 0)).toBe(true)
    expect([status.isPaused(undefined), status.isPaused(3)]).toEqual([false, false])
    expect(status.learn({ ...read('rest_exchange_status_200.json'), trading_active: false }, 0)).toBe(true)
    expect(status.isPaused(3)).toBe(true)
  })

  it('a series without its fee fields gives no schedule', () => {
    for (const series of listOf(read('rest_series_trimmed_200.json'), 'series')) {
      const fees = feesOfSeries({ feeType: series['fee_type'], feeMultiplier: series['fee_multiplier'] })
      expect(fees).toEqual({ kind: 'refused', reason: 'fee_type' })
    }
  })
})
