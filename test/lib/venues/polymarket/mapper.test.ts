import { describe, expect, it } from 'vitest'
import { asLevels, MARKET, NO, ReferenceVenue, YES } from './reference-venue.js'
import { catalogMarket, Harness } from './harness.js'

function seeded(): ReferenceVenue {
  const venue = new ReferenceVenue()
  venue.put('bids', 4500, '100')
  venue.put('bids', 4400, '250.5')
  venue.put('asks', 4700, '80')
  venue.put('asks', 4800, '120.25')
  return venue
}

function live(): { venue: ReferenceVenue; harness: Harness } {
  const venue = seeded()
  const harness = new Harness().connect().frame([venue.dump(), venue.dump(true)])
  expect(harness.state).toBe('LIVE')
  return { venue, harness }
}

describe('a market of the Polymarket mapper', () => {
  it('subscribes both tokens with the custom features', () => {
    expect(new Harness().connect().sent).toEqual([
      { assets_ids: [YES, NO], type: 'market', custom_feature_enabled: true },
    ])
  })

  it('follows and drops markets of an open connection by operation', () => {
    const { harness } = live()
    const other = catalogMarket({ marketId: `0x${'cd'.repeat(32)}`, tokenIds: ['77', '78'] })
    harness.take(harness.mapper.follow(other, harness.nowUs))
    harness.take(harness.mapper.unfollow(MARKET))
    expect(harness.sent.slice(1)).toEqual([
      { assets_ids: ['77', '78'], operation: 'subscribe', custom_feature_enabled: true },
      { assets_ids: [YES, NO], operation: 'unsubscribe' },
    ])
    expect(harness.state).toBe('BROKEN')
  })

  it('skips the last frames of a market it dropped', () => {
    const { venue, harness } = live()
    harness.take(harness.mapper.unfollow(MARKET))
    harness.frame(venue.change('bids', 4600, '5'))
    expect(harness.skips('asset_not_followed')).toBe(2)
    expect(harness.refusals()).toEqual([])
  })

  it('remembers the markets it dropped for a while, not for ever', () => {
    const harness = new Harness([]).connect()
    const dropped = (n: number) => ({ market: `0x${n.toString(16)}`, yes: `${n}1`, no: `${n}2` })
    for (let n = 1; n <= 1000; n += 1) {
      const { market, yes, no } = dropped(n)
      harness.take(harness.mapper.follow(catalogMarket({ marketId: market, tokenIds: [yes, no] }), 0))
      harness.take(harness.mapper.unfollow(market))
    }
    harness.frame(new ReferenceVenue(dropped(1000)).dump())
    expect([harness.skips('asset_not_followed'), harness.refusals()]).toEqual([1, []])
    harness.frame(new ReferenceVenue(dropped(1)).dump())
    expect(harness.refusals()).toEqual(['unknown_market'])
    harness
      .disconnect()
      .connect()
      .frame(new ReferenceVenue(dropped(1000)).dump())
    expect(harness.refusals()).toEqual(['unknown_market', 'unknown_market'])
  })

  it('is LIVE with the venue’s levels after a dump and after every delta', () => {
    const { venue, harness } = live()
    for (const [side, e4, size] of [
      ['bids', 4600, '10'],
      ['asks', 4700, '0'],
      ['bids', 4600, '0'],
      ['asks', 4750, '3.999'],
    ] as const) {
      harness.frame(venue.change(side, e4, size))
      expect(harness.state).toBe('LIVE')
      expect(harness.levels).toEqual(asLevels(venue.sides))
    }
    expect(harness.venueMs).toBe(venue.now)
  })

  it('keeps a level of less than 0.01 share in the hash and out of the quote', () => {
    const { venue, harness } = live()
    harness.frame(venue.change('bids', 4600, '0.001'))
    expect(harness.state).toBe('LIVE')
    expect(harness.levels.bids[0]).toEqual([4500, 10000])
    harness.frame(venue.change('bids', 4300, '1'))
    expect(harness.state).toBe('LIVE')
  })

  it('is EMPTY, not 0 and 1, when nobody quotes', () => {
    const harness = new Harness().connect().frame(new ReferenceVenue().dump())
    expect(harness.state).toBe('EMPTY')
    expect(harness.levels).toEqual({ bids: [], asks: [] })
  })

  it.each([
    ['min_order_size', { minSizeE2: 0 }],
    ['neg_risk', { negRisk: true }],
  ])('stays STALE while %s is unknown or wrong, until REST says it', (_, overrides) => {
    const venue = seeded()
    const harness = new Harness(catalogMarket(overrides)).connect().frame(venue.dump())
    expect(harness.state).toBe('STALE')
    expect(harness.toCompare()).toEqual([YES])
    harness.frame(venue.change('bids', 4600, '1'))
    expect(harness.state).toBe('STALE')
    expect(harness.resyncs).toBe(0)
    harness.rest(venue.rest())
    expect(harness.state).toBe('LIVE')
    // From here the hash can be computed.
    harness.frame(venue.change('bids', 4600, '2'))
    expect(harness.state).toBe('LIVE')
  })

  it('breaks and asks for a fresh book when a delta is missing, and is LIVE again by it', () => {
    const { venue, harness } = live()
    venue.change('bids', 4300, '7')
    harness.frame(venue.change('bids', 4200, '8'))
    expect(harness.state).toBe('BROKEN')
    expect(harness.sent.slice(-2)).toEqual([
      { assets_ids: [YES, NO], operation: 'unsubscribe' },
      { assets_ids: [YES, NO], operation: 'subscribe', custom_feature_enabled: true },
    ])
    harness.frame(venue.dump())
    expect(harness.state).toBe('LIVE')
    expect(harness.levels).toEqual(asLevels(venue.sides))
  })

  it('asks again, ever more rarely, for a book that does not come', () => {
    const { venue, harness } = live()
    venue.change('bids', 4300, '7')
    harness.frame(venue.change('bids', 4200, '8'))
    expect(harness.resyncs).toBe(1)
    harness.tick(5000)
    expect(harness.resyncs).toBe(1)
    harness.tick(1500)
    expect(harness.resyncs).toBe(2)
    // Nobody ever answered an operation: perhaps nobody hears them.
    harness.tick(9000)
    expect([harness.resyncs, harness.reconnects.length]).toEqual([2, 1])
    harness.disconnect().connect()
    for (let seconds = 0; seconds < 120; seconds++) harness.tick(1000)
    // It has no book, whoever is asked, and costs the others no second connection.
    expect([harness.resyncs, harness.reconnects.length]).toEqual([2 + 8, 1])
  })

  it('takes best prices that disagree for a loss, though the hash cannot be computed', () => {
    const venue = seeded()
    const harness = new Harness(catalogMarket({ minSizeE2: 0 })).connect().frame(venue.dump())
    venue.change('bids', 4600, '7')
    harness.frame(venue.change('bids', 4200, '8'))
    expect(harness.state).toBe('BROKEN')
    expect(harness.resyncs).toBe(1)
  })

  it('doubts a hash that matches beside best prices that do not', () => {
    const { venue, harness } = live()
    const frame = venue.change('bids', 4600, '7')
    frame.price_changes[0]!.best_ask = '0.46'
    expect(harness.frame(frame).state).toBe('STALE')
    expect(harness.frame(venue.change('bids', 4600, '8')).state).toBe('LIVE')
  })

  it('doubts a second token that is no mirror', () => {
    const { venue, harness } = live()
    const frame = venue.change('bids', 4600, '7')
    frame.price_changes[1]!.size = '8'
    expect(harness.frame(frame).state).toBe('STALE')
    expect(harness.frame(venue.change('bids', 4600, '8')).state).toBe('LIVE')
  })

  it('doubts a second token’s dump that is no mirror', () => {
    const venue = seeded()
    const no = venue.dump(true)
    no.bids[0]!.size = '1'
    expect(new Harness().connect().frame([venue.dump(), no]).state).toBe('STALE')
    expect(new Harness().connect().frame([no, venue.dump()]).state).toBe('STALE')
  })

  it('is BROKEN on a crossed book', () => {
    const { venue, harness } = live()
    harness.frame(venue.change('bids', 4800, '1'))
    expect(harness.state).toBe('BROKEN')
    harness.frame(venue.change('bids', 4800, '0'))
    expect(harness.state).toBe('LIVE')
  })

  it('skips repeated deltas, however late', () => {
    const { venue, harness } = live()
    const first = venue.change('bids', 4600, '7')
    const second = venue.change('bids', 4300, '9')
    harness.frame(first).frame(second).frame(second)
    expect(harness.skips('delta_repeated')).toBe(1)
    harness.frame(first)
    expect([harness.skips('delta_late'), harness.state]).toEqual([1, 'LIVE'])
    harness.frame(venue.change('bids', 4600, '1')).frame(first)
    expect([harness.skips('delta_late'), harness.state]).toEqual([2, 'LIVE'])
    expect(harness.levels).toEqual(asLevels(venue.sides))
  })

  it('folds a delta of a clock that stepped back, and believes it by the next hash', () => {
    const { venue, harness } = live()
    venue.now += 5
    harness.frame(venue.change('bids', 4600, '7'))
    venue.now -= 3
    expect(harness.frame(venue.change('bids', 4600, '8')).state).toBe('STALE')
    venue.now += 3
    expect(harness.frame(venue.change('bids', 4600, '9')).state).toBe('LIVE')
    expect([harness.levels, harness.resyncs]).toEqual([asLevels(venue.sides), 0])
  })

  it('breaks when a delta that overtook another is followed by it', () => {
    const { venue, harness } = live()
    const first = venue.change('bids', 4600, '7')
    harness.frame(venue.change('bids', 4600, '8'))
    expect(harness.state).toBe('LIVE')
    expect(harness.frame(first).state).toBe('STALE')
    expect(harness.frame(venue.change('bids', 4300, '9')).state).toBe('BROKEN')
  })

  it('does not take a book that went back within one millisecond for proved', () => {
    const { venue, harness } = live()
    const first = venue.change('bids', 4600, '7')
    venue.now -= 1
    const second = venue.change('bids', 4600, '8')
    harness.frame(first).frame(second)
    expect(harness.state).toBe('LIVE')
    expect(harness.frame(first).state).toBe('STALE')
  })

  it('skips a book older than what it holds', () => {
    const { venue, harness } = live()
    const old = venue.dump()
    harness.frame(venue.change('bids', 4600, '7')).frame(old)
    expect(harness.skips('book_late')).toBe(1)
    expect(harness.levels).toEqual(asLevels(venue.sides))
  })

  it('follows a venue whose clock went back, believing nothing until it is proved', () => {
    const { venue, harness } = live()
    venue.change('bids', 4300, '7')
    harness.frame(venue.change('bids', 4200, '8'))
    venue.now -= 60_000
    harness.frame(venue.dump())
    expect(harness.state).toBe('BROKEN')
    harness.frame(venue.dump())
    expect(harness.state).toBe('STALE')
    harness.frame(venue.change('bids', 4200, '9'))
    expect(harness.state).toBe('STALE')
    expect(harness.rest(venue.rest()).state).toBe('LIVE')
    expect(harness.frame(venue.change('bids', 4200, '10')).state).toBe('LIVE')
  })
})

