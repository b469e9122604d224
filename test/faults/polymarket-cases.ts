/**
 * A thousand orders that Polymarket takes and whose answers never come: cut, silence, a page of a proxy. Each must be
 * found by its hash and none posted twice; the control posts again, as the venue's own client does, and must double.
 */

import { unknownOutcomeDrill } from '../lib/venues/polymarket/unknown-outcome-drill.js'
import type { FaultCase } from './fault-case.js'
import { NOTHING } from './tally.js'

const ORDERS = 1_000
const NAIVE = 100

export const polymarketCases = (): FaultCase[] => [
  {
    name: 'polymarket/unknown-outcome',
    family: 'polymarket',
    aboutMs: 150_000,
    alone: true,
    expected: { control: 'must_lose', atLeastSent: ORDERS, gapped: 0 },
    run: async () => {
      const report = await unknownOutcomeDrill({
        orders: ORDERS,
        naive: NAIVE,
        parallel: 4,
        speed: 5,
        lives: 4,
      })
      const { orders, taken, found, kept, filled, reposted, legsReposted, endedMs, naiveDoubled } = report
      const problems = [...report.problems]
      if (report.doubled > 0) problems.push(`the venue took ${report.doubled} orders a second time`)
      if (kept < orders * 0.95) problems.push(`only ${kept} answers of ${orders} went astray`)
      return {
        ours: {
          ...NOTHING,
          sent: orders,
          received: found,
          lost: orders - found,
          duplicated: Math.max(reposted, legsReposted),
        },
        control: { ...NOTHING, sent: NAIVE, received: NAIVE, duplicated: naiveDoubled },
        recoveryMs: endedMs,
        problems,
        details: { answers_lost: kept, taken, filled },
      }
    },
  },
]
