import { Args, Flags } from '@oclif/core'
import { BENCH_NAMES, FIGURES, runBench } from '../lib/bench/benches.js'
import type { BenchSummary } from '../lib/bench/benches.js'
import { toCsv } from '../lib/bench/csv.js'
import { MAX_PUBLISHERS } from '../lib/bench/mirror-messages.js'
import {
  assertWritable,
  compareWith,
  describeComparison,
  readBaseline,
  saveSummary,
} from '../lib/bench/saved.js'
import type { Comparison } from '../lib/bench/saved.js'
import { missedThresholds, parseThreshold } from '../lib/bench/thresholds.js'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag } from '../lib/cli/flags.js'
import { EXIT } from '../lib/core/errors.js'

type Figures = BenchSummary & { readonly baseline?: Comparison }

export default class Bench extends BaseCommand {
  static override summary = 'measure the bus, the pipeline, the mirror and the start on this machine'
  static override description = `hop: price envelopes between two processes through our publisher and subscriber, without journal, with it, and with CURVE on top, interleaved with the same over Redis pub/sub, Redis streams, NATS (where nats-server is on PATH) and two C programs over libzmq (where cc and libzmq's headers are installed).
pipeline: frames of a venue through monitor, shard and exec, three processes, until the bytes of an order are handed over, beside the same with Redis pub/sub between them.
mirror: lag from publishers with journals into a private Redis at 1,000, 10,000 and 50,000/s, the highest rate that is held, and how fast a journal is caught up with, beside an await for each message and ioredis pipelines.
refill: latency of live messages at 1,000/s, alone and while another reader pulls the journal of the same publisher.
startup: arbees --version and arbees tap --help beside a bare oclif command.
kalshi: from the bytes of a Kalshi frame to its quote on a socket, through the monitor's own parts, beside JSON.parse alone on the same frames; and an order call through exec's own gateway, signature included, beside a bare keep-alive POST to the same simulated venue, by RSA-2048 and Ed25519.
polymarket: from the bytes of a Polymarket frame to its quote on a socket, with the hash of each book of sixty levels a side checked, without hashes, and JSON.parse alone on the same frames.
shard: from the bytes of a quote to its signal on a socket, through a shard's own decoder, books, strategy and journals, with 10, 100 and 1,000 live games in turns, and with 1,000 of which ten have quotes.`
  static override examples = [
    { description: 'one hop', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'quick, as JSON',
      command: '<%= config.bin %> <%= command.id %> hop --rounds 1 --for 500ms --json',
    },
    {
      description: 'from the frame of a venue to the bytes of an order',
      command: '<%= config.bin %> <%= command.id %> pipeline',
    },
    {
      description: 'the mirror behind two publishers, three rounds',
      command: '<%= config.bin %> <%= command.id %> mirror --publishers 2 --rounds 3',
    },
    {
      description: 'what a frame and an order of Kalshi cost',
      command: '<%= config.bin %> <%= command.id %> kalshi --rounds 3 --for 1s',
    },
    {
      description: 'what a frame of Polymarket costs, its hash included',
      command: '<%= config.bin %> <%= command.id %> polymarket --rounds 3 --for 1s',
    },
    {
      description: 'what a quote costs a shard, with few games and many',
      command: '<%= config.bin %> <%= command.id %> shard --rounds 3 --for 1s',
    },
    {
      description: 'keep the figures',
      command: '<%= config.bin %> <%= command.id %> hop --save before.json',
    },
    {
      description: 'fail (exit 3) when a later run is a fifth slower',
      command: `<%= config.bin %> <%= command.id %> hop --baseline before.json --fail-if 'ratio>1.2'`,
    },
  ]
  static override args = {
    name: Args.string({ description: 'what to measure', options: [...BENCH_NAMES], default: 'hop' }),
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
    save: Flags.string({ summary: 'write the figures to a file', helpValue: '<file>' }),
    baseline: Flags.string({ summary: 'compare with figures that --save wrote', helpValue: '<file>' }),
    'fail-if': Flags.string({
      summary: "exit 3 when a figure is beyond a bound: 'p50_us>300'; 'ratio>1.2' is p50 over the baseline's",
      helpValue: '<threshold>',
      multiple: true,
    }),
    csv: Flags.boolean({ summary: 'print the cases as CSV', exclusive: ['json'] }),
  }

  async run(): Promise<{ summary: Figures } | undefined> {
    const { args, flags } = await this.parse(Bench)
    const name = BENCH_NAMES.find((each) => each === args.name) ?? 'hop'
    const baseline = flags.baseline === undefined ? undefined : readBaseline(flags.baseline, name)
    const figures = [...FIGURES[name], ...(baseline === undefined ? [] : ['ratio', 'p99_ratio'])]
    const thresholds = (flags['fail-if'] ?? []).map((text) => parseThreshold(text, figures))
    if (flags.save !== undefined) assertWritable(flags.save)
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    const table = { width: this.width, color: this.colors }
    const { rounds, for: forMs, messages, publishers } = flags
    const options = { rounds, forMs, messages, publishers, signal: stop.signal, say, table }
    const { summary: measured, text } = await runBench(name, options)
    if (flags.save !== undefined) saveSummary(flags.save, name, measured)
    const comparison = baseline === undefined ? undefined : compareWith(baseline, measured)
    const summary = comparison === undefined ? measured : { ...measured, baseline: comparison }
    if (comparison !== undefined) say(describeComparison(comparison))
    if (comparison?.same_cpu === false) say('warning: the baseline is of another processor')
    const missed = missedThresholds(thresholds, { ...measured, ...comparison })
    missed.forEach(say)
    if (missed.length > 0) process.exitCode = EXIT.UNHEALTHY
    if (measured.cases.length === 0) process.exitCode = EXIT.FAILED
    if (flags.csv) process.stdout.write(toCsv(measured.cases))
    else this.log(process.stdout.isTTY ? text : JSON.stringify({ summary }))
    return { summary }
  }
}