describe('trades', () => {
  it.each(['trade first', 'book first', 'delta first'])('come and go without a wrong LIVE: %s', (order) => {
    const { venue, harness } = live()
    const trade = venue.trade('asks', '30')
    const post = venue.bare()
    if (order === 'trade first') harness.frame(trade).frame(post)
    if (order === 'book first') {
      harness.frame(post)
      expect(harness.state).toBe('STALE')
      harness.frame(trade)
    }
    if (order === 'delta first') {
      venue.now -= 1
      harness.frame(venue.change('asks', 4700, '30'))
      expect(harness.state).toBe('BROKEN')
      harness.frame(trade)
    }
    expect(harness.state).toBe('LIVE')
    expect(harness.levels).toEqual(asLevels(venue.sides))
  })

  it.each(['0.47', '0.470', '0.53', '0.530'])(
    'a last trade that the venue writes as %s is found',
    (written) => {
      const { venue, harness } = live()
      const trade = venue.trade('asks', '30')
      venue.lastTrade = written
      expect(harness.frame(trade).frame(venue.bare()).state).toBe('LIVE')
    },
  )

  it('excuse one mismatch, not two', () => {
    const { venue, harness } = live()
    harness.frame(venue.trade('asks', '30'))
    venue.lastTrade = '0.111'
    venue.put('bids', 4100, '5')
    expect(harness.frame(venue.change('bids', 4600, '7')).state).toBe('STALE')
    expect(harness.resyncs).toBe(0)
    expect(harness.frame(venue.change('bids', 4600, '8')).state).toBe('BROKEN')
    expect(harness.resyncs).toBe(1)
  })
})

