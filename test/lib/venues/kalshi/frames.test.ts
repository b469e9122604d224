import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { MAX_FRAME_BYTES, parseFrame } from '../../../../src/lib/venues/kalshi/frames.js'

const snapshot = (msg: object, place: object = { sid: 1, seq: 2 }) =>
  JSON.stringify({
    type: 'orderbook_snapshot',
    ...place,
    msg: { market_ticker: 'T', market_id: 'u', ...msg },
  })

const delta = (msg: object, place: object = { sid: 1, seq: 2 }) => {
  const usual = {
    market_ticker: 'T',
    price_dollars: '0.4700',
    delta_fp: '-3.00',
    side: 'yes',
    ts_ms: 1781159489957,
  }
  return JSON.stringify({ type: 'orderbook_delta', ...place, msg: { ...usual, ...msg } })
}

describe('Kalshi frames that map', () => {
  it('a snapshot keeps each side in its own price space', () => {
    const frame = parseFrame(
      snapshot({ yes_dollars_fp: [['0.4700', '3.00']], no_dollars_fp: [['0.4800', '2.50']] }),
    )
    expect(frame).toEqual({
      kind: 'snapshot',
      sid: 1,
      seq: 2,
      ticker: 'T',
      yes: [[4700, 300]],
      no: [[4800, 250]],
    })
  })

  it('an absent side is empty, as is a side of no levels, and both may be absent', () => {
    expect(parseFrame(snapshot({ no_dollars_fp: [['0.4800', '2.00']] }))).toMatchObject({
      yes: [],
      no: [[4800, 200]],
    })
    expect(parseFrame(snapshot({ yes_dollars_fp: [] }))).toMatchObject({ kind: 'snapshot', yes: [], no: [] })
    expect(parseFrame(snapshot({}))).toMatchObject({ kind: 'snapshot', yes: [], no: [] })
  })

  it('a delta is signed, and its time is ts_ms or the deprecated ts', () => {
    const expected = { kind: 'delta', sid: 1, seq: 2, ticker: 'T', side: 'yes', priceE4: 4700, deltaE2: -300 }
    expect(parseFrame(delta({}))).toEqual({ ...expected, venueMs: 1781159489957 })
    const ts = '2026-06-11T06:31:29.957081Z'
    expect(parseFrame(delta({ ts_ms: undefined, ts }))).toEqual({ ...expected, venueMs: Date.parse(ts) })
    expect(parseFrame(delta({ ts_ms: undefined }))).toEqual({ ...expected, venueMs: undefined })
  })

  it('six decimals are read when they are zeros, and unknown fields pass', () => {
    const frame = parseFrame(
      delta({ price_dollars: '0.471000', delta_fp: '1', client_order_id: 'x', new_field: {} }),
    )
    expect(frame).toMatchObject({ kind: 'delta', priceE4: 4710, deltaE2: 100 })
  })

  it.each([
    [
      '{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":7}}',
      { kind: 'subscribed', id: 1, sid: 7 },
    ],
    [
      '{"id":2,"sid":1,"seq":222,"type":"ok","msg":{"market_tickers":["A","B"]}}',
      { kind: 'ok', id: 2, seq: 222, marketTickers: ['A', 'B'] },
    ],
    [
      '{"id":2,"sid":1,"seq":222,"type":"ok","market_tickers":["A","B"]}',
      { kind: 'ok', id: 2, seq: 222, marketTickers: ['A', 'B'] },
    ],
    [
      '{"id":6,"type":"ok","msg":[{"channel":"orderbook_delta","sid":1}]}',
      { kind: 'ok', id: 6, marketTickers: undefined },
    ],
    ['{"id":5,"sid":2,"seq":7,"type":"unsubscribed"}', { kind: 'unsubscribed', id: 5, sid: 2, seq: 7 }],
    [
      '{"type":"error","id":1,"msg":{"code":3,"msg":"Channels required"}}',
      { kind: 'error', code: 3, message: 'Channels required', terminal: false },
    ],
    [
      '{"type":"error","sid":4,"seq":9,"msg":{"code":25,"msg":"overflow"}}',
      { kind: 'error', code: 25, sid: 4, seq: 9, terminal: true },
    ],
    ['{"type":"error","sid":4,"msg":{"code":10}}', { kind: 'error', code: 10, message: '', terminal: true }],
  ])('%s', (text, expected) => expect(parseFrame(text)).toMatchObject(expected))

  it('reads a Buffer like a string', () => {
    expect(parseFrame(Buffer.from(delta({})))).toEqual(parseFrame(delta({})))
  })
})

