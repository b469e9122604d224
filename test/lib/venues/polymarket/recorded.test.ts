/** Every recorded WebSocket frame through the real parser and mapper, each with its declared outcome. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { VenueBook } from '../../../../src/lib/venues/polymarket/book-hash.js'
import type { PolyEvent } from '../../../../src/lib/venues/polymarket/events.js'
import { PolymarketFeed } from '../../../../src/lib/venues/polymarket/feed.js'
import { parseBookBody, parseFrames } from '../../../../src/lib/venues/polymarket/frames.js'
import type { FrameVerdict } from '../../../../src/lib/venues/ports.js'
import { catalogMarket, Harness } from './harness.js'
import { MarketServer } from './market-server.js'
import { ReferenceVenue, type BookFrame, type ChangeFrame } from './reference-venue.js'

interface Slow {
  readonly price: string
  readonly size: string
  readonly priceE4: number
}

const root = process.env.ARBEES_FIXTURES
const folder = root === undefined ? '' : join(root, 'polymarket')
const present = root !== undefined && existsSync(folder)
const read = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8')

const skipped = (name: string) => ({ kind: 'skipped', name })
const inner = { kind: 'refused', reason: 'no_event_type' }

/** File -> what each of its frames must become. Frames without an event_type are a library's inner form. */
const DECLARED: Record<string, readonly object[]> = {
  py_ws_messages_last_trade_price: [
    { type: 'last_trade_price', price: '0.491', priceE4: 4910, venueMs: 1724564136087 },
  ],
  py_ws_messages_order_cancel: [skipped('order')],
  py_ws_messages_order_placement: [skipped('order')],
  py_ws_messages_price_change: [
    {
      type: 'price_change',
      schema: 'flat',
      venueMs: 1723967931411,
      changes: [
        {
          assetId: '48331043336612883890938759509493159234755048973500640148014422747788308965732',
          side: 'ask',
          level: { price: '0.514', size: '21574.08', priceE4: 5140, sizeE2: 2157408, empty: false },
          hash: 'bf32b3746fff40c76c98021b7f3f07261169dd26',
          bestBidE4: undefined,
          bestAskE4: undefined,
        },
      ],
    },
  ],
  py_ws_messages_tick_size_change: [{ type: 'tick_size_change', oldTickSize: '0.01', newTickSize: '0.001' }],
  py_ws_messages_trades: [inner],
  py_ws_messages_user_trade1: [skipped('trade')],
  py_ws_messages_user_trade2: [skipped('trade')],
  rs_ws_book_snapshot: [inner],
  rs_ws_last_trade: [inner],
  rs_ws_market_best_bid_ask_msg: [
    { type: 'best_bid_ask', bestBidE4: 7300, bestAskE4: 7700, venueMs: 1766789469958 },
  ],
  rs_ws_market_book_msg: [
    {
      type: 'book',
      venueMs: 1703875200000,
      bids: [
        { price: '0.50', size: '200.0', priceE4: 5000, sizeE2: 20000, empty: false },
        { price: '0.49', size: '350.0', priceE4: 4900, sizeE2: 35000, empty: false },
      ],
    },
  ],
  rs_ws_market_last_trade_msg: [{ type: 'last_trade_price', price: '0.51', priceE4: 5100 }],
  rs_ws_market_new_market_msg: [
    { type: 'new_market', market: '0x311d0c4b6671ab54af4970c06fcf58662516f5168997bdda209ec3db5aa6b0c1' },
  ],
  rs_ws_market_price_change_msg: [
    { type: 'price_change', schema: 'changes', changes: [{ side: 'bid', bestBidE4: 5100, bestAskE4: 5200 }] },
  ],
  rs_ws_market_tick_size_msg: [{ type: 'tick_size_change', oldTickSize: '0.1', newTickSize: '0.01' }],
  rs_ws_quotes: [inner],
  rs_ws_tick_size_change: [inner],
  rs_ws_user_order_cancellation: [inner],
  rs_ws_user_order_fok_killed: [skipped('order')],
  rs_ws_user_order_matched: [inner],
  rs_ws_user_order_msg: [skipped('order')],
  rs_ws_user_order_placement: [inner],
  rs_ws_user_order_update: [inner],
  rs_ws_user_trade: [inner],
  rs_ws_user_trade_msg: [skipped('trade')],
  sports_ws_nfl_in_progress: [skipped('sports_result')],
  // A soccer score without a league, and an event_type never: the same channel.
  sports_ws_soccer_live: [skipped('sports_result')],
  ws_book_snapshot_captured: [
    {
      type: 'book',
      hash: 'ed47eb91f3c7985fac1cb18cb7c19535eddd3c0a',
      tickSize: '0.01',
      lastTradePrice: '0.920',
    },
  ],
  ws_market_mixed_known_unknown: [
    { type: 'price_change', changes: [{ assetId: '101', bestBidE4: 3600, bestAskE4: 3800 }] },
    { kind: 'unknown', name: 'settlement_preview' },
    { type: 'last_trade_price', assetId: '202', price: '0.63' },
  ],
  ws_market_sequence_excerpt_start: [
    { type: 'book', tickSize: '0.001', lastTradePrice: '0.255' },
    ...Array.from({ length: 15 }, () => ({ type: 'price_change', schema: 'changes' })),
  ],
}