describe('a frame that cannot be used', () => {
  const OTHER = { market: `0x${'cd'.repeat(32)}`, yes: '77', no: '78' }

  /** Two LIVE markets, told apart by the newest word on each. */
  function two() {
    const [venue, other] = [seeded(), new ReferenceVenue(OTHER)]
    other.put('bids', 4000, '5')
    other.put('asks', 4100, '5')
    const second = catalogMarket({ marketId: OTHER.market, tokenIds: [OTHER.yes, OTHER.no] })
    const harness = new Harness([catalogMarket(), second]).connect().frame(venue.dump()).frame(other.dump())
    const states = () => [harness.stateOf(MARKET), harness.stateOf(OTHER.market)]
    expect(states()).toEqual(['LIVE', 'LIVE'])
    return { venue, other, harness, states }
  }
  const spoiled = (venue: ReferenceVenue, entry: number, field: object): unknown => {
    const frame = venue.change('bids', 4600, '7')
    Object.assign(frame.price_changes[entry]!, field)
    return frame
  }
  const tickChange = { event_type: 'tick_size_change', market: MARKET, asset_id: YES, timestamp: '1' }

  it.each<[string, (venue: ReferenceVenue) => unknown, string]>([
    [
      'a delta with a hostile side',
      (venue) => spoiled(venue, 0, { side: { toString: 1, valueOf: 1 } }),
      'bad_side',
    ],
    ['a delta whose second entry is bad', (venue) => spoiled(venue, 1, { price: '1.2' }), 'bad_price'],
    ['a delta with a negative size', (venue) => spoiled(venue, 0, { size: '-1' }), 'bad_size'],
    [
      'a delta without a timestamp',
      (venue) => ({ ...venue.change('bids', 4600, '7'), timestamp: 7 }),
      'bad_timestamp',
    ],
    [
      'a delta legible by its tokens alone',
      (venue) => ({ ...venue.change('bids', 4600, '7'), market: null }),
      'bad_market',
    ],
    [
      'a delta under a name that is none',
      (venue) => ({ ...venue.change('bids', 4600, '7'), event_type: 7 }),
      'bad_event_type',
    ],
    ['a delta without a name', ({ ids }) => ({ market: ids.market, price: '0.5' }), 'no_event_type'],
    [
      'a delta of 2025 that names no token',
      ({ ids }) => ({ event_type: 'price_change', market: ids.market, timestamp: '1', changes: [] }),
      'bad_field',
    ],
    [
      'a book with a level twice',
      (venue) => ({
        ...venue.dump(),
        bids: [
          { price: '0.5', size: '1' },
          { price: '.5', size: '1' },
        ],
      }),
      'duplicate_level',
    ],
    ['a tick of nothing', () => ({ ...tickChange, new_tick_size: '0' }), 'bad_tick'],
    [
      'a delta of another market’s token',
      (venue) => spoiled(venue, 1, { asset_id: '999' }),
      'market_mismatch',
    ],
    [
      'a book of a token that is not the market’s',
      (venue) => ({ ...venue.dump(), asset_id: '999' }),
      'market_mismatch',
    ],
  ])('breaks the book it names, and no other: %s', (_, frame, reason) => {
    const { venue, harness, states } = two()
    harness.frame(frame(venue))
    expect(harness.refusals()).toEqual([reason])
    expect(states()).toEqual(['BROKEN', 'LIVE'])
    expect(harness.sent.slice(-2)).toEqual([
      { assets_ids: [YES, NO], operation: 'unsubscribe' },
      { assets_ids: [YES, NO], operation: 'subscribe', custom_feature_enabled: true },
    ])
    expect(harness.levels).not.toEqual({ bids: [], asks: [] })
    harness.frame(venue.dump())
    expect(states()).toEqual(['LIVE', 'LIVE'])
    expect(harness.levelsOf(MARKET)).toEqual(asLevels(venue.sides))
  })

  it('breaks both markets of a message that mixes their tokens', () => {
    const { venue, harness, states } = two()
    harness.frame(spoiled(venue, 1, { asset_id: OTHER.no }))
    expect(harness.refusals()).toEqual(['market_mismatch'])
    expect(states()).toEqual(['BROKEN', 'BROKEN'])
    expect(harness.levelsOf(MARKET).bids[0]).toEqual([4500, 10000])
  })

  it('breaks a book by a form of the book’s family that was never seen', () => {
    const { harness, states } = two()
    harness.frame({ event_type: 'price_change_v2', market: MARKET })
    expect(harness.verdicts).toEqual([{ kind: 'unknown', name: 'price_change_v2' }])
    expect(states()).toEqual(['BROKEN', 'LIVE'])
  })

  it.each([
    ['half a frame', '{"event_type":"price_change","market'],
    ['an array in an array', '[[]]'],
    ['a list of numbers', '[1]'],
    ['a delta without any id', '{"event_type":"price_change"}'],
    ['a book without any id', '{"event_type":"book"}'],
  ])('doubts every book of the connection when it names none: %s', (_, text) => {
    const { venue, other, harness, states } = two()
    harness.text(text)
    expect(harness.refusals()).toHaveLength(1)
    expect(states()).toEqual(['STALE', 'STALE'])
    expect(harness.resyncs).toBe(0)
    expect(harness.toCompare().sort()).toEqual([YES, OTHER.yes].sort())
    harness.frame(other.change('bids', 3900, '1'))
    expect(states()).toEqual(['STALE', 'LIVE'])
    harness.rest(venue.rest())
    expect(states()).toEqual(['LIVE', 'LIVE'])
  })

  it('finds by the next hash that it was a delta that could not be read', () => {
    const { venue, harness, states } = two()
    venue.change('bids', 4600, '7')
    harness.text('{"event_type":')
    harness.frame(venue.change('bids', 4300, '8'))
    expect(states()).toEqual(['BROKEN', 'STALE'])
    expect(harness.resyncs).toBe(1)
  })

  it.each([
    ['a trade', { event_type: 'last_trade_price', price: 'x' }],
    ['a best price', { event_type: 'best_bid_ask', best_bid: '7' }],
  ])('doubts the book that it names no level of: %s', (_, frame) => {
    const { venue, harness, states } = two()
    harness.frame({ ...frame, market: MARKET, asset_id: YES, timestamp: String(venue.now) })
    expect(states()).toEqual(['STALE', 'LIVE'])
    expect([harness.toCompare(), harness.resyncs]).toEqual([[YES], 0])
    harness.tick(1).rest(venue.rest())
    expect(states()).toEqual(['LIVE', 'LIVE'])
  })

  it.each([
    ['of a market that nobody follows', { event_type: 'book', market: '0xef', asset_id: '5' }],
    ['that announces a market', { event_type: 'new_market', market: 7 }],
    ['of a kind that tells of no book', { event_type: 'settlement_preview', market: MARKET }],
  ])('leaves the books alone: %s', (_, frame) => {
    const { harness, states } = two()
    harness.frame(frame)
    expect(harness.verdicts).toHaveLength(1)
    expect([...states(), harness.mapper.doubts]).toEqual(['LIVE', 'LIVE', 0])
  })

  it('does not believe a REST book that was asked for before it', () => {
    const { venue, harness, states } = two()
    const askedUs = harness.nowUs
    const before = venue.rest()
    harness.frame(spoiled(venue, 0, { side: 7 }))
    harness.rest(before, askedUs)
    expect(states()[0]).toBe('BROKEN')
  })

  it('does not believe what is older than it: a late dump, or REST behind the socket', () => {
    const { venue, harness, states } = two()
    const [dump, rest] = [venue.dump(), venue.rest()]
    harness.frame(spoiled(venue, 0, { side: 7 })).frame(dump)
    expect(states()[0]).toBe('STALE')
    harness.rest(rest)
    expect(states()[0]).toBe('STALE')
    // The venue moved on in truth: its next delta tells.
    harness.frame(venue.change('bids', 4300, '1'))
    expect(states()[0]).toBe('BROKEN')
    expect(harness.frame(venue.dump()).stateOf(MARKET)).toBe('LIVE')
  })

  it('is got over by two equal REST books when its timestamp was a lie', () => {
    const { venue, harness, states } = two()
    const frame = { ...(spoiled(venue, 0, { side: 7 }) as object), timestamp: '999999999999999' }
    harness.frame(frame).frame(venue.dump())
    expect(states()[0]).toBe('STALE')
    harness.rest(venue.rest())
    expect(states()[0]).toBe('STALE')
    harness.rest(venue.rest())
    expect(states()[0]).toBe('LIVE')
    expect(harness.frame(venue.change('bids', 4300, '1')).stateOf(MARKET)).toBe('LIVE')
  })

  it('counts for a market that has no book yet: an older first dump is not believed', () => {
    const venue = seeded()
    const harness = new Harness().connect()
    const dump = venue.dump()
    harness.frame(spoiled(venue, 0, { side: 7 }))
    expect([harness.state, harness.resyncs]).toEqual([undefined, 0])
    expect(harness.frame(dump).state).toBe('STALE')
    expect(harness.frame(venue.dump()).state).toBe('LIVE')
  })

  it('asks a venue whose every delta is unusable for a book only so often', () => {
    const venue = seeded()
    const harness = new Harness(catalogMarket(), { resyncGapUs: 500_000 }).connect().frame(venue.dump())
    for (let n = 0; n < 10; n += 1) {
      harness.frame(spoiled(venue, 0, { side: 7 })).tick(10)
      expect(harness.state).toBe('BROKEN')
      if (harness.resyncs === 1 && n === 0) harness.frame(venue.dump())
    }
    expect(harness.resyncs).toBe(1)
    harness.tick(500)
    expect(harness.resyncs).toBe(2)
    expect(harness.frame(venue.dump()).state).toBe('LIVE')
  })

  it('is no word on a market that ended', () => {
    const { harness, states } = two()
    harness.frame({ event_type: 'market_resolved', market: MARKET })
    const before = harness.publications
    harness.frame({ event_type: 'book', market: MARKET })
    expect([states()[0], harness.publications - before, harness.resyncs]).toEqual(['BROKEN', 0, 0])
  })
})

