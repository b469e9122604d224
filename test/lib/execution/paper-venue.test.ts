import { afterEach, describe, expect, it } from 'vitest'
import { moneyOf, PaperDepth } from '../../../src/lib/execution/paper-depth.js'
import type { DisplayedBook } from '../../../src/lib/execution/paper-depth.js'
import { PaperVenue } from '../../../src/lib/execution/paper-venue.js'
import type { OrderRequest } from '../../../src/lib/model/order.js'
import { until } from '../poll.js'
import { kalshiMarket, orderOf, polyMarket, signal } from '../risk/samples.js'

const book = (more: Partial<DisplayedBook> = {}): DisplayedBook => ({
  state: 'LIVE',
  bids: [
    [4500, 1000],
    [4400, 2000],
  ],
  asks: [
    [4600, 500],
    [4700, 700],
    [4900, 900],
  ],
  ...more,
})
const mayGo = (): boolean => true

const order = (more: Partial<OrderRequest>): OrderRequest => orderOf(signal(), 1, more)

describe('the depth that a paper order takes', () => {
  it.each<[string, Partial<OrderRequest>, [number, number][]]>([
    [
      'a YES buy takes asks within its limit',
      { limitE4: 4700, sizeE2: 2000 },
      [
        [4600, 500],
        [4700, 700],
      ],
    ],
    [
      'a YES buy takes no more than its size',
      { limitE4: 4900, sizeE2: 600 },
      [
        [4600, 500],
        [4700, 100],
      ],
    ],
    ['a YES buy below the best ask takes nothing', { limitE4: 4500, sizeE2: 600 }, []],
    [
      'a NO buy takes YES bids at one less their price',
      { outcome: 'no', limitE4: 5600, sizeE2: 1500 },
      [
        [5500, 1000],
        [5600, 500],
      ],
    ],
    ['a NO buy below one less the best bid takes nothing', { outcome: 'no', limitE4: 5400, sizeE2: 100 }, []],
    [
      'a YES sale takes bids at or above its limit',
      { side: 'sell', limitE4: 4500, sizeE2: 1500 },
      [[4500, 1000]],
    ],
    [
      'a NO sale takes asks at one less their price',
      { outcome: 'no', side: 'sell', limitE4: 5300, sizeE2: 900 },
      [
        [5400, 500],
        [5300, 400],
      ],
    ],
  ])('%s', (_name, request, fills) => {
    const taken = new PaperDepth().take(book(), order(request), 1)
    expect(taken.map(({ priceE4, sizeE2 }) => [priceE4, sizeE2])).toEqual(fills)
  })

  it('is taken off what its level shows to the next orders, also when that is another size', () => {
    const depth = new PaperDepth()
    const buy = order({ limitE4: 4700, sizeE2: 800 })
    expect(depth.take(book(), buy, 1)).toEqual([
      { priceE4: 4600, sizeE2: 500 },
      { priceE4: 4700, sizeE2: 300 },
    ])
    expect(depth.take(book(), buy, 1)).toEqual([{ priceE4: 4700, sizeE2: 400 }])
    expect(depth.take(book(), buy, 1)).toEqual([])
    const requoted = book({
      bids: [],
      asks: [
        [4600, 500],
        [4700, 650],
      ],
    })
    expect(depth.take(requoted, buy, 1)).toEqual([])
    const more = book({ asks: [[4700, 900]] })
    // 650 were all that was there in between: no more than that can still be ours.
    expect(depth.take(more, buy, 1)).toEqual([{ priceE4: 4700, sizeE2: 250 }])
    expect(depth.take(more, buy, 1)).toEqual([])
  })

  it('is there again when its level was gone in between, unless that was out of sight', () => {
    const depth = new PaperDepth()
    const buy = order({ limitE4: 4700, sizeE2: 1200 })
    const seen = [depth.take(book(), buy, 1)]
    depth.see(book({ asks: [[4600, 500]] }))
    seen.push(depth.take(book(), buy, 1))
    depth.see(
      book({
        asks: [
          [4650, 5],
          [4700, 700],
        ],
      }),
    )
    seen.push(depth.take(book(), buy, 1))
    expect(seen.map((fills) => fills.map(({ priceE4 }) => priceE4))).toEqual([[4600, 4700], [], [4600]])
  })

  it('is there again after its side was empty, and not because a book broke', () => {
    const buy = order({ limitE4: 4700, sizeE2: 1200 })
    const after = (state: DisplayedBook['state']) => {
      const depth = new PaperDepth()
      depth.take(book(), buy, 1)
      depth.see(book({ state, asks: [] }))
      return depth.take(book(), buy, 1).length
    }
    expect([after('LIVE'), after('EMPTY'), after('BROKEN'), after('STALE')]).toEqual([2, 2, 0, 0])
  })

  it.each(['STALE', 'BROKEN', 'EMPTY'] as const)('is nothing while the book is %s', (state) => {
    expect(new PaperDepth().take(book({ state }), order({ limitE4: 9000 }), 1)).toEqual([])
  })

  it('comes in whole steps', () => {
    const odd = book({
      asks: [
        [4600, 550],
        [4700, 99],
      ],
    })
    expect(new PaperDepth().take(odd, order({ limitE4: 4700, sizeE2: 2000 }), 100)).toEqual([
      { priceE4: 4600, sizeE2: 500 },
    ])
  })

  it('costs price x size and the venue’s fee, each fill rounded up on its own', () => {
    const fills = [
      { priceE4: 5000, sizeE2: 1 },
      { priceE4: 5000, sizeE2: 1 },
    ]
    // 0.07 x 0.01 x 0.25 = $0.000175, up to $0.0002 each.
    expect(moneyOf(fills, kalshiMarket())).toEqual({ cashMicros: 10_000, feesMicros: 400 })
  })
})