const passed = (name: string) => ({ states: [], verdicts: [`skipped ${name}`] })
/** Of a followed market, and of no use: what it told is lost. */
const lost = { states: ['BROKEN'], verdicts: ['refused no_event_type'] }

/** File -> what its frames do to a LIVE book of each market they name: every state published, every verdict. */
const MAPPED: Record<string, object> = {
  py_ws_messages_last_trade_price: passed('last_trade_price'),
  py_ws_messages_order_cancel: passed('order'),
  py_ws_messages_order_placement: passed('order'),
  // A hash of the older layout cannot be checked.
  py_ws_messages_price_change: { states: ['STALE'], verdicts: [] },
  py_ws_messages_tick_size_change: { states: ['BROKEN'], verdicts: [] },
  py_ws_messages_trades: lost,
  py_ws_messages_user_trade1: passed('trade'),
  py_ws_messages_user_trade2: passed('trade'),
  rs_ws_book_snapshot: lost,
  rs_ws_last_trade: lost,
  // Not those of the book that we hold, which has time to catch up.
  rs_ws_market_best_bid_ask_msg: passed('best_bid_ask_ahead'),
  rs_ws_market_book_msg: { states: ['STALE'], verdicts: [] },
  rs_ws_market_last_trade_msg: passed('last_trade_price'),
  rs_ws_market_new_market_msg: passed('new_market'),
  // Its best prices are not those of the book that we hold.
  rs_ws_market_price_change_msg: { states: ['BROKEN'], verdicts: [] },
  rs_ws_market_tick_size_msg: passed('tick_size_known'),
  rs_ws_quotes: lost,
  rs_ws_tick_size_change: lost,
  rs_ws_user_order_cancellation: lost,
  rs_ws_user_order_fok_killed: passed('order'),
  rs_ws_user_order_matched: lost,
  rs_ws_user_order_msg: passed('order'),
  rs_ws_user_order_placement: lost,
  rs_ws_user_order_update: lost,
  rs_ws_user_trade: lost,
  rs_ws_user_trade_msg: passed('trade'),
  sports_ws_nfl_in_progress: passed('sports_result'),
  sports_ws_soccer_live: passed('sports_result'),
  ws_book_snapshot_captured: { states: ['LIVE'], verdicts: [] },
  ws_market_mixed_known_unknown: {
    states: ['BROKEN'],
    verdicts: ['unknown settlement_preview', 'skipped last_trade_price'],
  },
  ws_market_sequence_excerpt_start: { states: Array.from({ length: 16 }, () => 'LIVE'), verdicts: [] },
}

