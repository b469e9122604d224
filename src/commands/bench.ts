import { Args, Flags } from '@oclif/core'
import type { HopOptions } from '../lib/bench/hop.js'
import type { HopSummary } from '../lib/bench/hop-report.js'
import { MAX_PUBLISHERS } from '../lib/bench/mirror-messages.js'
import type { MirrorOptions } from '../lib/bench/mirror.js'
import type { MirrorSummary } from '../lib/bench/mirror-report.js'
import type { RefillOptions } from '../lib/bench/refill.js'
import type { RefillSummary } from '../lib/bench/refill-report.js'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag } from '../lib/cli/flags.js'
import { EXIT } from '../lib/core/errors.js'

type Figures = HopSummary | RefillSummary | MirrorSummary

interface Result<Summary> {
  readonly summary: Summary
  readonly text: string
}

export default class Bench extends BaseCommand {
  static override summary = 'measure the bus and the mirror on this machine'
  static override description = `hop: price envelopes between two processes through our publisher and subscriber, without journal, with it, and with CURVE on top, interleaved with the same over Redis pub/sub on a private Redis.
refill: latency of live messages at 1,000/s, alone and while another reader pulls the journal of the same publisher.
mirror: lag from publishers with journals into a private Redis at 1,000, 10,000 and 50,000/s, the highest rate that is held, and how fast a journal is caught up with, beside an await for each message and ioredis pipelines.`
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
    {
      description: 'the mirror behind two publishers, three rounds',
      command: '<%= config.bin %> <%= command.id %> mirror --publishers 2 --rounds 3',
    },
  ]
  static override args = {
    name: Args.string({
      description: 'what to measure',
      options: ['hop', 'refill', 'mirror'],
      default: 'hop',
    }),
  }
  static override flags = {
    rounds: Flags.integer({ summary: 'how often each case is measured', min: 1, default: 5 }),
    for: durationFlag({
      summary: 'measured part of each case',
      default: 2000,
      defaultHelp: () => Promise.resolve('2s'),
    }),
    messages: Flags.integer({
      summary: 'refill, mirror: how many are in the journal',
      description: '[default: 1000000 for refill, 300000 for mirror]',
      min: 1000,
      max: 1_000_000,
      helpValue: '<count>',
    }),
    publishers: Flags.integer({
      summary: 'mirror: publishing processes',
      min: 1,
      max: MAX_PUBLISHERS,
      default: 1,
      helpValue: '<count>',
    }),
  }

  async run(): Promise<{ summary: Figures } | undefined> {
    const { args, flags } = await this.parse(Bench)
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    const { rounds, for: forMs, messages, publishers } = flags
    const options = { rounds, forMs, signal: stop.signal, say }
    const { summary, text } =
      args.name === 'refill'
        ? await this.refill({ ...options, journaled: messages ?? 1_000_000 })
        : args.name === 'mirror'
          ? await this.mirror({ ...options, journaled: messages ?? 300_000, publishers })
          : await this.hop(options)
    if (summary.cases.length === 0) process.exitCode = EXIT.FAILED
    this.log(process.stdout.isTTY ? text : JSON.stringify({ summary }))
    return { summary }
  }

  private async hop(options: Omit<HopOptions, 'rates'>): Promise<Result<HopSummary>> {
    const { benchHop } = await import('../lib/bench/hop.js')
    const { hopWarnings, renderHop } = await import('../lib/bench/hop-report.js')
    const summary = await benchHop({ ...options, rates: [1_000, 10_000] })
    hopWarnings(summary).forEach((warning) => options.say(`warning: ${warning}`))
    return { summary, text: renderHop(summary, this.table) }
  }

  private async refill(options: Omit<RefillOptions, 'rate'>): Promise<Result<RefillSummary>> {
    const { benchRefill } = await import('../lib/bench/refill.js')
    const { renderRefill } = await import('../lib/bench/refill-report.js')
    const summary = await benchRefill({ ...options, rate: 1_000 })
    return { summary, text: renderRefill(summary, this.table) }
  }

  private async mirror(options: Omit<MirrorOptions, 'rates'>): Promise<Result<MirrorSummary>> {
    const { benchMirror } = await import('../lib/bench/mirror.js')
    const { mirrorWarnings, renderMirror } = await import('../lib/bench/mirror-table.js')
    const summary = await benchMirror({ ...options, rates: [1_000, 10_000, 50_000] })
    mirrorWarnings(summary).forEach((warning) => options.say(`warning: ${warning}`))
    return { summary, text: renderMirror(summary, this.table) }
  }

  private get table() {
    return { width: process.stdout.columns ?? 100, color: this.colors }
  }
}