describe('an operation on the open connection', () => {
  const OTHER = { market: `0x${'cd'.repeat(32)}`, yes: '77', no: '78' }
  const second = catalogMarket({ marketId: OTHER.market, tokenIds: [OTHER.yes, OTHER.no] })
  const ops = (harness: Harness) => harness.sent.filter(({ operation }) => operation !== undefined).length

  /** A venue that hears subscriptions alone; a market is added and waited for. */
  function deaf() {
    const { venue, harness } = live()
    const other = new ReferenceVenue(OTHER)
    harness.take(harness.mapper.follow(second, harness.nowUs))
    for (let ticks = 0; ticks < 200 && harness.reconnects.length === 0; ticks++) {
      harness.frame(venue.change('bids', 4600, String(ticks + 1)))
      harness.tick(100)
    }
    return { venue, other, harness }
  }

  it('that is never answered gives way to a new connection, and so do all that follow', () => {
    const { venue, other, harness } = deaf()
    expect(harness.reconnects).toEqual([expect.stringContaining(OTHER.market)])
    expect(harness.disconnect().connect().sent.at(-1)).toMatchObject({
      assets_ids: [YES, NO, OTHER.yes, OTHER.no],
      type: 'market',
    })
    harness.frame([venue.dump(), other.dump()])
    expect([harness.stateOf(MARKET), harness.stateOf(OTHER.market)]).toEqual(['LIVE', 'EMPTY'])
    const before = ops(harness)
    venue.change('bids', 4300, '7')
    harness.frame(venue.change('bids', 4200, '8'))
    expect([harness.state, harness.reconnects.length]).toEqual(['BROKEN', 2])
    harness.disconnect().connect().frame([venue.dump(), other.dump()])
    const third = catalogMarket({ marketId: `0x${'ef'.repeat(32)}`, tokenIds: ['87', '88'] })
    harness.take(harness.mapper.follow(third, harness.nowUs))
    expect([harness.reconnects.length, ops(harness)]).toEqual([3, before])
  })

  it('that was answered once is asked for ever after', () => {
    const { venue, harness } = live()
    venue.change('bids', 4300, '7')
    harness.frame(venue.change('bids', 4200, '8')).frame(venue.dump())
    expect(harness.state).toBe('LIVE')
    harness.take(harness.mapper.follow(second, harness.nowUs))
    for (let ticks = 0; ticks < 600; ticks++) {
      harness.frame(venue.change('bids', 4600, String(ticks + 1)))
      harness.tick(100)
    }
    expect(harness.reconnects).toEqual([])
  })

  it('is not taken for answered by the book after a trade, which comes unasked', () => {
    const { venue, harness } = live()
    venue.change('bids', 4300, '7')
    harness.frame(venue.change('bids', 4200, '8'))
    harness.frame(venue.trade('asks', '3')).frame(venue.bare())
    expect(harness.state).toBe('LIVE')
    harness.take(harness.mapper.follow(second, harness.nowUs))
    for (let ticks = 0; ticks < 200 && harness.reconnects.length === 0; ticks++) {
      harness.frame(venue.change('bids', 4600, String(ticks + 1)))
      harness.tick(100)
    }
    expect(harness.reconnects).toHaveLength(1)
  })
})