const FOLDED = ['book', 'price_change', 'last_trade_price', 'tick_size_change']
const TOLD = ['best_bid_ask', 'new_market', 'market_resolved']

function framesOf(text: string): unknown[] {
  try {
    return [JSON.parse(text) as unknown].flat()
  } catch {
    return []
  }
}

/** What the facts page says of each frame, by its `event_type` alone; a text that is no JSON is one refusal. */
function formsOf(text: string): readonly object[] {
  const frames = framesOf(text)
  if (frames.length === 0) return [{ kind: text.trim() === '[]' ? 'skipped' : 'refused' }]
  return frames.map((frame) => {
    if (typeof frame !== 'object' || frame === null) return { kind: 'refused' }
    const { event_type: name } = frame as { readonly event_type?: unknown }
    if (name === undefined) return 'score' in frame ? skipped('sports_result') : inner
    if (typeof name !== 'string') return { kind: 'refused' }
    if ([...FOLDED, ...TOLD].includes(name)) return { type: name }
    return ['order', 'trade'].includes(name) ? skipped(name) : { kind: 'unknown', name }
  })
}

const undeclared = (present ? readdirSync(folder) : []).filter(
  (file) =>
    /^(ws|rs_ws|py_ws|sports_ws)_.*\.jsonl?$/.test(file) && !(file.replace(/\.jsonl?$/, '') in DECLARED),
)

interface Named {
  readonly market?: string
  readonly asset_id?: string
  readonly price_changes?: readonly { readonly asset_id: string }[]
}

/** Frames through a mapper that holds a LIVE book of every market they name: each state and verdict, in order. */
function mapped(text: string) {
  const frames = framesOf(text).filter((frame): frame is Named => typeof frame === 'object' && frame !== null)
  const tokens = new Map<string, Set<string>>()
  for (const { market, asset_id, price_changes = [] } of frames) {
    if (market === undefined || !/^0x/.test(market)) continue
    const own = tokens.get(market) ?? new Set()
    tokens.set(market, own)
    for (const id of [asset_id, ...price_changes.map((change) => change.asset_id)]) {
      if (id !== undefined && own.size < 2) own.add(id)
    }
  }
  const markets = [...tokens].map(([marketId, [yes = '1', no = '2']]) =>
    catalogMarket({ marketId, tokenIds: [yes, no] }),
  )
  const harness = new Harness(markets).connect()
  for (const { marketId, tokenIds } of markets) {
    const venue = new ReferenceVenue({ market: marketId, yes: tokenIds![0], no: tokenIds![1] })
    venue.now = 1
    venue.put('bids', 4000, '10')
    venue.put('asks', 6000, '10')
    harness.frame(venue.dump())
  }
  expect(harness.states).toEqual(markets.map(() => 'LIVE'))
  harness.text(text)
  const word = (verdict: FrameVerdict) =>
    `${verdict.kind} ${'name' in verdict ? verdict.name : verdict.reason}`
  return { states: harness.states.slice(markets.length), verdicts: harness.verdicts.map(word) }
}

