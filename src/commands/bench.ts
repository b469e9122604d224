import { Args, Flags } from '@oclif/core'
import type { HopSummary } from '../lib/bench/hop-report.js'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag } from '../lib/cli/flags.js'
import { EXIT } from '../lib/core/errors.js'

export default class Bench extends BaseCommand {
  static override summary = 'measure the bus on this machine'
  static override description =
    'hop: price envelopes between two processes through our publisher and subscriber, interleaved with the same over Redis pub/sub on a private Redis.'
  static override examples = [
    { description: 'one hop', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'quick, as JSON',
      command: '<%= config.bin %> <%= command.id %> hop --rounds 1 --for 500ms --json',
    },
  ]
  static override args = {
    name: Args.string({ description: 'what to measure', options: ['hop'], default: 'hop' }),
  }
  static override flags = {
    rounds: Flags.integer({ summary: 'how often each case is measured', min: 1, default: 5 }),
    for: durationFlag({
      summary: 'measured part of each case',
      default: 2000,
      defaultHelp: () => Promise.resolve('2s'),
    }),
  }

  async run(): Promise<{ summary: HopSummary } | undefined> {
    const { flags } = await this.parse(Bench)
    const { benchHop } = await import('../lib/bench/hop.js')
    const { hopWarnings, renderHop } = await import('../lib/bench/hop-report.js')
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
    const say = (line: string) => void process.stderr.write(`${line}\n`)

    const summary = await benchHop({
      rounds: flags.rounds,
      forMs: flags.for,
      rates: [1_000, 10_000],
      signal: stop.signal,
      say,
    })
    hopWarnings(summary).forEach((warning) => say(`warning: ${warning}`))
    if (summary.cases.length === 0) process.exitCode = EXIT.FAILED
    const { stdout } = process
    if (stdout.isTTY) this.log(renderHop(summary, { width: stdout.columns, color: this.colors }))
    else this.log(JSON.stringify({ summary }))
    return { summary }
  }
}