describe('best prices beside the changes', () => {
  it.each([false, true])('agree without a word, second token %s', (no) => {
    const { venue, harness } = live()
    harness.frame(venue.best(no)).tick(1000)
    expect([harness.skips('best_bid_ask'), harness.mapper.doubts]).toEqual([1, 0])
    venue.put('bids', 4500, '0')
    venue.put('bids', 4400, '0')
    harness.frame(venue.dump()).frame(venue.best(no))
    expect(harness.skips('best_bid_ask')).toBe(2)
  })

  it.each([false, true])('show a lost change that no other follows, second token %s', (no) => {
    const { venue, harness } = live()
    venue.change('bids', 4600, '7')
    harness.frame(venue.best(no))
    // They may have come before their change.
    expect([harness.state, harness.toCompare()]).toEqual(['LIVE', [YES]])
    harness.tick(250)
    expect([harness.state, harness.toCompare()]).toEqual(['STALE', [YES]])
    expect(harness.rest(venue.rest()).state).toBe('STALE')
    expect(harness.rest(venue.rest()).state).toBe('BROKEN')
    expect(harness.frame(venue.dump()).state).toBe('LIVE')
  })

  it('that come before their change are explained by it', () => {
    const { venue, harness } = live()
    const change = venue.change('bids', 4600, '7')
    harness.frame(venue.best()).frame(change).tick(500)
    expect(harness.states).toEqual(['LIVE', 'LIVE'])
  })

  it('that are one of several within a millisecond are explained by the next', () => {
    const { venue, harness } = live()
    const first = venue.change('bids', 4600, '7')
    const best = venue.best()
    venue.now -= 1
    harness
      .frame(first)
      .frame(venue.change('bids', 4650, '7'))
      .frame(best)
      .frame(venue.best())
      .tick(500)
    expect(harness.states).toEqual(['LIVE', 'LIVE', 'LIVE'])
  })

  it('that are late say nothing', () => {
    const { venue, harness } = live()
    const best = venue.best()
    harness
      .frame(venue.change('bids', 4600, '7'))
      .frame(best)
      .tick(500)
    expect([harness.skips('best_bid_ask_late'), harness.state]).toEqual([1, 'LIVE'])
  })

  it('are not explained by a REST book that was asked for before', () => {
    const { venue, harness } = live()
    const [rest, askedUs] = [venue.rest(), harness.nowUs]
    venue.change('bids', 4600, '7')
    harness.frame(venue.best()).rest(rest, askedUs).tick(250)
    expect(harness.state).toBe('STALE')
  })
})

