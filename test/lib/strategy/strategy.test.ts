import { describe, expect, it } from 'vitest'
import { Ladder } from '../../../src/lib/strategy/book-view.js'
import type { Combination } from '../../../src/lib/strategy/combination.js'
import { Strategy, signalId } from '../../../src/lib/strategy/strategy.js'
import { LIMITS, NOW_US, arbitrage, combinations, fill, liveGame, market, sides, view } from './setup.js'

const TRIGGER = { source: 'kalshi.prices', epoch: 1, seq: 11 }
const HOLD_US = (1500 + 1000 + 1000) * 1000

function strategyWith(reasons: string[] = []) {
  return new Strategy({ ...LIMITS, validMs: 1500 }, (reason) => reasons.push(reason))
}

/** Evaluates at a time, both feeds proved and heard just then. */
function evaluateAt(strategy: Strategy, pairs: readonly Combination[], nowUs: number, seq = 11) {
  for (const { legs, game } of pairs) {
    for (const { book } of legs.map(({ of }) => of)) book.feed.provedUs = book.feed.heardUs = nowUs
    game.heardUs = game.fetchedUs = nowUs
  }
  return strategy.evaluate(pairs, { ...TRIGGER, seq }, nowUs)
}

describe('a signal', () => {
  it('names its trigger, its pair and orientation, its inputs and their ages', () => {
    const pair = arbitrage()
    sides(pair).poly.book.feed.provedUs = NOW_US - 12_000
    const [signal, ...more] = strategyWith().evaluate([pair], TRIGGER, NOW_US)
    const key = 'kalshi:KXNBAGAME-25DEC01HOUUTA-HOU:yes+poly:0xabc:no'
    expect(more).toEqual([])
    expect(signal).toMatchObject({
      id: signalId(key, TRIGGER),
      kind: 'cross-venue',
      gameId: '401',
      pair: key,
      sizeE2: 4000,
      netEdgeMicros: 807_000,
      validMs: 1500,
      inputs: [
        { source: 'kalshi.prices', epoch: 1, seq: 11, ageUs: 0 },
        { source: 'kalshi.orderbook', epoch: 1, seq: 12, ageUs: 0 },
        { source: 'poly.prices', epoch: 1, seq: 11, ageUs: 12_000 },
        { source: 'poly.orderbook', epoch: 1, seq: 12, ageUs: 12_000 },
      ],
    })
  })

  it('is the same for the same input, and another for another trigger', () => {
    const once = strategyWith().evaluate([arbitrage()], TRIGGER, NOW_US)
    const again = strategyWith().evaluate([arbitrage()], TRIGGER, NOW_US)
    expect(JSON.stringify(again)).toBe(JSON.stringify(once))
    const later = strategyWith().evaluate([arbitrage()], { ...TRIGGER, seq: 12 }, NOW_US)
    expect(later[0]!.id).not.toBe(once[0]!.id)
  })

  it('is made of the better plan where two would take the same Polymarket offer', () => {
    const game = liveGame()
    const poly = view(market('poly'), { bids: [[5000, 4000]], asks: [[5100, 4000]] })
    const houston = view(market('kalshi'), { bids: [[4400, 5000]], asks: [[4500, 5000]] })
    const utah = view(market('kalshi', { marketId: 'KXNBAGAME-25DEC01HOUUTA-UTA', selection: 'UTAH' }), {
      bids: [[5600, 5000]],
      asks: [[5700, 5000]],
    })
    const reasons: string[] = []
    // YES of HOU at 0.45 or NO of UTAH at 0.44, each with NO of HOU at 0.50.
    const pairs = combinations(game, houston, utah, poly)
    const signals = evaluateAt(strategyWith(reasons), pairs, NOW_US)
    expect(signals.map(({ pair }) => pair)).toEqual(['kalshi:KXNBAGAME-25DEC01HOUUTA-UTA:no+poly:0xabc:no'])
    expect(reasons).toContain('outbid')
    const reversed = evaluateAt(strategyWith(), pairs.toReversed(), NOW_US)
    expect(reversed.map(({ pair }) => pair)).toEqual(signals.map(({ pair }) => pair))
  })
})

