import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/lib/core/clock.js'
import type { PolyMarket } from '../../../src/lib/sim/market.js'
import { Settlement, type Ending } from '../../../src/lib/sim/polymarket/settlement.js'
import type { PolyTrade } from '../../../src/lib/sim/polymarket/trade.js'

const market = { pace: { secondsDelay: 1, visibleMs: 200, minedMs: 1000, confirmedMs: 2500 } } as PolyMarket

/** What becomes of the next trades, each as `<ms> <status>`, and which are taken back. */
function settle(script: readonly (readonly [Ending, number])[], count: number) {
  const due: { readonly atMs: number; readonly task: () => void }[] = []
  const takenBack: PolyTrade[] = []
  const settlement = new Settlement(
    { clock: new ManualClock(), after: (atMs, task) => due.push({ atMs, task }) },
    { takeBack: (trade) => takenBack.push(trade) },
  )
  for (const [ending, times] of script) settlement.script(ending, times)
  return Array.from({ length: count }, () => {
    const trade = { market, status: 'MATCHED', visible: false } as PolyTrade
    settlement.start(trade)
    const told = due
      .splice(0)
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, task }) => {
        task()
        return `${atMs} ${trade.visible ? trade.status : 'hidden'}`
      })
    return { told, isBack: takenBack.includes(trade) }
  })
}

describe('a match', () => {
  const mined = { told: ['200 MATCHED', '1000 MINED', '2500 CONFIRMED'], isBack: false }
  const retried = { told: ['200 MATCHED', '1000 RETRYING', '2500 MINED', '3500 CONFIRMED'], isBack: false }
  const failed = { told: ['200 MATCHED', '1000 RETRYING', '2500 FAILED'], isBack: true }
  it.each([
    ['is read, mined and confirmed', [], [mined, mined]],
    ['may be retried first', [['retried', 1]], [retried, mined]],
    ['may fail, and is taken back', [['failed', 2]], [failed, failed, mined]],
    [
      'ends as the script says, in its turn',
      [
        ['failed', 1],
        ['retried', 1],
      ],
      [failed, retried, mined],
    ],
  ] as const)('%s', (_what, script, trades) => {
    expect(settle(script, trades.length)).toEqual(trades)
  })
})