describe('what is compared with REST', () => {
  /** Two markets, both proved, of which `second` is silent from here on. */
  const pair = () => {
    const first = seeded()
    const second = new ReferenceVenue({ market: `0x${'cd'.repeat(32)}`, yes: '77', no: '78' })
    second.put('bids', 4500, '100')
    second.put('asks', 4700, '80')
    const harness = new Harness([
      catalogMarket(),
      catalogMarket({ marketId: second.ids.market, tokenIds: ['77', '78'] }),
    ])
    harness.connect().frame(first.dump()).frame(second.dump())
    return {
      first,
      second,
      harness,
      states: () => [MARKET, second.ids.market].map((id) => harness.stateOf(id)),
    }
  }

  it('proves its own market alone, however often it is asked for', () => {
    const { first, harness, states } = pair()
    const { provedUs } = harness.mapper
    for (let ask = 0; ask < 3; ask += 1) harness.tick(400).rest(first.rest())
    expect(states()).toEqual(['LIVE', 'STALE'])
    expect(harness.mapper.provedUs).toBeLessThanOrEqual(provedUs!)
  })

  it('proves the connection as of the question when every proved book was equal', () => {
    const { first, second, harness, states } = pair()
    const askedUs = harness.tick(900).nowUs
    harness.tick(90).rest([first.rest(), second.rest()], askedUs)
    expect(harness.mapper.provedUs).toBe(askedUs)
    expect([...states(), harness.publications]).toEqual(['LIVE', 'LIVE', 2])
    expect(harness.tick(2000).states.slice(2)).toEqual(['STALE', 'STALE'])
  })

  it('leaves a frozen connection unproved while one book differs', () => {
    const { first, second, harness, states } = pair()
    second.change('bids', 4600, '7')
    harness.tick(750).rest([first.rest(), second.rest()])
    expect(harness.tick(300) && states()).toEqual(['LIVE', 'STALE'])
    harness.tick(450).rest([first.rest(), second.rest()])
    expect([...states(), harness.reconnects.length]).toEqual(['LIVE', 'BROKEN', 1])
    // What stood behind the one that ended the connection is told when it is gone.
    expect(harness.disconnect() && states()).toEqual(['BROKEN', 'BROKEN'])
  })

  it('breaks and proves nothing by an answer older than a delta that came meanwhile', () => {
    const { first, second, harness, states } = pair()
    const [answer, askedUs] = [[first.rest(), second.rest()], harness.tick(750).nowUs]
    harness.frame(first.change('bids', 4600, '7')).tick(100)
    const { publications } = harness
    for (let again = 0; again < 3; again += 1) harness.rest(answer, askedUs)
    expect([...states(), harness.publications, harness.mapper.doubts]).toEqual([
      'LIVE',
      'LIVE',
      publications,
      0,
    ])
    expect(harness.mapper.provedUs).toBeGreaterThan(askedUs)
  })

  it('is a doubted book alone, or all: it first, then the one that moved last', () => {
    const ids = ['1', '2', '3']
    const venues = ids.map((id) => new ReferenceVenue({ market: `0x${id}`, yes: `${id}0`, no: `${id}1` }))
    const harness = new Harness(
      venues.map(({ ids: { market, yes, no } }) => catalogMarket({ marketId: market, tokenIds: [yes, no] })),
    ).connect()
    for (const venue of venues) harness.frame(venue.dump())
    harness.frame(venues[0]!.change('bids', 4000, '1'))
    expect([harness.toCompare(), harness.toCompare(true)]).toEqual([[], ['10', '30', '20']])
    const doubted = { event_type: 'last_trade_price', price: 'x', market: '0x2', asset_id: '20' }
    harness.frame(doubted)
    expect([harness.toCompare(true), harness.toCompare()]).toEqual([['20', '10', '30'], []])
    harness.frame(doubted)
    expect(harness.toCompare()).toEqual(['20'])
  })
})

