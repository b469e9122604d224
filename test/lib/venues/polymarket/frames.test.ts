import { describe, expect, it } from 'vitest'
import { MAX_FRAME_BYTES, parseBookBody, parseFrames } from '../../../../src/lib/venues/polymarket/frames.js'
import { catalogMarket, Harness } from './harness.js'
import { MARKET, ReferenceVenue, YES } from './reference-venue.js'

const stamp = { market: MARKET, asset_id: YES, timestamp: '1790000000001' }
const book = { event_type: 'book', ...stamp, hash: 'aa', bids: [], asks: [] }
const change = {
  asset_id: YES,
  price: '0.5',
  size: '1',
  side: 'BUY',
  hash: 'aa',
  best_bid: '0.5',
  best_ask: '0.6',
}
const changes = {
  event_type: 'price_change',
  market: MARKET,
  timestamp: '1790000000001',
  price_changes: [change],
}
const level = (price: unknown, size: unknown) => ({ ...book, bids: [{ price, size }] })
const text = (value: unknown) => JSON.stringify(value)

describe('frames of the market channel', () => {
  it.each([
    ['PONG', [{ kind: 'skipped', name: 'PONG' }]],
    ['[]', [{ kind: 'skipped', name: 'empty_array' }]],
    [text({ event_type: 'order', id: '1' }), [{ kind: 'skipped', name: 'order' }]],
    [text({ event_type: 'trade', id: '1' }), [{ kind: 'skipped', name: 'trade' }]],
    [text({ event_type: 'settlement_preview' }), [{ kind: 'unknown', name: 'settlement_preview' }]],
    [
      text({ event_type: 'price_change', ...stamp, changes: [] }),
      [{ kind: 'unknown', name: 'price_change_with_changes' }],
    ],
    [text({ event_type: 'market_resolved', market: MARKET }), [{ type: 'market_resolved', market: MARKET }]],
    [text([{ event_type: 'x' }, book]), [{ kind: 'unknown', name: 'x' }, { type: 'book' }]],
  ])('reads %s', (frame, expected) => {
    const items = parseFrames(frame)
    expect(items).toHaveLength(expected.length)
    items.forEach((item, index) => expect(item).toMatchObject(expected[index]!))
    expect(parseFrames(Buffer.from(frame))).toEqual(items)
  })

  it.each([
    ['half a frame', '{"event_type":', 'not_json'],
    ['a lone NaN', '{"event_type":"book","timestamp":NaN}', 'not_json'],
    ['a ping in lower case', 'pong', 'not_json'],
    ['a number', '42', 'not_object'],
    ['null', 'null', 'not_object'],
    ['a nested array', '[[]]', 'not_object'],
    ['no event_type', text({ hash: 'x' }), 'no_event_type'],
    ['an event_type of escape codes', text({ event_type: '\u001b[2J' }), 'bad_event_type'],
    ['an event_type that is no text', text({ event_type: 7 }), 'bad_event_type'],
    ['a prototype key', '{"__proto__":{"event_type":"book"},"event_type":"book"}', 'hostile_key'],
    [
      'a prototype key in a level',
      `{"event_type":"book","market":"${MARKET}","asset_id":"1","timestamp":"1","bids":[{"__proto__":1}],"asks":[]}`,
      'hostile_key',
    ],
    ['no levels', text({ ...book, bids: undefined }), 'bad_field'],
    ['levels under retired names', text({ event_type: 'book', ...stamp, buys: [], sells: [] }), 'bad_field'],
    ['a price as a number', text(level(0.5, '1')), 'bad_price'],
    ['a price over one', text(level('1.01', '1')), 'bad_price'],
    ['a price of one', text(level('1', '1')), 'bad_price'],
    ['a price of zero', text(level('0', '1')), 'bad_price'],
    ['a negative price', text(level('-0.5', '1')), 'bad_price'],
    ['a price finer than the finest tick', text(level('0.50001', '1')), 'bad_price'],
    ['a price of 1e400', text(level('1e400', '1')), 'bad_price'],
    ['a price of NaN', text(level('NaN', '1')), 'bad_price'],
    ['an empty price', text(level('', '1')), 'bad_price'],
    ['a negative size', text(level('0.5', '-1')), 'bad_size'],
    ['a size beyond integers', text(level('0.5', '9'.repeat(30))), 'bad_size'],
    ['a size of Infinity', text(level('0.5', 'Infinity')), 'bad_size'],
    ['a size with a quote in it', text(level('0.5', '1"')), 'bad_size'],
    ['a bare 1e400', '{"event_type":"book","market":1e400}', 'bad_market'],
    [
      'the same price twice',
      text({
        ...book,
        bids: [
          { price: '0.5', size: '1' },
          { price: '.5', size: '2' },
        ],
      }),
      'duplicate_level',
    ],
    ['a timestamp as a number', text({ ...book, timestamp: 1790000000001 }), 'bad_timestamp'],
    ['a market that is no condition id', text({ ...book, market: 'KX"' }), 'bad_market'],
    ['an asset that is no token id', text({ ...book, asset_id: '1"' }), 'bad_asset'],
    ['a tick of zero', text({ ...book, tick_size: '0' }), 'bad_tick'],
    ['neg_risk as text', text({ ...book, neg_risk: 'true' }), 'bad_field'],
    ['an unknown side', text({ ...changes, price_changes: [{ ...change, side: 'HOLD' }] }), 'bad_side'],
    ['no changes', text({ ...changes, price_changes: [] }), 'bad_field'],
    ['changes that are no list', text({ ...changes, price_changes: {} }), 'bad_field'],
    [
      'a best price over one',
      text({ ...changes, price_changes: [{ ...change, best_ask: '1.5' }] }),
      'bad_price',
    ],
  ])('refuses %s', (_, frame, reason) => {
    expect(parseFrames(frame)).toMatchObject([{ kind: 'refused', reason }])
  })

  it('refuses an oversize frame unread', () => {
    expect(parseFrames(' '.repeat(MAX_FRAME_BYTES + 1))).toMatchObject([
      { kind: 'refused', reason: 'oversize' },
    ])
  })

  it('keeps the strings of the venue beside the integers', () => {
    const [parsed] = parseFrames(
      text({ ...book, bids: [{ price: '.48', size: '30.005' }], tick_size: '', neg_risk: null }),
    )
    expect(parsed).toMatchObject({
      bids: [{ price: '.48', size: '30.005', priceE4: 4800, sizeE2: 3000, empty: false }],
    })
    expect(parsed).not.toHaveProperty('tickSize')
  })

  it.each([
    ['', undefined],
    ['0', null],
    ['0.5', 5000],
  ])('reads a best bid of "%s"', (best_bid, bestBidE4) => {
    const [parsed] = parseFrames(text({ ...changes, price_changes: [{ ...change, best_bid }] }))
    expect(parsed).toMatchObject({ changes: [{ bestBidE4 }] })
  })

  it('cleans what it quotes of a hostile frame', () => {
    expect(JSON.stringify(parseFrames('\u001b[31mred'))).not.toContain('\u001b')
    expect(parseFrames('\u001b[31mred')).toMatchObject([{ detail: '\\u001b[31mred' }])
  })

  it('reads a REST book, and refuses a page of HTML', () => {
    expect(parseBookBody(text(new ReferenceVenue().rest()))).toMatchObject({
      minOrderSize: '5',
      negRisk: false,
    })
    expect(parseBookBody('<html>')).toMatchObject({ kind: 'refused', reason: 'not_json' })
  })

  it('counts a market that nobody follows, and makes no quote of it', () => {
    const other = new ReferenceVenue({ market: `0x${'cd'.repeat(32)}`, yes: '77', no: '78' })
    const harness = new Harness(catalogMarket()).connect()
    harness.frame(other.dump()).frame(other.change('bids', 4000, '1'))
    expect(harness.refusals()).toEqual(['unknown_market', 'unknown_market', 'unknown_market'])
    expect(harness.publications).toBe(0)
  })
})