describe('Kalshi frames that do not map', () => {
  it.each([
    ['not JSON', 'hello', 'not_json'],
    ['cut JSON', '{"type":"orderbook_delta","sid":1', 'not_json'],
    ['NaN', delta({}).replace('1781159489957', 'NaN'), 'not_json'],
    ['an empty frame', '', 'not_json'],
    ['an array', '[]', 'not_an_object'],
    ['null', 'null', 'not_an_object'],
    ['a string', '"orderbook_delta"', 'not_an_object'],
    ['no type', '{"sid":1,"seq":2}', 'no_type'],
    ['a type that is no string', '{"type":7}', 'no_type'],
    ['__proto__ in the frame', '{"__proto__":{"a":1},"type":"orderbook_delta"}', 'proto_key'],
    ['__proto__ in escapes', '{"\\u005f_proto__":{"a":1},"type":"ticker","msg":{}}', 'proto_key'],
    ['__proto__ in msg', '{"type":"orderbook_delta","sid":1,"seq":2,"msg":{"__proto__":{}}}', 'proto_key'],
    ['no msg', '{"type":"orderbook_delta","sid":1,"seq":2}', 'no_msg'],
    ['seq 1e400', delta({}).replace('"seq":2', '"seq":1e400'), 'bad_seq'],
    ['a fractional seq', delta({}, { sid: 1, seq: 2.5 }), 'bad_seq'],
    ['a negative seq', delta({}, { sid: 1, seq: -1 }), 'bad_seq'],
    [
      'seq as an object that cannot be printed',
      delta({}, { sid: 1, seq: { toString: 1, valueOf: 1 } }),
      'bad_seq',
    ],
    ['no seq', delta({}, { sid: 1 }), 'bad_seq'],
    ['no sid', delta({}, { seq: 1 }), 'bad_sid'],
    ['sid as a string', delta({}, { sid: '1', seq: 2 }), 'bad_sid'],
    ['no ticker', delta({ market_ticker: undefined }), 'bad_ticker'],
    ['a ticker that is no string', snapshot({ market_ticker: 5 }), 'bad_ticker'],
    ['a price over 1', delta({ price_dollars: '1.0100' }), 'bad_price'],
    ['a price of 1', delta({ price_dollars: '1.0000' }), 'bad_price'],
    ['a price of 0', snapshot({ yes_dollars_fp: [['0.0000', '1.00']] }), 'bad_price'],
    ['a negative price', delta({ price_dollars: '-0.4700' }), 'bad_price'],
    ['a price finer than $0.0001', delta({ price_dollars: '0.47001' }), 'bad_price'],
    ['a price as a number', delta({ price_dollars: 0.47 }), 'bad_price'],
    ['a price in exponents', delta({ price_dollars: '4e-1' }), 'bad_price'],
    ['an object that cannot be printed', delta({ price_dollars: { toString: 1 } }), 'bad_price'],
    ['a size in words', delta({ delta_fp: 'many' }), 'bad_size'],
    ['a size as a number', delta({ delta_fp: 3 }), 'bad_size'],
    ['a size finer than 0.01', delta({ delta_fp: '0.001' }), 'bad_size'],
    ['a size beyond integers', delta({ delta_fp: '99999999999999999999' }), 'bad_size'],
    ['a negative resting size', snapshot({ yes_dollars_fp: [['0.4700', '-3.00']] }), 'bad_size'],
    ['a level of three', snapshot({ yes_dollars_fp: [['0.4700', '3.00', 'x']] }), 'bad_levels'],
    ['levels as an object', snapshot({ yes_dollars_fp: { 0: ['0.47', '1'] } }), 'bad_levels'],
    [
      'a price twice',
      snapshot({
        no_dollars_fp: [
          ['0.47', '1'],
          ['0.4700', '2'],
        ],
      }),
      'repeated_price',
    ],
    ['a third side', delta({ side: 'maybe' }), 'bad_side'],
    ['no side', delta({ side: undefined }), 'bad_side'],
    ['a time that is no number', delta({ ts_ms: 'now' }), 'bad_ts'],
    ['retired cents in a snapshot', snapshot({ yes: [[10, 100]], no: [[20, 30]] }), 'retired_form'],
    [
      'retired cents beside one current side',
      snapshot({ yes_dollars_fp: [], no: [[20, 30]] }),
      'retired_form',
    ],
    ['a book form never seen', snapshot({ yes_levels: [['0.47', '1']] }), 'unknown_form'],
    [
      'a retired delta',
      delta({ price_dollars: undefined, delta_fp: undefined, price: 40, delta: -2 }),
      'retired_form',
    ],
    [
      'a retired ticker',
      '{"type":"ticker","sid":1,"msg":{"market_ticker":"T","yes_bid":11}}',
      'retired_form',
    ],
    ['a retired trade', '{"type":"trade","sid":2,"seq":3,"msg":{"yes_price":52,"count":3}}', 'retired_form'],
    ['a trade of no form', '{"type":"trade","sid":2,"seq":3,"msg":{}}', 'missing_field'],
    ['a subscribed without sid', '{"type":"subscribed","id":1,"msg":{"channel":"trade"}}', 'bad_reply'],
    ['an ok with a list of numbers', '{"type":"ok","id":1,"msg":{"market_tickers":[1]}}', 'bad_reply'],
    ['an error without a code', '{"type":"error","msg":{"msg":"?"}}', 'bad_reply'],
    ['a command of ours', '{"id":1,"cmd":"subscribe","params":{}}', 'no_type'],
  ])('%s is refused', (_, text, reason) => {
    expect(parseFrame(text)).toMatchObject({ kind: 'refused', reason })
  })

  it('an oversize frame is refused before it is parsed', () => {
    expect(parseFrame(Buffer.alloc(MAX_FRAME_BYTES + 1, '['))).toMatchObject({
      kind: 'refused',
      reason: 'oversize',
    })
  })

  it('a refused frame keeps the place that was legible, for the sequence', () => {
    expect(parseFrame(delta({ side: 'x' }))).toMatchObject({ sid: 1, seq: 2, type: 'orderbook_delta' })
    expect(parseFrame(delta({}, { sid: 1 }))).toMatchObject({ sid: 1, seq: undefined })
  })

  it('a kind of no use is skipped by name with its place; a kind never seen is unknown by name', () => {
    const skipped = parseFrame('{"type":"order_group_updates","sid":21,"seq":7,"msg":{}}')
    expect(skipped).toMatchObject({ kind: 'skipped', name: 'order_group_updates', sid: 21, seq: 7 })
    const unknown = parseFrame('{"type":"orderbook_\\u001b[31mred","sid":1,"seq":3}')
    expect(unknown).toMatchObject({ kind: 'unknown', name: 'orderbook_\\u001b[31mred', sid: 1, seq: 3 })
  })

  it('foreign text in details and messages cannot reach a terminal raw', () => {
    const frames = [
      parseFrame('\u001b[2Jboom'),
      parseFrame(delta({ market_ticker: '\u001b]0;x\u0007', side: 'x' })),
      parseFrame('{"type":"error","msg":{"code":1,"msg":"\\u001b[2J"}}'),
    ]
    for (const frame of frames)
      for (const value of Object.values(frame)) expect(String(value)).not.toContain('\u001b')
  })

  it('whatever arrives is decided, never thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), hostileFrame()), (text) => {
        expect(typeof parseFrame(text).kind).toBe('string')
      }),
      { numRuns: 300 },
    )
    expect(parseFrame('['.repeat(200_000)).kind).toBe('refused')
    expect(parseFrame(`{"type":"ok","msg":${'['.repeat(100_000)}${']'.repeat(100_000)}}`).kind).toBe('ok')
  })
})

/** Frames of a known type with any JSON in every field that the parser reads. */
function hostileFrame(): fc.Arbitrary<string> {
  const type = fc.constantFrom(
    'orderbook_snapshot',
    'orderbook_delta',
    'ok',
    'error',
    'subscribed',
    'ticker',
    'trade',
  )
  const any = fc.jsonValue({ maxDepth: 3 })
  const msg = fc.record({
    market_ticker: fc.oneof(fc.constant('T'), any),
    price_dollars: fc.oneof(fc.constant('0.5'), any),
    delta_fp: fc.oneof(fc.constant('1.00'), any),
    side: fc.oneof(fc.constant('no'), any),
    yes_dollars_fp: fc.oneof(fc.constant([['0.5', '1']]), any),
    no_dollars_fp: any,
    code: any,
    market_tickers: any,
  })
  const place = fc.oneof(fc.constant(1), any)
  return fc
    .record({ type, sid: place, seq: place, id: place, msg: fc.oneof(msg, any) })
    .map((frame) => JSON.stringify(frame))
}
