import { describe, expect, it } from 'vitest'
import type { Combination, GameView } from '../../../src/lib/strategy/combination.js'
import { GATES, GATE_REASONS } from '../../../src/lib/strategy/gates.js'
import type { Gate, GateReason } from '../../../src/lib/strategy/gates.js'
import { Lease, Ownership } from '../../../src/lib/strategy/ownership.js'
import { Strategy } from '../../../src/lib/strategy/strategy.js'
import { LIMITS, NOW_US, arbitrage, fill, sides } from './setup.js'

const TRIGGER = { source: 'kalshi.prices', epoch: 1, seq: 11 }

function evaluate(combination: Combination, gates: readonly Gate[] = GATES) {
  const reasons: string[] = []
  const strategy = new Strategy({ ...LIMITS, validMs: 1500, gates }, (reason) => reasons.push(reason))
  const signals = strategy.evaluate([combination], TRIGGER, NOW_US)
  return { signals: signals.length, reasons }
}

/** What breaks each rule, and that rule alone. */
const BREAKS: [
  string,
  GateReason,
  (broken: ReturnType<typeof sides> & { readonly game: GameView }) => void,
][] = [
  ['the game is final', 'game_over', ({ game }) => (game.status = 'final')],
  ['the game is postponed', 'game_over', ({ game }) => (game.status = 'postponed')],
  ['the game is canceled', 'game_over', ({ game }) => (game.status = 'canceled')],
  ['nobody spoke of the game for a minute', 'game_stale', ({ game }) => (game.heardUs = NOW_US - 60_000_001)],
  [
    'a live game is repeated every 5 s and was last read a minute ago',
    'game_stale',
    ({ game }) => (game.fetchedUs = NOW_US - 60_000_001),
  ],
  [
    'a game to come was last read longer ago than it is polled',
    'game_stale',
    ({ game }) => {
      game.status = 'pre'
      game.fetchedUs = NOW_US - 400_000_001
    },
  ],
  [
    'games move between shards and the orchestrator is silent',
    'silent_orchestrator',
    ({ game }) => {
      const lease = Object.assign(new Lease(), { sentUs: NOW_US - 2_500_001 })
      Object.assign(game, { ownership: new Ownership(0, lease) })
    },
  ],
  ['monitor and pairing disagree on YES', 'selection_mismatch', ({ poly }) => (poly.selectionAgrees = false)],
  ['the quote was before a gap', 'broken_channel', ({ kalshi }) => kalshi.book.feed.prices.breakAll()],
  [
    'something of its quotes is missing',
    'broken_channel',
    ({ poly }) => (poly.book.feed.prices.isLive = false),
  ],
  [
    'something of its books is missing',
    'broken_channel',
    ({ kalshi }) => (kalshi.book.feed.orderbook.isLive = false),
  ],
  ['the book was before a gap', 'broken_channel', ({ poly }) => poly.book.feed.orderbook.breakAll()],
  ['a monitor is silent', 'silent_monitor', ({ poly }) => (poly.book.feed.heardUs = NOW_US - 600_001)],
  ['a quote is STALE', 'not_live', ({ kalshi }) => (kalshi.book.quoteState = 'STALE')],
  ['a quote is BROKEN', 'not_live', ({ poly }) => (poly.book.quoteState = 'BROKEN')],
  ['a quote is EMPTY', 'not_live', ({ poly }) => (poly.book.quoteState = 'EMPTY')],
  ['a book is not LIVE though its quote is', 'not_live', ({ kalshi }) => (kalshi.book.bookState = 'STALE')],
  ['book and quote are of different changes', 'book_seq_differs', ({ kalshi }) => kalshi.book.bookSeq++],
  [
    'no readable book came yet',
    'book_seq_differs',
    ({ kalshi: { book } }) => (book.bookSeq = book.quoteSeq = -1),
  ],
  [
    'a book is crossed',
    'crossed_book',
    ({ kalshi }) => fill(kalshi.book, { bids: [[4500, 100]], asks: [[4500, 5000]] }),
  ],
  [
    'both quotes are 751 ms old',
    'old_quote',
    ({ kalshi, poly }) => {
      kalshi.book.feed.provedUs = poly.book.feed.provedUs = NOW_US - 751_000
    },
  ],
  [
    'the legs were proved 251 ms apart',
    'leg_skew',
    ({ poly }) => (poly.book.feed.provedUs = NOW_US - 251_000),
  ],
]

describe('a signal', () => {
  it('comes when every gate holds', () => {
    expect(evaluate(arbitrage()).signals).toBe(1)
  })

  it.each(BREAKS)('does not come when %s', (_, reason, broken) => {
    const pair = arbitrage()
    broken({ game: pair.game, ...sides(pair) })
    expect(evaluate(pair)).toEqual({ signals: 0, reasons: [reason] })
  })

  it.each(BREAKS)('control: comes when %s and that gate is off', (_, reason, broken) => {
    const pair = arbitrage()
    broken({ game: pair.game, ...sides(pair) })
    const others = GATES.filter((gate) => gate.reason !== reason)
    expect(evaluate(pair, others).signals).toBe(1)
  })

  it('has a case for every gate', () => {
    expect(new Set(BREAKS.map(([, reason]) => reason))).toEqual(new Set(GATE_REASONS))
    expect(GATES.map(({ reason }) => reason)).toEqual([...GATE_REASONS])
  })

  it('still comes at the very edge of each allowance', () => {
    const pair = arbitrage()
    const { kalshi, poly } = sides(pair)
    kalshi.book.feed.provedUs = NOW_US - 750_000
    poly.book.feed.provedUs = NOW_US - 500_000
    poly.book.feed.heardUs = NOW_US - 600_000
    pair.game.heardUs = NOW_US - 60_000_000
    pair.game.fetchedUs = NOW_US - 60_000_000
    expect(evaluate(pair).signals).toBe(1)
    pair.game.status = 'pre'
    pair.game.fetchedUs = NOW_US - 400_000_000
    expect(evaluate(pair).signals).toBe(1)
  })

  it("counts a market's own proof as well as the feed's", () => {
    const pair = arbitrage()
    const { book } = sides(pair).kalshi
    book.feed.provedUs = -Infinity
    book.ownProvedUs = NOW_US - 100_000
    expect(evaluate(pair).signals).toBe(1)
    book.ownProvedUs = -Infinity
    expect(evaluate(pair)).toEqual({ signals: 0, reasons: ['old_quote'] })
  })
})