describe('the paper venue', () => {
  let shown: DisplayedBook | undefined
  let venue: PaperVenue | undefined
  const create = (name: 'kalshi' | 'poly', latencyMs = 4) =>
    (venue = new PaperVenue({ venue: name, latencyMs, bookOf: () => shown }))
  afterEach(() => venue?.close())

  it('fills in part what is displayed, and reports its money under paper ids', async () => {
    shown = book()
    const paper = create('kalshi')
    const prepared = paper.prepare(order({ limitE4: 4700 }), kalshiMarket())
    let bytes = 0
    const outcome = await paper.send(prepared, () => bytes++, mayGo)
    const venueOrderId = `paper-${prepared.request.orderId}`
    expect(bytes).toBe(1)
    expect(outcome).toEqual({ kind: 'partial', venueOrderId, filledE6: 12_000_000 })
    expect(await paper.query(prepared)).toEqual(outcome)
    expect(await paper.report(prepared)).toEqual({
      cashMicros: 4600 * 500 + 4700 * 700,
      feesMicros: 87_000 + 122_100,
      venueTradeIds: [`${venueOrderId}-1`, `${venueOrderId}-2`],
    })
  })

  it('takes nothing that was not let go', async () => {
    const paper = create('kalshi', 0)
    const prepared = paper.prepare(order({ limitE4: 4700 }), kalshiMarket())
    const left = () => expect.unreachable('no byte left')
    expect(await paper.send(prepared, left, () => false)).toEqual({ kind: 'withheld' })
    expect(await paper.query(prepared)).toEqual({ kind: 'none' })
  })

  it('matches against the book that is displayed when the order would arrive, not when it was sent', async () => {
    shown = book()
    const sending = create('kalshi', 40).send(
      venue!.prepare(order({ limitE4: 4700 }), kalshiMarket()),
      () => undefined,
      mayGo,
    )
    shown = book({ asks: [[4800, 9000]] })
    expect(await sending).toMatchObject({ kind: 'none' })
  })

  it('holds an order for the venue’s delay and tells the fill when asked', async () => {
    shown = book()
    const paper = create('poly')
    const no = orderOf(signal(), 0, { limitE4: 5500, sizeE2: 800 })
    const prepared = paper.prepare(no, polyMarket({ takerDelayMs: 60 }))
    expect(await paper.send(prepared, () => undefined, mayGo)).toMatchObject({ kind: 'delayed' })
    expect(await paper.query(prepared)).toMatchObject({ kind: 'delayed' })
    await until(async () => (await paper.query(prepared)).kind === 'filled', 'the order is filled')
  })

  it('takes an order once', async () => {
    shown = book()
    const paper = create('kalshi')
    const prepared = paper.prepare(order({ limitE4: 4600, sizeE2: 100 }), kalshiMarket())
    expect(await paper.send(prepared, () => undefined, mayGo)).toMatchObject({ kind: 'filled' })
    expect(await paper.send(prepared, () => undefined, mayGo)).toMatchObject({
      kind: 'rejected',
      code: 'order_already_exists',
    })
  })

  it('fills nothing without a book, and knows nothing of an earlier process', async () => {
    shown = undefined
    const paper = create('kalshi')
    const prepared = paper.prepare(order({}), kalshiMarket())
    expect(await paper.query(prepared)).toEqual({ kind: 'none' })
    expect(await paper.send(prepared, () => undefined, mayGo)).toMatchObject({ kind: 'none' })
    await expect(paper.report(prepared)).rejects.toMatchObject({ code: 'FILLS_NOT_VISIBLE' })
  })

  it('fills nothing when it closes first', async () => {
    shown = book()
    const sending = create('kalshi', 60_000).send(
      venue!.prepare(order({}), kalshiMarket()),
      () => undefined,
      mayGo,
    )
    await venue!.close()
    expect(await sending).toMatchObject({ kind: 'none' })
  })

  it.each<[string, Partial<OrderRequest>]>([
    ['off the tick', { limitE4: 4750 }],
    ['at a price of 1', { limitE4: 10_000 }],
    ['off the step', { sizeE2: 150 }],
    ['below the minimum', { sizeE2: 100 }],
    ['of no size', { sizeE2: 0 }],
    ['for another market', { marketId: 'other' }],
  ])('refuses an order %s', (_name, request) => {
    const market = kalshiMarket({ sizeStepE2: 100, minSizeE2: 200 })
    expect(() => create('kalshi').prepare(order(request), market)).toThrow('paper order')
  })
})