describe('the catalog', () => {
  it('hears of a market that is listed, and of one that ends', () => {
    const { harness } = live()
    harness.frame({ event_type: 'new_market', market: '0xab', slug: 'nba-hou-uta-2026-11-20' })
    harness.frame({ event_type: 'new_market', market: '0xab' })
    harness.frame({ event_type: 'market_resolved', market: MARKET })
    harness.frame({ event_type: 'market_resolved', market: '0xab' })
    expect(harness.changes).toEqual([
      { kind: 'listed', slug: 'nba-hou-uta-2026-11-20' },
      { kind: 'resolved', market: catalogMarket() },
    ])
  })
})

describe('epochs', () => {
  it('drops the book on a new tick until the venue sends it again', () => {
    const { venue, harness } = live()
    const change = (asset_id: string) => ({
      event_type: 'tick_size_change',
      market: MARKET,
      asset_id,
      old_tick_size: '0.01',
      new_tick_size: '0.001',
      timestamp: String(venue.now),
    })
    harness.frame(change(YES)).frame(change(NO))
    expect([harness.state, harness.resyncs]).toEqual(['BROKEN', 1])
    expect(harness.levels).toEqual({ bids: [], asks: [] })
    venue.tick = '0.001'
    harness.frame(venue.change('bids', 4605, '1'))
    expect([harness.skips('delta_before_book'), harness.state]).toEqual([1, 'BROKEN'])
    expect(harness.frame(venue.dump()).state).toBe('LIVE')
  })

  it('cannot prove deltas of the old schema, and never calls them LIVE', () => {
    const { venue, harness } = live()
    const { price_changes, ...rest } = venue.change('bids', 4600, '7')
    const { best_bid: _b, best_ask: _a, ...flat } = price_changes[0]!
    harness.frame({ ...rest, ...flat, hash: 'older layout' })
    expect(harness.state).toBe('STALE')
    expect(harness.levels).toEqual(asLevels(venue.sides))
    expect(harness.rest(venue.rest()).state).toBe('LIVE')
  })

  it('folds several changes of one token in the form of early 2025, and calls them LIVE only by REST', () => {
    const { venue, harness } = live()
    const { price_changes, ...rest } = venue.change('bids', 4600, '7')
    const two = venue.change('asks', 4700, '0').price_changes[0]!
    const changes = [price_changes[0]!, two].map(({ price, size, side }) => ({ price, size, side }))
    harness.frame({ ...rest, asset_id: YES, changes, hash: 'older layout' })
    expect([harness.state, harness.levels]).toEqual(['STALE', asLevels(venue.sides)])
    expect(harness.rest(venue.rest()).state).toBe('LIVE')
  })

  it('does not believe a dump that comes behind a change that it does not know of', () => {
    const venue = seeded()
    const harness = new Harness().connect()
    const dump = venue.dump()
    const first = venue.change('bids', 4300, '5')
    harness.frame(venue.change('bids', 4600, '7')).frame(dump)
    expect([harness.skips('delta_before_book'), harness.state]).toEqual([1, 'STALE'])
    // Nor the changes up to that one, though their hashes are right.
    expect(harness.frame(first).state).toBe('STALE')
    expect(harness.rest(venue.rest()).state).toBe('STALE')
    harness.rest(venue.rest()).frame(venue.dump())
    expect([harness.state, harness.levels]).toEqual(['LIVE', asLevels(venue.sides)])
  })

  it('takes a dump of the millisecond of a discarded change for proved when it is the book after it', () => {
    const venue = seeded()
    const harness = new Harness().connect()
    const before = venue.dump()
    venue.now -= 1
    const change = venue.change('bids', 4600, '7')
    expect(harness.frame(change).frame(before).state).toBe('STALE')
    expect(new Harness().connect().frame(change).frame(venue.dump()).state).toBe('LIVE')
  })

  it('proves nothing by what a lost connection still held', () => {
    const { venue, harness } = live()
    harness
      .disconnect()
      .frame(venue.dump())
      .frame(venue.change('bids', 4600, '7'))
    expect([harness.state, harness.proofs]).toEqual(['BROKEN', 1])
  })

  it('ends with a resolution', () => {
    const { venue, harness } = live()
    harness.frame({ event_type: 'market_resolved', market: MARKET })
    expect(harness.state).toBe('BROKEN')
    harness.frame(venue.dump())
    expect([harness.state, harness.skips('book_after_resolution')]).toEqual(['BROKEN', 1])
    expect(harness.mapper.expectsProof).toBe(false)
  })

  it('breaks every book at once when the socket goes, and forgets what it was told', () => {
    const { venue, harness } = live()
    harness.disconnect()
    expect(harness.state).toBe('BROKEN')
    harness.connect().frame(venue.change('bids', 4600, '7'))
    expect(harness.skips('delta_before_book')).toBe(1)
    expect(harness.frame(venue.dump()).state).toBe('LIVE')
  })
})

