import fc from 'fast-check'
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
/** One of several changes of a token, as of early 2025. */
const spring = { price: '0.5', side: 'SELL', size: '1' }
const level = (price: unknown, size: unknown) => ({ ...book, bids: [{ price, size }] })
const text = (value: unknown) => JSON.stringify(value)

/** JSON texts that no field of a frame may hold; `String()` of the objects throws, the nest outlasts a stack. */
const HOSTILE: Record<string, string> = {
  'an object without toString': '{"toString":1,"valueOf":1}',
  'a deep nest of arrays': '['.repeat(100_000) + ']'.repeat(100_000),
  'a number': '7',
  null: 'null',
}

/** Event kind -> a legal frame, and the reason for which each of its fields is refused. `null` may mean absent. */
const FIELDS: Record<string, { frame: object; reasons: Record<string, string>; optional: string[] }> = {
  book: {
    frame: { ...book, tick_size: '0.01', last_trade_price: '0.5', min_order_size: '5', neg_risk: false },
    reasons: {
      event_type: 'bad_event_type',
      market: 'bad_market',
      asset_id: 'bad_asset',
      timestamp: 'bad_timestamp',
      hash: 'bad_field',
      bids: 'bad_field',
      asks: 'bad_field',
      tick_size: 'bad_tick',
      last_trade_price: 'bad_field',
      min_order_size: 'bad_field',
      neg_risk: 'bad_field',
    },
    optional: ['hash', 'tick_size', 'last_trade_price', 'min_order_size', 'neg_risk'],
  },
  price_change: {
    frame: changes,
    reasons: {
      event_type: 'bad_event_type',
      market: 'bad_market',
      timestamp: 'bad_timestamp',
      price_changes: 'bad_field',
    },
    optional: [],
  },
  'flat price_change': {
    frame: { event_type: 'price_change', ...stamp, ...change },
    reasons: {
      market: 'bad_market',
      timestamp: 'bad_timestamp',
      asset_id: 'bad_asset',
      price: 'bad_price',
      size: 'bad_size',
      side: 'bad_side',
      hash: 'bad_field',
      best_bid: 'bad_price',
      best_ask: 'bad_price',
    },
    optional: ['hash', 'best_bid', 'best_ask'],
  },
  last_trade_price: {
    frame: { event_type: 'last_trade_price', ...stamp, price: '0.5' },
    reasons: {
      market: 'bad_market',
      asset_id: 'bad_asset',
      timestamp: 'bad_timestamp',
      price: 'bad_field',
    },
    optional: [],
  },
  tick_size_change: {
    frame: { event_type: 'tick_size_change', ...stamp, old_tick_size: '0.01', new_tick_size: '0.001' },
    reasons: {
      market: 'bad_market',
      asset_id: 'bad_asset',
      timestamp: 'bad_timestamp',
      old_tick_size: 'bad_field',
      new_tick_size: 'bad_tick',
    },
    optional: ['old_tick_size'],
  },
  best_bid_ask: {
    frame: { event_type: 'best_bid_ask', ...stamp, best_bid: '0.4', best_ask: '0.6' },
    reasons: {
      market: 'bad_market',
      asset_id: 'bad_asset',
      timestamp: 'bad_timestamp',
      best_bid: 'bad_price',
      best_ask: 'bad_price',
    },
    optional: ['best_bid', 'best_ask'],
  },
  new_market: {
    frame: { event_type: 'new_market', market: MARKET, slug: 'a' },
    reasons: { market: 'bad_market', slug: 'bad_field' },
    optional: ['slug'],
  },
  market_resolved: {
    frame: { event_type: 'market_resolved', market: MARKET },
    reasons: { market: 'bad_market' },
    optional: [],
  },
}

/** The frame as text with one field's value replaced; no stringify of ours ever walks the nest. */
const withField = (frame: object, field: string, json: string): string =>
  text({ ...frame, [field]: '@@' }).replace('"@@"', json)

const hostileFields = Object.entries(FIELDS).flatMap(([kind, { frame, reasons, optional }]) =>
  Object.entries(reasons).flatMap(([field, reason]) =>
    Object.entries(HOSTILE)
      .filter(([name]) => name !== 'null' || !optional.includes(field))
      .map(([name, json]) => {
        const nested = name === 'a deep nest of arrays' && ['bids', 'asks', 'price_changes'].includes(field)
        return {
          kind,
          field,
          name,
          frame: withField(frame, field, json),
          reason: nested ? 'not_object' : reason,
        }
      }),
  ),
)