describe.skipIf(!present)('recorded frames of the market channel (ARBEES_FIXTURES)', () => {
  it.each(undeclared)(
    '%s, which nobody declared, comes out by its forms, and no book of it is believed unproved',
    (file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      for (const line of file.endsWith('.jsonl') ? text.trim().split('\n') : [text]) {
        expect(parseFrames(line)).toMatchObject(formsOf(line))
        const { states } = mapped(line)
        if (!/"hash"/.test(line)) expect(states).not.toContain('LIVE')
      }
    },
  )

  it.each(Object.keys(present ? DECLARED : {}))('%s has its declared outcomes, none lost', (name) => {
    const items = parseFrames(read(name))
    expect(items).toHaveLength(DECLARED[name]!.length)
    items.forEach((item, index) => expect(item).toMatchObject(DECLARED[name]![index]!))
  })

  it.each(Object.keys(present ? DECLARED : {}))('%s maps to its declared books and verdicts', (name) => {
    expect(mapped(read(name))).toEqual(MAPPED[name])
  })

  it('reproduces the hash of a captured book', () => {
    const book = parseFrames(read('ws_book_snapshot_captured'))[0] as Extract<PolyEvent, { type: 'book' }>
    const venue = new VenueBook()
    venue.replace(book.bids, book.asks)
    const context = { market: book.market, assetId: book.assetId, minOrderSize: '5', negRisk: false }
    expect(venue.hash({ ...context, tickSize: '0.01', lastTradePrice: '0.920' }, book.timestamp)).toBe(
      book.hash,
    )
  })

  it('maps the captured book to a LIVE quote with its values', () => {
    const frame = JSON.parse(read('ws_book_snapshot_captured')) as BookFrame
    const harness = new Harness(catalogMarket({ marketId: frame.market, tokenIds: [frame.asset_id, '1'] }))
    harness.connect().frame(frame)
    expect(harness.state).toBe('LIVE')
    expect([harness.levels.bids[0], harness.levels.asks[0]]).toEqual([
      [700, 18252855],
      [800, 22819828],
    ])
    expect([harness.levels.bids.length, harness.levels.asks.length]).toEqual([7, 57])
  })

  it('refuses no level order: a book of the older form maps the same whichever way its sides run', () => {
    const frame = JSON.parse(read('rs_ws_market_book_msg')) as BookFrame
    const harness = new Harness(catalogMarket({ marketId: frame.market, tokenIds: [frame.asset_id, '1'] }))
    harness.connect().frame(frame)
    expect(harness.levels).toEqual({
      bids: [
        [5000, 20000],
        [4900, 35000],
      ],
      asks: [
        [5100, 15000],
        [5200, 25000],
      ],
    })
    // Its hash is of an older layout or invented: never LIVE by assumption.
    expect(harness.state).toBe('STALE')
  })

  it('reads a REST book of the older layout, and cannot prove it', () => {
    const book = parseBookBody(read('py_http_responses_book'))
    expect(book).toMatchObject({ type: 'book', hash: '2fc4a3d6a98bc164e057589bcb74981852b87412' })
    expect(parseBookBody(read('rs_clob_book_response'))).toMatchObject({ type: 'book', hash: '0xabc123' })
  })
})

