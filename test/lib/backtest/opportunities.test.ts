import { describe, expect, it } from 'vitest'
import { Opportunities } from '../../../src/lib/backtest/opportunities.js'
import type { Combination } from '../../../src/lib/strategy/combination.js'
import type { GateReason } from '../../../src/lib/strategy/gates.js'
import { arbitrage, fill, sides } from '../strategy/setup.js'

const LIMITS = { minEdgeMicros: 2_000, delayCostMicrosPerS: 0, maxSizeE2: 2_000, maxEdgeMicros: 300_000 }

/** What is offered at a time, us: nothing, a price of Kalshi's YES, or a gate that does not hold. */
type Step = readonly [atUs: number, offered: number | GateReason | undefined]

/** `began+us edge size`, with a `…` behind what the data cut. */
function lived(steps: readonly Step[], endUs: number, forgetUs?: number): string[] {
  const combination: Combination = arbitrage()
  const opportunities = new Opportunities(LIMITS)
  for (const [atUs, offered] of steps) {
    const asks = typeof offered === 'number' ? ([[offered, 5000]] as const) : []
    if (typeof offered !== 'string') fill(sides(combination).kalshi.book, { bids: [], asks })
    opportunities.judge(combination, typeof offered === 'string' ? offered : undefined, atUs)
  }
  if (forgetUs !== undefined) opportunities.forget(combination, forgetUs)
  opportunities.end(endUs)
  return opportunities.ended.map(
    ({ us, edgeMicros, sizeE2, isCut, league }) =>
      `${league} ${us} ${edgeMicros} ${sizeE2}${isCut ? '…' : ''}`,
  )
}

// 1 - 0.45 - 0.50, less 0.07 x 0.45 x 0.55 and 0.05 x 0.25; and with 0.44.
const [EDGE, MORE] = [20_175, 30_252]

describe('an opportunity', () => {
  it.each<[string, readonly Step[], readonly string[]]>([
    ['is none where nothing is offered', [[1, undefined], [9, 4900]], []],
    ['lasts from its first plan until there is none', [[10, 4500], [20, 4500], [50, 4900]], [`nba 40 ${EDGE} 2000`]],
    ['lasts until a gate closes', [[10, 4500], [70, 'old_quote'], [99, 4900]], [`nba 60 ${EDGE} 2000`]],
    ['begins anew when it opens again', [[10, 4500], [20, 'not_live'], [30, 4500], [35, 4900]], [`nba 10 ${EDGE} 2000`, `nba 5 ${EDGE} 2000`]],
    ['has the greatest edge that it had', [[10, 4500], [20, 4400], [30, 4500], [50, 4900]], [`nba 40 ${MORE} 2000`]],
    ['goes on through a change that is told in two messages', [[10, 4500], [20, 'book_seq_differs'], [21, 4500], [50, 4900]], [`nba 40 ${EDGE} 2000`]],
    ['ended with the first of them where it is gone behind the second', [[10, 4500], [20, 'book_seq_differs'], [21, 4900]], [`nba 10 ${EDGE} 2000`]],
    ['ended with the first where the second does not come', [[10, 4500], [20, 'book_seq_differs'], [60_000, 4500], [60_010, 4900]], [`nba 10 ${EDGE} 2000`, `nba 10 ${EDGE} 2000`]],
    ['that is there when the data end is cut', [[10, 4500]], [`nba 90 ${EDGE} 2000…`]],
  ])('%s', (_, steps, expected) => {
    expect(lived(steps, 100)).toEqual(expected)
  }) // prettier-ignore

  it('ends when its combination is traded no more', () => {
    expect(lived([[10, 4500]], 100, 40)).toEqual([`nba 30 ${EDGE} 2000`])
  })
})
