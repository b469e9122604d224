import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GameBoard } from '../../../src/lib/games/game-board.js'
import {
  comparePrices,
  nextRecord,
  type PriceRecord,
  type PriceSight,
} from '../../../src/lib/games/price-sanity.js'
import { ShardAssignments } from '../../../src/lib/games/shard-assignments.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'
import type { CatalogMarket } from '../../../src/lib/model/game.js'
import { game, kalshiEvent, polyMarket } from './samples.js'

const prices = (homeE4: number) => ({ homeE4, awayE4: 10_000 - homeE4 })

it.each<[number, number, PriceSight]>([
  [8000, 7900, 'fits'],
  [8000, 2000, 'disagrees'],
  [8000, 3300, 'disagrees'],
  // Far apart, and no better when swapped: not a matter of orientation.
  [9500, 6000, 'even'],
  [5100, 4900, 'even'],
  [6000, 4000, 'leans_swapped'],
  [6000, 6000, 'leans_straight'],
  // Both sides of both bounds.
  [5301, 4700, 'leans_swapped'],
  [5300, 4700, 'even'],
  [6000, 4199, 'leans_swapped'],
  [6000, 4200, 'even'],
  [5301, 5300, 'leans_straight'],
  [5300, 5300, 'even'],
])('a home team at %i and %i: %s', (one, other, verdict) => {
  expect(comparePrices(prices(one), prices(other))).toBe(verdict)
})

const NOW = Date.UTC(2025, 11, 1, 20, 0)
const KALSHI = kalshiEvent('KXNBAGAME-25DEC01HOUUTA', ['HOU', 'UTA'], '2025-12-01')
const POLY = polyMarket('nba-hou-uta-2025-12-01')

/** A board that is shown Houston's price at both venues, and how many markets it pairs. */
function boardShown() {
  const board = new GameBoard(new TeamCodeBook(), new ShardAssignments(1))
  board.setGames('nba', [game()])
  return {
    board,
    paired: (kalshiE4: number | undefined, polyE4: number | undefined): number => {
      const stated = (market: CatalogMarket, e4: number | undefined): CatalogMarket =>
        e4 === undefined ? market : { ...market, statedE4: e4 }
      const away = kalshiE4 === undefined ? undefined : 10_000 - kalshiE4
      board.addMarkets([stated(KALSHI[0]!, kalshiE4), stated(KALSHI[1]!, away), stated(POLY, polyE4)])
      board.update(NOW)
      return board.states()[0]!.markets.length
    },
  }
}

describe('a pair whose prices contradict it', () => {
  it('is refused, with its reason, whichever of the prices are stated', () => {
    const { board, paired } = boardShown()
    expect(paired(8000, 2000)).toBe(0)
    expect(new Set(board.unpaired().map(({ reason }) => reason))).toEqual(new Set(['price_disagrees']))
    const half = new GameBoard(new TeamCodeBook(), new ShardAssignments(1))
    half.setGames('nba', [game()])
    half.addMarkets([KALSHI[0]!, { ...KALSHI[1]!, statedE4: 2000 }, { ...POLY, statedE4: 2000 }])
    half.update(NOW)
    expect(half.states()[0]!.markets).toEqual([])
  })

  it('comes back once, when they clearly fit, and stays', () => {
    const { board, paired } = boardShown()
    expect(paired(8000, 2000)).toBe(0)
    expect(paired(5500, 5000)).toBe(0)
    expect(paired(undefined, undefined)).toBe(0)
    expect(paired(8000, 8000)).toBe(3)
    board.setGames('nba', [game({ status: 'live' })])
    expect(paired(8000, 2000)).toBe(3)
  })

  it('is judged once when it is first seen under way, then by no lag of a list any more', () => {
    const { board, paired } = boardShown()
    board.setGames('nba', [game({ status: 'live' })])
    expect(paired(5500, 5000)).toBe(3)
    expect(paired(8000, 2000)).toBe(3)
    const late = boardShown()
    late.board.setGames('nba', [game({ status: 'live' })])
    expect(late.paired(8000, 2000)).toBe(0)
  })

  it('is not forgotten while a venue lists the event in part', () => {
    const { board, paired } = boardShown()
    expect(paired(8000, 8000)).toBe(3)
    board.addMarkets([{ ...POLY, selection: 'XYZ' }])
    board.update(NOW)
    expect(board.states()[0]!.markets).toEqual([])
    expect(paired(8000, 2000)).toBe(3)
  })
})

describe('a pair near the middle, which prices contradict by less', () => {
  it('is refused before the start, when two listings of both venues show it; the same one again is no second', () => {
    const { board, paired } = boardShown()
    expect(paired(6000, 4000)).toBe(3)
    board.update(NOW)
    expect(board.states()[0]!.markets).toHaveLength(3)
    expect(paired(6000, 4000)).toBe(0)
    expect(new Set(board.unpaired().map(({ reason }) => reason))).toEqual(new Set(['price_disagrees']))
  })

  it('is not for two looks that do not follow one another, nor under way', () => {
    const { board, paired } = boardShown()
    expect([paired(6000, 4000), paired(6000, 5500), paired(6000, 4000)]).toEqual([3, 3, 3])
    board.setGames('nba', [game({ status: 'live' })])
    expect([paired(6000, 4000), paired(6000, 4000)]).toEqual([3, 3])
  })

  it('comes back when two listings show that it fits, and stays', () => {
    const { paired } = boardShown()
    expect([paired(6000, 4000), paired(6000, 4000)]).toEqual([3, 0])
    expect([paired(5000, 5000), paired(6000, 6000), paired(6000, 6000)]).toEqual([0, 0, 3])
    expect([paired(6000, 4000), paired(6000, 4000), paired(8000, 2000)]).toEqual([3, 3, 3])
  })
})

it('a verdict changes what is paired at most twice, whatever is seen', () => {
  const sights = fc.constantFrom<PriceSight>('fits', 'even', 'disagrees', 'leans_swapped', 'leans_straight')
  const statuses = fc.constantFrom('pre' as const, 'live' as const)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.option(sights, { nil: undefined }), statuses)), (looks) => {
      let record: PriceRecord | undefined
      let changes = 0
      for (const [sight, status] of looks) {
        const next = nextRecord(record, sight && { sight, listings: [{}, {}] }, status)
        if ((next?.verdict === 'disagrees') !== (record?.verdict === 'disagrees')) changes++
        record = next
      }
      expect(changes).toBeLessThanOrEqual(2)
    }),
  )
})