describe('after a signal the same plan', () => {
  it('is held while the edge does not improve, and comes again when it does', () => {
    const reasons: string[] = []
    const strategy = strategyWith(reasons)
    const pair = arbitrage()
    expect(evaluateAt(strategy, [pair], NOW_US)).toHaveLength(1)
    expect(evaluateAt(strategy, [pair], NOW_US + 1000)).toHaveLength(0)
    fill(sides(pair).kalshi.book, { bids: [[4400, 5000]], asks: [[4600, 5000]] })
    expect(evaluateAt(strategy, [pair], NOW_US + 2000)).toHaveLength(0)
    expect(reasons.filter((reason) => reason === 'held')).toHaveLength(2)
    fill(sides(pair).kalshi.book, { bids: [[4300, 5000]], asks: [[4400, 5000]] })
    expect(evaluateAt(strategy, [pair], NOW_US + 3000)).toHaveLength(1)
    expect(evaluateAt(strategy, [pair], NOW_US + 4000)).toHaveLength(0)
  })

  it('is held for whatever else would take the same offer, gone or better, until it can no longer be open', () => {
    const game = liveGame()
    const poly = view(market('poly'), { bids: [[5000, 4000]], asks: [[5100, 4000]] })
    const here = (id: string, selection: string, bidE4: number) =>
      view(market('kalshi', { marketId: id, selection }), {
        bids: [[bidE4, 5000]],
        asks: [[bidE4 + 100, 5000]],
      })
    const [houston, utah] = [here('HOU', 'HOU', 4400), here('UTA', 'UTAH', 5600)]
    const pairs = combinations(game, houston, utah, poly)
    const strategy = strategyWith()
    const keys = (atUs: number) => evaluateAt(strategy, pairs, NOW_US + atUs).map(({ pair }) => pair)
    // NO of UTAH at 0.44 is better than YES of HOU at 0.45; both want NO of HOU there.
    expect(keys(0)).toEqual(['kalshi:UTA:no+poly:0xabc:no'])
    expect(keys(1000)).toEqual([])
    fill(utah.book, { bids: [[5200, 5000]], asks: [[5500, 5000]] })
    expect(keys(2000)).toEqual([])
    fill(houston.book, { bids: [[4200, 5000]], asks: [[4300, 5000]] })
    expect(keys(3000)).toEqual([])
    expect(keys(HOLD_US)).toEqual(['kalshi:HOU:yes+poly:0xabc:no'])
  })

  it('leaves the other leg of what is gone to nobody else: its order may still be sent', () => {
    const game = liveGame()
    const poly = view(market('poly'), { bids: [[5000, 4000]], asks: [[5100, 4000]] })
    const houston = view(market('kalshi'), { bids: [[4400, 4000]], asks: [[4500, 4000]] })
    const utah = view(market('kalshi', { marketId: 'UTA', selection: 'UTAH' }), {
      bids: [[4900, 4000]],
      asks: [[5000, 4000]],
    })
    const pairs = combinations(game, houston, utah, poly)
    const strategy = strategyWith()
    const keys = (atUs: number) => evaluateAt(strategy, pairs, NOW_US + atUs).map(({ pair }) => pair)
    const [cross, both] = [
      'kalshi:KXNBAGAME-25DEC01HOUUTA-HOU:yes+poly:0xabc:no',
      'kalshi:KXNBAGAME-25DEC01HOUUTA-HOU:yes+kalshi:UTA:yes',
    ]
    expect(keys(0)).toEqual([cross])
    fill(poly.book, { bids: [[4700, 4000]], asks: [[5100, 4000]] })
    expect(keys(2000)).toEqual([])
    expect(keys(HOLD_US)).toEqual([both])
  })

  it('comes again once the opportunity was gone', () => {
    const strategy = strategyWith()
    const pair = arbitrage()
    evaluateAt(strategy, [pair], NOW_US)
    fill(sides(pair).kalshi.book, { bids: [[4900, 5000]], asks: [[5000, 5000]] })
    expect(evaluateAt(strategy, [pair], NOW_US + 1000)).toHaveLength(0)
    fill(sides(pair).kalshi.book, { bids: [[4400, 5000]], asks: [[4500, 5000]] })
    expect(evaluateAt(strategy, [pair], NOW_US + 2000)).toHaveLength(1)
  })

  it('does not come again because a gate closed and opened', () => {
    const strategy = strategyWith()
    const pair = arbitrage()
    evaluateAt(strategy, [pair], NOW_US)
    sides(pair).poly.book.quoteState = 'STALE'
    expect(evaluateAt(strategy, [pair], NOW_US + 1000)).toHaveLength(0)
    sides(pair).poly.book.quoteState = 'LIVE'
    expect(evaluateAt(strategy, [pair], NOW_US + 2000)).toHaveLength(0)
  })

  it('comes again when it can no longer be open', () => {
    const strategy = strategyWith()
    const pair = arbitrage()
    evaluateAt(strategy, [pair], NOW_US)
    expect(evaluateAt(strategy, [pair], NOW_US + HOLD_US - 1)).toHaveLength(0)
    expect(evaluateAt(strategy, [pair], NOW_US + HOLD_US)).toHaveLength(1)
  })

  it('is held although its pair goes and comes back with another fee, until its time is over', () => {
    const strategy = strategyWith()
    const pair = arbitrage()
    evaluateAt(strategy, [pair], NOW_US)
    strategy.forget(pair)
    const again = arbitrage()
    expect(again.key).toBe(pair.key)
    expect(evaluateAt(strategy, [again], NOW_US + 1000)).toHaveLength(0)
    expect(evaluateAt(strategy, [again], NOW_US + HOLD_US)).toHaveLength(1)
  })
})

describe('a ladder', () => {
  it.each<[string, 'bid' | 'ask', [number, number][]]>([
    [
      'asks that do not rise',
      'ask',
      [
        [5000, 1],
        [5000, 1],
      ],
    ],
    [
      'asks that fall',
      'ask',
      [
        [5000, 1],
        [4900, 1],
      ],
    ],
    [
      'bids that rise',
      'bid',
      [
        [5000, 1],
        [5100, 1],
      ],
    ],
    ['a price of 0', 'ask', [[0, 1]]],
    ['a price of 1', 'bid', [[10_000, 1]]],
    ['a size of 0', 'ask', [[5000, 0]]],
  ])('refuses %s', (_, side, levels) => {
    const ladder = new Ladder(side)
    expect(levels.map(([priceE4, sizeE2]) => ladder.push(priceE4, sizeE2)).includes(false)).toBe(true)
  })

  it('keeps ten levels and still judges the order of the rest', () => {
    const ladder = new Ladder('ask')
    for (let i = 1; i <= 12; i++) expect(ladder.push(i * 100, 1)).toBe(true)
    expect(ladder.count).toBe(10)
    expect(ladder.push(900, 1)).toBe(false)
  })
})
