/** Every case, by family. */

import { busCases } from './bus-cases.js'
import { execCases } from './exec-cases.js'
import type { FaultCase } from './fault-case.js'
import { journalCases } from './journal-cases.js'
import { kalshiCases } from './kalshi-cases.js'
import { killCases } from './kill-cases.js'
import { mirrorCases } from './mirror-cases.js'
import { linkCases, pauseCases } from './pause-cases.js'
import { polymarketCases } from './polymarket-cases.js'
import { polymarketFeedCases } from './polymarket-feed-cases.js'
import { redisCases } from './redis-cases.js'
import { shardCases } from './shard-cases.js'

export const FAMILIES = ['bus', 'mirror', 'exec', 'shard', 'kalshi', 'polymarket'] as const

export function allCases(): FaultCase[] {
  const onStage = (['bus', 'mirror'] as const).flatMap((family) => [
    ...killCases(family),
    ...pauseCases(family),
    ...linkCases(family),
    ...journalCases(family),
    ...(family === 'bus' ? busCases() : [...mirrorCases(), ...redisCases()]),
  ])
  return [
    ...onStage,
    ...execCases(),
    ...shardCases(),
    ...kalshiCases(),
    ...polymarketCases(),
    ...polymarketFeedCases(),
  ]
}
