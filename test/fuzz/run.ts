/** Runs every target: nothing may throw, everything must be accounted for, and each socket must work afterwards. */

import { Prng } from '../../src/lib/sim/prng.js'
import { connectorTargets } from './connector-target.js'
import { listenerTargets } from './listener-target.js'
import { recoveryClientTarget } from './recovery-client-target.js'
import { recoveryServerTarget } from './recovery-server-target.js'
import { subscriberTargets } from './subscriber-target.js'
import { accountedFor } from './target.js'
import type { FuzzResult, FuzzTarget } from './target.js'

export const TARGETS: readonly FuzzTarget[] = [
  ...subscriberTargets,
  recoveryServerTarget,
  recoveryClientTarget,
  ...listenerTargets,
  ...connectorTargets,
]

export interface FuzzReport extends FuzzResult {
  readonly target: string
  readonly unit: string
  readonly seed: number
  readonly accounted: boolean
  readonly ms: number
}

export const passed = ({ accounted, worksAfter }: FuzzReport): boolean => accounted && worksAfter

/** `runs` units on each target. */
export async function fuzz(
  targets: readonly FuzzTarget[],
  runs: number,
  seed: number,
  progress: (target: FuzzTarget, done: number, of: number) => void,
): Promise<FuzzReport[]> {
  const reports: FuzzReport[] = []
  for (const target of targets) {
    const began = performance.now()
    const result = await target.run(runs, new Prng(seed, target.name), (done) => progress(target, done, runs))
    const ms = Math.round(performance.now() - began)
    reports.push({
      target: target.name,
      unit: target.unit,
      seed,
      accounted: accountedFor(result),
      ms,
      ...result,
    })
  }
  return reports
}