const hostileEntries = ['asset_id', 'price', 'size', 'side', 'hash', 'best_bid', 'best_ask'].flatMap(
  (field) =>
    Object.entries(HOSTILE)
      .filter(([name]) => name !== 'null' || !['hash', 'best_bid', 'best_ask'].includes(field))
      .map(([name, json]) => ({
        field,
        name,
        frame: text({ ...changes, price_changes: [change, '@entry'] }).replace(
          '"@entry"',
          withField(change, field, json),
        ),
      })),
)

const hostileLevels = ['price', 'size'].flatMap((field) =>
  Object.entries(HOSTILE).map(([name, json]) => ({
    field,
    name,
    frame: text({ ...book, asks: ['@level'] }).replace(
      '"@level"',
      withField({ price: '0.5', size: '1' }, field, json),
    ),
  })),
)

describe('frames of the market channel', () => {
  it('has a legal frame of every kind to spoil', () => {
    for (const { frame } of Object.values(FIELDS)) {
      expect(parseFrames(text(frame))).toMatchObject([{ type: expect.any(String) as string }])
    }
  })

  it.each(hostileFields)('refuses $name as $field of $kind', ({ frame, reason }) => {
    expect(parseFrames(frame)).toMatchObject([{ kind: 'refused', reason }])
  })

  it.each([...hostileEntries, ...hostileLevels])(
    'refuses $name as $field of an entry or a level',
    ({ frame }) => {
      const [item, ...more] = parseFrames(frame)
      expect(more).toEqual([])
      expect(item).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/^bad_/) as string })
    },
  )

  it.each(Object.entries(HOSTILE))('refuses %s as a whole frame, as an item and as a level', (_, json) => {
    const whole = parseFrames(json)
    expect(whole.length).toBeGreaterThan(0)
    const items = [
      ...whole,
      ...parseFrames(`[${json}]`),
      ...parseFrames(withField({ ...book, bids: ['@@'] }, 'x', '1').replace('"@@"', json)),
      ...parseFrames(text({ ...changes, price_changes: ['@@'] }).replace('"@@"', json)),
      parseBookBody(json),
    ]
    for (const item of items) expect(item).toMatchObject({ kind: 'refused' })
  })

  it('decides any JSON in any field, and any text, without throwing', () => {
    const frames = Object.values(FIELDS).map(({ frame }) => frame)
    const spoiled = fc
      .tuple(fc.constantFrom(...frames), fc.string(), fc.nat(), fc.jsonValue())
      .map(([frame, added, index, value]) => {
        const keys = [...Object.keys(frame), added]
        return text({ ...frame, [keys[index % keys.length]!]: value })
      })
    const anything = fc.oneof(
      spoiled,
      fc.json(),
      fc.string(),
      fc.jsonValue().map((value) => text([value, value])),
    )
    fc.assert(
      fc.property(anything, (frame) => {
        const items = parseFrames(frame)
        expect(items.length).toBeGreaterThan(0)
        expect(JSON.stringify(items)).not.toContain('parser_error')
        parseBookBody(frame)
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 100) },
    )
  })

  it.each([
    ['PONG', [{ kind: 'skipped', name: 'PONG' }]],
    ['[]', [{ kind: 'skipped', name: 'empty_array' }]],
    [text({ event_type: 'order', id: '1' }), [{ kind: 'skipped', name: 'order' }]],
    [text({ event_type: 'trade', id: '1' }), [{ kind: 'skipped', name: 'trade' }]],
    [text({ event_type: 'settlement_preview' }), [{ kind: 'unknown', name: 'settlement_preview' }]],
    [text({ type: 'sport_result', payload: {} }), [{ kind: 'skipped', name: 'sports_result' }]],
    [
      text({
        event_type: 'price_change',
        ...stamp,
        hash: 'aa',
        changes: [spring, { ...spring, price: '.6' }],
      }),
      [
        {
          type: 'price_change',
          schema: 'flat',
          changes: [
            { assetId: YES, side: 'ask', hash: 'aa', level: { priceE4: 5000, sizeE2: 100 } },
            { assetId: YES, side: 'ask', hash: 'aa', level: { priceE4: 6000, sizeE2: 100 } },
          ],
        },
      ],
    ],
    [
      text({ event_type: 'new_market', market: MARKET, slug: 'nba-hou-uta-2026-11-20' }),
      [{ type: 'new_market', market: MARKET, slug: 'nba-hou-uta-2026-11-20' }],
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
    [
      'an empty list of changes of 2025',
      text({ event_type: 'price_change', ...stamp, changes: [] }),
      'bad_field',
    ],
    [
      'changes of 2025 that are no list',
      text({ event_type: 'price_change', ...stamp, changes: {} }),
      'bad_field',
    ],
    [
      'a change of 2025 without a price',
      text({ event_type: 'price_change', ...stamp, changes: [{ ...spring, price: '' }] }),
      'bad_price',
    ],
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
