import { describe, expect, it } from 'vitest'
import type { GameMarket } from '../../../src/lib/model/game.js'
import { combinationsOf } from '../../../src/lib/strategy/combination.js'
import { ALIKE, liveGame, market, view } from './setup.js'

const NOTHING = { bids: [], asks: [] }
const SOCCER = { ...ALIKE, overtime: 'excluded', tie: 'no' } as const

/** `k:HOU` or `p:draw`, by venue and what YES pays on. */
function named(name: string, change: Partial<GameMarket> = {}): GameMarket {
  const [venue, selection = ''] = name.split(':')
  return market(venue === 'k' ? 'kalshi' : 'poly', { marketId: selection, selection, ...change })
}
const moneyline = (...names: string[]) => names.map((name) => named(name))
const threeWay = (...names: string[]) =>
  names.map((name) => named(name, { kind: 'three_way', settlement: SOCCER }))

function shown(markets: readonly GameMarket[]) {
  const { kept, worthless } = combinationsOf(
    liveGame(),
    markets.map((each) => view(each, NOTHING)),
  )
  const short = (key: string) => key.replaceAll('kalshi:', 'k:').replaceAll('poly:', 'p:')
  return {
    kept: kept.map(({ kind, key, payoutMicros }) => `${kind} ${short(key)} ${payoutMicros / 1e6}`).sort(),
    worthless: worthless.map(({ key, row }) => `${short(key)} ${row}`).sort(),
  }
}

describe('the combinations of a game', () => {
  it('are both ways across venues for each team, and both at one venue', () => {
    const both = {
      kept: [
        'cross-venue k:HOU:no+p:HOU:yes 1',
        'cross-venue k:HOU:yes+p:HOU:no 1',
        'cross-venue k:UTAH:no+p:HOU:no 1',
        'cross-venue k:UTAH:yes+p:HOU:yes 1',
        'same-venue k:HOU:no+k:UTAH:no 1',
        'same-venue k:HOU:yes+k:UTAH:yes 1',
      ],
      worthless: [],
    }
    expect(shown(moneyline('k:HOU', 'k:UTAH', 'p:HOU'))).toEqual(both)
    expect(shown(moneyline('p:HOU', 'k:UTAH', 'k:HOU'))).toEqual(both)
  })

  it('of three outcomes are each outcome across venues, and all three from either', () => {
    const { kept, worthless } = shown(threeWay('k:HOU', 'k:UTAH', 'k:draw', 'p:HOU', 'p:UTAH', 'p:draw'))
    const kinds = (kind: string) => kept.filter((each) => each.startsWith(kind))
    expect(kinds('cross-venue')).toHaveLength(6)
    expect(kinds('cross-venue')).toContain('cross-venue k:draw:yes+p:draw:no 1')
    expect(kinds('same-venue')).toEqual([])
    // All three at Kalshi, or one of them at Polymarket.
    expect(kinds('three-way')).toHaveLength(8)
    expect(kept).toContain('three-way k:HOU:yes+k:UTAH:yes+p:draw:yes 1')
    // A canceled game pays a half each.
    expect(kept).toContain('three-way k:UTAH:no+k:draw:no+p:HOU:no 1.5')
    expect(worthless).toEqual([])
  })

  it('of three legs have one at most in a market that takes no order of a single step: no other could follow it', () => {
    const withLeast = (minSizeE2: number) =>
      shown(
        threeWay('k:HOU', 'p:UTAH', 'p:draw').map((each) =>
          each.venue === 'poly' ? { ...each, minSizeE2 } : each,
        ),
      ).kept
    expect(withLeast(1)).toHaveLength(2)
    expect(withLeast(500)).toEqual([])
  })

  it('of three outcomes never take a team here for the opponents of the other there: there is the draw', () => {
    expect(shown(threeWay('k:HOU', 'p:UTAH')).kept).toEqual([])
    expect(shown([...threeWay('k:HOU'), ...moneyline('p:HOU')]).kept).toEqual([])
    expect(shown(threeWay('k:HOU', 'k:UTAH', 'p:HOU')).kept).toHaveLength(2)
  })

  it('are left out, with the end of the game at which they pay nothing', () => {
    const kalshi = named('k:HOU', { settlement: { ...ALIKE, postponed: 'stays' } })
    const poly = named('p:HOU', { settlement: { ...ALIKE, postponed: 'fair' } })
    expect(shown([kalshi, poly])).toEqual({
      kept: [],
      worthless: ['k:HOU:no+p:HOU:yes postponed', 'k:HOU:yes+p:HOU:no postponed'],
    })
  })

  it('are none of a market that pays on neither team', () => {
    expect(shown(moneyline('k:HOU', 'p:LAL'))).toEqual({
      kept: [],
      worthless: ['k:HOU:no+p:LAL:no regulation', 'k:HOU:yes+p:LAL:yes regulation'],
    })
  })
})