describe.skipIf(!present)('the captured sequence of a book and 15 deltas (ARBEES_FIXTURES)', () => {
  const frames = present ? (JSON.parse(read('ws_market_sequence_excerpt_start')) as unknown[]) : []
  const dump = frames[0] as BookFrame
  const deltas = frames.slice(1) as ChangeFrame[]
  const yes = dump?.asset_id
  const no = deltas[0]?.price_changes[1]?.asset_id ?? ''
  const follow = () =>
    new Harness(catalogMarket({ marketId: dump.market, tokenIds: [yes, no], tickE4: 10 }))
      .connect()
      .frame(dump)

  it('reproduces all 30 hashes, the second token from the mirrored levels', () => {
    const fold = slowFold()
    const hashes = deltas.flatMap((frame, index) => {
      fold.apply(frame)
      return frame.price_changes.map((change) => {
        const levels = fold.levels(change.asset_id === no)
        const venue = new VenueBook()
        const wire = (side: readonly Slow[]) => side.map((level) => ({ ...level, sizeE2: 0, empty: false }))
        venue.replace(wire(levels.bids), wire(levels.asks))
        const context = { market: dump.market, assetId: change.asset_id, minOrderSize: '5', negRisk: false }
        const hash = venue.hash({ ...context, tickSize: '0.001', lastTradePrice: '0.255' }, frame.timestamp)
        return { index, same: hash === change.hash }
      })
    })
    expect(hashes).toHaveLength(30)
    expect(hashes.filter(({ same }) => !same)).toEqual([])
  })

  it('is LIVE after every frame and ends with the books of a slow fold', () => {
    const harness = follow()
    expect(harness.state).toBe('LIVE')
    const fold = slowFold()
    for (const frame of deltas) {
      harness.frame(frame)
      fold.apply(frame)
      expect(harness.state).toBe('LIVE')
      expect(harness.levels).toEqual(fold.integers())
    }
    expect(harness.proofs).toBe(16)
    expect(harness.verdicts).toEqual([])
    expect(harness.venueMs).toBe(1790658701600)
  })

  it('proves the second token by its own 15 hashes when that is the one to follow', () => {
    const { bids, asks } = slowFold().levels(true)
    const text = ({ price, size }: Slow) => ({ price, size })
    const { hash: _, ...rest } = dump
    const harness = new Harness(catalogMarket({ marketId: dump.market, tokenIds: [no, yes], tickE4: 10 }))
    harness.connect().frame({ ...rest, asset_id: no, bids: bids.map(text), asks: asks.map(text) })
    // Only the first token's dump was captured, so this one has no hash.
    expect([harness.state, harness.proofs]).toEqual(['STALE', 0])
    for (const frame of deltas) expect(harness.frame(frame).state).toBe('LIVE')
    expect([harness.proofs, harness.resyncs, harness.verdicts]).toEqual([15, 0, []])
  })

  it('raises no alarm', () => {
    const harness = follow()
    for (const frame of deltas) harness.frame(frame)
    expect([harness.resyncs, harness.mapper.doubts, harness.reconnects.length]).toEqual([0, 0, 0])
    expect(harness.states).toEqual(Array.from({ length: 16 }, () => 'LIVE'))
  })

  it('stays right whichever message comes twice, and wherever the second one comes', () => {
    const frames = [dump, ...deltas]
    const fold = slowFold()
    const books = [fold.integers(), ...deltas.map((frame) => (fold.apply(frame), fold.integers()))]
    let doubted = 0
    for (let twice = 0; twice < frames.length; twice++) {
      for (let behind = twice; behind < frames.length; behind++) {
        const harness = follow()
        for (let at = 1; at < frames.length; at++) {
          harness.frame(frames[at])
          if (at === behind) harness.frame(frames[twice])
          const where = `${twice} again behind ${behind}, at ${at}`
          expect(harness.levels, where).toEqual(books[at])
          if (harness.state !== 'LIVE') doubted += 1
        }
        expect([harness.state, harness.resyncs]).toEqual(['LIVE', 0])
      }
    }
    expect(doubted).toBe(0)
  })

  it('is never wrong and LIVE, whichever message is moved to wherever, and noticed within one message', () => {
    for (let from = 0; from < deltas.length; from++) {
      for (let to = 0; to < deltas.length; to++) {
        if (to === from) continue
        const moved = deltas.filter((_, index) => index !== from)
        moved.splice(to, 0, deltas[from]!)
        const harness = follow()
        const states = moved.map((frame) => harness.frame(frame).state)
        const first = Math.min(from, to)
        expect(states.slice(0, first), `${from} to ${to}`).not.toContain('BROKEN')
        // What comes too early is seen at once; what came too late, by the message in its place.
        expect(states.slice(first, first + 2), `${from} to ${to}`).toContain('BROKEN')
      }
    }
  })

  it('comes through the whole feed over a real socket, LIVE at every frame', async () => {
    const server = await MarketServer.listen()
    const seen: string[] = []
    const verdicts: FrameVerdict[] = []
    const fold = slowFold()
    const feed = new PolymarketFeed({
      wsUrl: server.wsUrl,
      restUrl: server.restUrl,
      clock: systemClock,
      listener: {
        onBook: ({ state, book }) => {
          const side = (name: 'bid' | 'ask') => book.levels(name).map(([p, s]) => [p, s])
          seen.push(`${state} ${JSON.stringify({ bids: side('bid'), asks: side('ask') })}`)
        },
        onVerdict: (verdict) => verdicts.push(verdict),
        onNotice: () => undefined,
      },
      timings: { proofAfterMs: 60_000, staleAfterUs: 60_000_000 },
    })
    try {
      feed.follow([catalogMarket({ marketId: dump.market, tokenIds: [yes, no], tickE4: 10 })])
      await expect.poll(() => server.messages.length, { timeout: 10_000, interval: 5 }).toBe(1)
      const send = (frame: unknown) => server.sockets.forEach((socket) => socket.send(JSON.stringify(frame)))
      send([dump])
      const expected = [`LIVE ${JSON.stringify(fold.integers())}`]
      for (const frame of deltas) {
        send(frame)
        fold.apply(frame)
        expected.push(`LIVE ${JSON.stringify(fold.integers())}`)
      }
      await expect.poll(() => seen.length, { timeout: 10_000, interval: 5 }).toBe(16)
      expect(seen).toEqual(expected)
      expect(verdicts).toEqual([{ kind: 'skipped', name: 'empty_array' }])
      expect(feed.status()).toMatchObject({ state: 'LIVE', reconnects: 0 })
    } finally {
      await feed.close()
      await server.close()
    }
  })

  it('discards deltas that come before the first book, by name', () => {
    const harness = new Harness(
      catalogMarket({ marketId: dump.market, tokenIds: [yes, no], tickE4: 10 }),
    ).connect()
    harness.frame(deltas[0])
    expect(harness.skips('delta_before_book')).toBe(1)
    expect(harness.state).toBeUndefined()
  })

  it.each(deltas.slice(0, -1).map((_, index) => index))(
    'notices within a message that delta %i is missing',
    (lost) => {
      const harness = follow()
      deltas.forEach((frame, index) => {
        if (index !== lost) harness.frame(frame)
        if (index === lost + 1) {
          expect(harness.state).toBe('BROKEN')
          expect(harness.resyncs).toBe(1)
        }
      })
    },
  )

  it.each(deltas.slice(0, -1).map((_, index) => index))(
    'notices that delta %i came after its follower',
    (late) => {
      const harness = follow()
      const order = deltas.map((_, index) => (index === late ? late + 1 : index === late + 1 ? late : index))
      const states = order.map((index) => harness.frame(deltas[index]).state)
      expect(states.slice(late, late + 2)).toContain('BROKEN')
    },
  )

  /** Both tokens by plain maps of strings; nothing shared with the code under test. */
  function slowFold() {
    const sides = { bids: new Map<string, string>(), asks: new Map<string, string>() }
    for (const side of ['bids', 'asks'] as const) {
      for (const level of dump[side]) sides[side].set(level.price, level.size)
    }
    const e4 = (price: string) => Math.round(Number(price) * 10_000)
    return {
      apply(frame: ChangeFrame) {
        for (const change of frame.price_changes) {
          if (change.asset_id !== yes) continue
          const side = sides[change.side === 'BUY' ? 'bids' : 'asks']
          if (change.size === '0') side.delete(change.price)
          else side.set(change.price, change.size)
        }
      },
      levels(mirror: boolean) {
        const list = (side: 'bids' | 'asks') =>
          [...sides[side]].map(([price, size]) => {
            const priceE4 = mirror ? 10_000 - e4(price) : e4(price)
            return { price: mirror ? String(priceE4 / 10_000) : price, size, priceE4 }
          })
        return mirror
          ? { bids: list('asks'), asks: list('bids') }
          : { bids: list('bids'), asks: list('asks') }
      },
      integers() {
        const list = (side: 'bids' | 'asks', sign: number) =>
          [...sides[side]]
            .map(([price, size]) => [e4(price), Math.round(Number(size) * 100)])
            .sort((a, b) => sign * (a[0]! - b[0]!))
        return { bids: list('bids', -1), asks: list('asks', 1) }
      },
    }
  }
})
