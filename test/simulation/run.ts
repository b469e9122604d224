/** Runs by their seeds: the same seed and the same parts always give the same run. */

import { messageOf } from '../../src/lib/core/errors.js'
import { OURS } from './parts.js'
import type { Parts } from './parts.js'
import { Violation } from './violation.js'
import { World } from './world.js'

/** What broke: a promise, or the program. */
export interface Counterexample {
  readonly seed: number
  readonly what: string
  readonly detail: string
}

/** Undefined when the promise was kept. */
export async function runSeed(
  seed: number,
  parts: Parts = OURS,
  onTrace?: (line: string) => void,
): Promise<Counterexample | undefined> {
  try {
    await new World(seed, parts, onTrace).run()
    return undefined
  } catch (error) {
    if (error instanceof Violation) return { seed, what: error.what, detail: error.message }
    onTrace?.(error instanceof Error ? (error.stack ?? '') : '')
    return { seed, what: 'thrown', detail: messageOf(error) }
  }
}

/** Runs seeds in order until one breaks the promise. */
export async function firstCounterexample(
  from: number,
  runs: number,
  parts: Parts = OURS,
): Promise<Counterexample | undefined> {
  for (let seed = from; seed < from + runs; seed++) {
    const found = await runSeed(seed, parts)
    if (found !== undefined) return found
  }
  return undefined
}
