/**
 * How long arbees takes to start, beside a bare oclif command on the same Node: the same flags, no plugins, no code. Started
 * in turns, from the spawn to the end of the process.
 */

import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../core/clock.js'
import { ArbeesError } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import { turnedOrder } from './hop.js'
import type { HopOptions } from './hop.js'
import { describeMachine } from './machine.js'
import { openScratch } from './references.js'
import { summarizeStartup } from './startup-report.js'
import type { StartupRun, StartupSummary } from './startup-report.js'

const ARBEES = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))
/** Starts of each in a round: one alone says little. */
const STARTS = 3
const COMMANDS = [['--version'], ['tap', '--help']] as const

type Options = Pick<HopOptions, 'rounds' | 'signal' | 'say'>

/** Throws `BENCH_FAILED` when a process does not start. */
export async function benchStartup(options: Options): Promise<StartupSummary> {
  const { rounds, signal, say } = options
  const lifecycle = new Lifecycle()
  try {
    const programs = { arbees: ARBEES, bare: writeBareProgram(openScratch(lifecycle)) } as const
    const cases = COMMANDS.flatMap((args) => [
      { program: 'arbees' as const, args },
      { program: 'bare' as const, args },
    ])
    // What was never read from the disk says something about the disk.
    for (const { program, args } of cases) await timeStart(programs[program], args)
    const runs: StartupRun[] = []
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      for (let start = 0; start < STARTS && !signal.aborted; start++) {
        for (const { program, args } of turnedOrder(cases, start)) {
          runs.push({ program, command: args.join(' '), round, us: await timeStart(programs[program], args) })
        }
      }
      say(`round ${round + 1}/${rounds}: ${STARTS} starts of each`)
    }
    return summarizeStartup(runs, describeMachine(null))
  } finally {
    await lifecycle.close()
  }
}

function timeStart(program: string, args: readonly string[]): Promise<number> {
  return new Promise((done, refuse) => {
    const beganUs = systemClock.monoUs()
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', refuse)
    child.once('exit', (code) => {
      if (code === 0) done(systemClock.monoUs() - beganUs)
      else refuse(new ArbeesError('BENCH_FAILED', `${program} ${args.join(' ')} exits ${String(code)}`))
    })
  })
}

/** A program of one command, with the flags that `tap` shares with every stream. */
function writeBareProgram(dir: string): string {
  const oclif = import.meta.resolve('@oclif/core')
  mkdirSync(join(dir, 'commands'))
  const program = join(dir, 'run.js')
  const manifest = {
    name: 'bare',
    version: '1.0.0',
    type: 'module',
    oclif: { bin: 'bare', dirname: 'bare', commands: './commands' },
  }
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest))
  writeFileSync(program, `import { execute } from '${oclif}'\nawait execute({ dir: import.meta.url })\n`)
  writeFileSync(
    join(dir, 'commands', 'tap.js'),
    `import { Command, Flags } from '${oclif}'
export default class Tap extends Command {
  static summary = 'nothing'
  static flags = {
    count: Flags.integer({ char: 'n', summary: 'stop after so many', min: 1 }),
    for: Flags.string({ summary: 'stop after so long' }),
    idle: Flags.string({ summary: 'stop after so long without anything' }),
    color: Flags.boolean({ summary: 'colors on a terminal', allowNo: true, default: true }),
  }
  async run() {}
}
`,
  )
  return program
}
