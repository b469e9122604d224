import { describe, expect, it } from 'vitest'
import { summarizeStartup } from '../../../src/lib/bench/startup-report.js'
import type { StartupRun } from '../../../src/lib/bench/startup-report.js'
import { describeMachine } from '../../../src/lib/bench/machine.js'

const run = (program: StartupRun['program'], command: string, round: number, us: number): StartupRun => ({
  program,
  command,
  round,
  us,
})

describe('the summary of starts', () => {
  it('compares round with round, and speaks of the command that is slowest beside its bare one', () => {
    const runs = [
      run('arbees', '--version', 0, 200),
      run('bare', '--version', 0, 100),
      // The machine was busy.
      run('arbees', '--version', 1, 900),
      run('bare', '--version', 1, 1_000),
      run('arbees', '--version', 2, 330),
      run('bare', '--version', 2, 300),
      run('arbees', 'tap --help', 0, 120),
      run('bare', 'tap --help', 0, 100),
    ]
    const summary = summarizeStartup(runs, describeMachine(null))
    expect(summary.cases).toMatchObject([
      // 2, 0.9 and 1.1: the medians alone would give 330/300 by chance, the means 1.02.
      { command: '--version', starts: 3, p50_us: 330, bare_p50_us: 300, ratio_to_bare: 1.1 },
      { command: 'tap --help', starts: 1, ratio_to_bare: 1.2 },
    ])
    expect(summary).toMatchObject({ p50_us: 120, max_ratio_to_bare: 1.2 })
  })

  it('is empty when it was stopped before the first start', () => {
    expect(summarizeStartup([], describeMachine(null))).toMatchObject({ p50_us: null, cases: [] })
  })
})