describe('continuity', () => {
  it('goes STALE without a proof, and LIVE again by one of another market', () => {
    const other = new ReferenceVenue({ market: `0x${'cd'.repeat(32)}`, yes: '77', no: '78' })
    const venue = seeded()
    const second = catalogMarket({ marketId: other.ids.market, tokenIds: ['77', '78'] })
    const harness = new Harness([catalogMarket(), second]).connect().frame(venue.dump()).frame(other.dump())
    harness.tick(950)
    expect(harness.states).toEqual(['LIVE', 'EMPTY'])
    harness.tick(100)
    expect(harness.states.slice(-2)).toEqual(['STALE', 'STALE'])
    harness.frame(other.change('bids', 4000, '1'))
    expect(harness.states.slice(-2)).toEqual(['LIVE', 'LIVE'])
  })

  it('is dated by the moment REST was asked, not answered', () => {
    const { venue, harness } = live()
    harness.tick(1000)
    const askedUs = harness.nowUs
    harness.nowUs += 300_000
    harness.rest(venue.rest(), askedUs)
    expect(harness.mapper.provedUs).toBe(askedUs)
  })

  it('is not proved by a REST book older than ours', () => {
    const { venue, harness } = live()
    const old = venue.rest()
    venue.change('bids', 4300, '5')
    harness.frame(venue.change('bids', 4300, '6'))
    const proved = harness.mapper.provedUs
    harness.rest(old)
    expect(harness.mapper.provedUs).toBe(proved)
  })

  it('asks REST a second time before it believes it, then reconnects a frozen socket', () => {
    const { venue, harness } = live()
    venue.change('bids', 4600, '7')
    harness.nowUs += 750_000
    harness.rest(venue.rest(), harness.nowUs)
    expect([harness.state, harness.toCompare()]).toEqual(['LIVE', [YES]])
    harness.nowUs += 750_000
    harness.rest(venue.rest(), harness.nowUs)
    expect([harness.state, harness.reconnects.length]).toEqual(['BROKEN', 1])
  })

  it.each(['behind', 'before'])(
    'resyncs one token when REST differs twice on a socket that speaks %s the question',
    (when) => {
      const other = new ReferenceVenue({ market: `0x${'cd'.repeat(32)}`, yes: '77', no: '78' })
      const venue = seeded()
      const second = catalogMarket({ marketId: other.ids.market, tokenIds: ['77', '78'] })
      const harness = new Harness([catalogMarket(), second]).connect().frame(venue.dump()).frame(other.dump())
      venue.change('bids', 4600, '7')
      for (let ask = 0; ask < 2; ask += 1) {
        const askedUs = harness.nowUs
        harness.frame(other.change('bids', 4000, String(ask + 1)))
        if (when === 'before') harness.nowUs += 3000
        harness.rest(venue.rest(), when === 'behind' ? askedUs : harness.nowUs)
      }
      expect([harness.resyncs, harness.reconnects.length]).toEqual([1, 0])
    },
  )
})
