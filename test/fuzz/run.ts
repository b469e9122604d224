/** Runs every target: nothing may throw, what a socket counts must be right, and each must work afterwards. */

import { Prng } from '../../src/lib/sim/prng.js'
import { connectorTargets } from './connector-target.js'
import { listenerTargets } from './listener-target.js'
import { recoveryClientTarget } from './recovery-client-target.js'
import { recoveryServerTarget } from './recovery-server-target.js'
import { subscriberTargets } from './subscriber-target.js'
import { faultsOf } from './target.js'
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
  /** Empty when it passed. */
  readonly faults: readonly string[]
  readonly ms: number
}

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
    const faults = faultsOf(result)
    reports.push({ target: target.name, unit: target.unit, seed, faults, ms, ...result })
  }
  return reports
}
