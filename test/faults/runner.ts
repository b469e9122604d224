/** Runs those cases that want to be alone, then the others side by side, the longest first; one that throws has failed. */

import { messageOf } from '../../src/lib/core/errors.js'
import type { Programs } from './actor.js'
import type { FaultCase } from './fault-case.js'
import type { Round, Sabotage } from './stage.js'
import { NOTHING } from './tally.js'
import { lineOf } from './verdict.js'
import type { CaseLine, Outcome } from './verdict.js'

export interface RunOptions {
  readonly programs: Programs
  readonly rounds: number
  /** Cases at once. */
  readonly width: number
  readonly sabotage?: Sabotage
  readonly keep: boolean
  readonly onLine: (line: CaseLine) => void
  readonly signal: AbortSignal
}

export async function runCases(cases: readonly FaultCase[], options: RunOptions): Promise<CaseLine[]> {
  const byLength = [...cases].sort((a, b) => b.aboutMs - a.aboutMs)
  const lines: CaseLine[] = []
  let index = 0
  const work = async (waiting: FaultCase[]) => {
    for (let next = waiting.shift(); next !== undefined && !options.signal.aborted; next = waiting.shift()) {
      const line = await runCase(next, options, () => ++index)
      lines.push(line)
      options.onLine(line)
    }
  }
  await work(byLength.filter(({ alone }) => alone === true))
  const others = byLength.filter(({ alone }) => alone !== true)
  await Promise.all(Array.from({ length: options.width }, () => work(others)))
  return lines
}

async function runCase(
  { name, expected, run }: FaultCase,
  { programs, rounds, sabotage, keep, signal }: RunOptions,
  nextIndex: () => number,
): Promise<CaseLine> {
  const start = performance.now()
  const outcomes: Outcome[] = []
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    try {
      const each: Round = { programs, index: nextIndex(), sabotage, keep }
      outcomes.push(await run(each))
    } catch (error) {
      outcomes.push({ ours: NOTHING, control: NOTHING, recoveryMs: null, problems: [messageOf(error)] })
    }
  }
  return lineOf(name, outcomes, expected, performance.now() - start)
}
