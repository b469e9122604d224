import { Args, Flags } from '@oclif/core'
import type { HopOptions } from '../lib/bench/hop.js'
import type { HopSummary } from '../lib/bench/hop-report.js'
import type { RefillOptions } from '../lib/bench/refill.js'
import type { RefillSummary } from '../lib/bench/refill-report.js'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag } from '../lib/cli/flags.js'
import { EXIT } from '../lib/core/errors.js'

export default class Bench extends BaseCommand {
  static override summary = 'measure the bus on this machine'
  static override description = `hop: price envelopes between two processes through our publisher and subscriber, without journal, with it, and with CURVE on top, interleaved with the same over Redis pub/sub on a private Redis.
refill: latency of live messages at 1,000/s, alone and while another reader pulls the journal of the same publisher.`
  static override examples = [
    { description: 'one hop', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'quick, as JSON',
      command: '<%= config.bin %> <%= command.id %> hop --rounds 1 --for 500ms --json',
    },
    {
      description: 'what a mirror that catches up with a million messages costs the others',
      command: '<%= config.bin %> <%= command.id %> refill --messages 1000000',
    },
  ]
  static override args = {
    name: Args.string({ description: 'what to measure', options: ['hop', 'refill'], default: 'hop' }),
  }
  static override flags = {
    rounds: Flags.integer({ summary: 'how often each case is measured', min: 1, default: 5 }),
    for: durationFlag({
      summary: 'measured part of each case',
      default: 2000,
      defaultHelp: () => Promise.resolve('2s'),
    }),
    messages: Flags.integer({
      summary: 'refill: how many are in the journal',
      min: 1000,
      default: 1_000_000,
      helpValue: '<count>',
    }),
  }

  async run(): Promise<{ summary: HopSummary | RefillSummary } | undefined> {
    const { args, flags } = await this.parse(Bench)
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    const { rounds, for: forMs, messages: journaled } = flags
    const options = { rounds, forMs, signal: stop.signal, say }
    const { summary, text } =
      args.name === 'refill' ? await this.refill({ ...options, journaled }) : await this.hop(options)
    if (summary.cases.length === 0) process.exitCode = EXIT.FAILED
    this.log(process.stdout.isTTY ? text : JSON.stringify({ summary }))
    return { summary }
  }

  private async hop(options: Omit<HopOptions, 'rates'>): Promise<{ summary: HopSummary; text: string }> {
    const { benchHop } = await import('../lib/bench/hop.js')
    const { hopWarnings, renderHop } = await import('../lib/bench/hop-report.js')
    const summary = await benchHop({ ...options, rates: [1_000, 10_000] })
    hopWarnings(summary).forEach((warning) => options.say(`warning: ${warning}`))
    return { summary, text: renderHop(summary, this.table) }
  }

  private async refill(
    options: Omit<RefillOptions, 'rate'>,
  ): Promise<{ summary: RefillSummary; text: string }> {
    const { benchRefill } = await import('../lib/bench/refill.js')
    const { renderRefill } = await import('../lib/bench/refill-report.js')
    const summary = await benchRefill({ ...options, rate: 1_000 })
    return { summary, text: renderRefill(summary, this.table) }
  }

  private get table() {
    return { width: process.stdout.columns ?? 100, color: this.colors }
  }
}
