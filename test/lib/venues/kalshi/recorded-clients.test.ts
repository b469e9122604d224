/**
 * Recorded REST answers of the folder named by ARBEES_FIXTURES, each served to the real client of its call. Files that
 * are not known here are held to the same rule: read as a slow reading of the text says, or refused by name.
 */

import { describe, expect, it } from 'vitest'

import {
  isToBeRefused,
  jsonOfFile,
  namesOf,
  requestOf,
  requestsOf,
  statusOf,
  textOfFile,
} from './recordings.js'
import type { Json } from './recordings.js'
import { readerOf, replay } from './rest-replay.js'
import type { Recording } from './replay-venue.js'

const FILES = namesOf('rest_')
const recordingOf = (name: string): Recording => ({
  name,
  status: statusOf(name),
  text: textOfFile(name),
  sent: requestOf(name)?.['request_body'] as Json | undefined,
})

/** Values written out for what stands for a call of its own. */
const DECLARED: Readonly<Record<string, object>> = {
  rest_account_endpoint_costs_200: { reader: 'costs', read: { checks: [{ value: 12_000, limit: 77 }] } },
  rest_account_limits_200: { reader: 'limits', read: { checks: [{ value: 8_400, limit: 100 }] } },
  rest_balance_200: { reader: 'balance', read: [98_018_600, [0, 98_018_600], 0] },
  rest_positions_200: {
    ...{ reader: 'positions', read: ['3.000000 in KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP'] },
  },
  rest_orderbook_200: { reader: 'book', read: [[[4700, 300]], [[4800, 300]]] },
  rest_old_cents_orderbook_synthetic: { reader: 'book', refused: 'retired_form' },
  rest_trades_nba_page_200: {
    reader: 'trades',
    read: [
      '85ea2959-619e-6315-a2fe-98b859c6ab90',
      '50d5a267-2112-6665-ce3a-d6a722209890',
      '389b2aa1-aa5e-4561-a1c4-6c1813f3355c',
    ],
  },
  rest_v2_cancel_200: { reader: 'cancel' },
  rest_v2_create_gtc_resting_201: {
    read: { kind: 'none', venueOrderId: '2597b999-f887-4195-8bac-c3f97a1f2021' },
  },
  // Of the call that is gone: an order inside `order`, which no create of ours is answered with.
  rest_legacy_v1_create_201: { reader: 'create', refused: 'the reply has no order_id' },
}

async function check(recording: Recording): Promise<void> {
  const { name } = recording
  const { reader, refused, read, told } = await replay(recording)
  if (isToBeRefused(name) && reader !== 'refusal') expect(refused, name).toMatch(/\w/)
  else {
    expect(refused, name).toBeUndefined()
    expect(read, name).toEqual(told)
    expect(read, name).toBeDefined()
  }
}

describe.skipIf(FILES.length === 0)(
  'recorded Kalshi answers at our clients (skipped without ARBEES_FIXTURES)',
  () => {
    it.each(FILES)('%s', (name) => check(recordingOf(name)))

    it.each(Object.keys(DECLARED).filter((name) => FILES.includes(`${name}.json`)))(
      '%s: its values',
      async (name) => {
        expect(await replay(recordingOf(`${name}.json`))).toMatchObject(DECLARED[name]!)
      },
    )

    it.each(requestsOf('rest_'))(
      '%s: a create of ours has its fields, and never those of the call that is gone',
      (name) => {
        const body = (jsonOfFile(name)['request_body'] ?? {}) as Json
        const isGone = /legacy/.test(name)
        const gone = ['action', 'yes_price', 'no_price', 'type', 'buy_max_cost'].filter(
          (field) => field in body,
        )
        expect(gone.length > 0, name).toBe(isGone)
      },
    )
  },
)

describe('a recording that is not what its name says', () => {
  const GARBAGE = ['"garbage"', '[]', '{}', '{"a":1}', '<html>', '']
  const NAMES = [
    ...['rest_account_limits_x_200', 'rest_account_endpoint_costs_x_200', 'rest_balance_x_200'],
    ...['rest_positions_x_200', 'rest_orderbook_x_200', 'rest_trades_x_200', 'rest_v2_cancel_x_200'],
    ...['rest_v2_create_x_201', 'rest_orders_list_x_200', 'rest_fills_x_200', 'rest_markets_x_200'],
    ...['rest_series_x_200', 'rest_exchange_status_x_200', 'rest_new_x_200'],
  ]
  it.each(NAMES)('%s.json', async (name) => {
    for (const text of GARBAGE) {
      const recording = { name: `${name}.json`, status: statusOf(`${name}.json`), text }
      await expect(check(recording), `${name} ${text}`).rejects.toThrow()
    }
  })

  it.each([
    ['rest_positions_x_200', { market_positions: [{ ticker: 'T', position: 3 }], cursor: '' }],
    ['rest_fills_x_200', { fills: [{ trade_id: 't', order_id: 'v', ticker: 'T', count: 3 }], cursor: '' }],
    ['rest_orderbook_x_200', { orderbook_fp: { yes_dollars: [[59, 12]] } }],
    ['rest_trades_x_200', { trades: [{ trade_id: 't', yes_price: 59, count: 1 }], cursor: '' }],
    ['rest_v2_create_x_201', { order: { order_id: 'v', fill_count: 1 } }],
    ['rest_balance_x_200', { balance: '98.01' }],
  ])('%s in the retired form', async (name, body) => {
    const recording = { name: `${name}.json`, status: statusOf(`${name}.json`), text: JSON.stringify(body) }
    await expect(check(recording)).rejects.toThrow()
    const old = { ...recording, name: name.replace('rest_', 'rest_old_cents_') }
    await check(old)
  })

  it.each([
    ['rest_x_200', { fills: [] }, 'fills'],
    ['rest_x_200', { settlements: [], cursor: '' }, 'unused'],
    ['rest_markets_x_404', { error: { code: 'not_found' } }, 'refusal'],
  ])('%s %j is read as %s', (name, body, reader) => {
    expect(readerOf({ name, status: statusOf(`${name}.json`), text: JSON.stringify(body) })).toBe(reader)
  })
})
