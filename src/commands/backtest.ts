import { writeFileSync } from 'node:fs'
import { Flags } from '@oclif/core'
import type { Backtest as Result } from '../lib/backtest/backtest.js'
import type { BacktestReport } from '../lib/backtest/report.js'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, instantFlag, redisUrlFlag, speedFlag } from '../lib/cli/flags.js'
import { progressLine } from '../lib/cli/progress-line.js'
import { ArbeesError, EXIT, codeOf, messageOf } from '../lib/core/errors.js'

const ORIGINS = ['from-redis', 'from-journal', 'from-file']
/** What of the bus decisions are made of, and the signals; books before the prices that are of them. */
const STREAMS = ['orderbook:kalshi', 'orderbook:poly', 'prices:kalshi', 'prices:poly', 'games:events']
const PROGRESS_MS = 2_000

export default class Backtest extends BaseCommand {
  static override summary = 'decide again what was recorded, and what would have come of it'
  static override description =
    "Lifetimes of opportunities, and what an order would still have found by latency and threshold, after fees. Takes the shards' own inputs, in which the order and the clock of each decision are; without them journals, a recording or Redis, merged by time, and says so. --diff exits 8 when a signal is not the one that was published; 5 when there was nothing."
  static override examples = [
    { description: 'the newest life of every shard', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'is it what was published, byte for byte',
      command: '<%= config.bin %> <%= command.id %> --shard 0 --diff',
    },
    {
      description: 'the payloads of its signals, a line each',
      command: '<%= config.bin %> <%= command.id %> --signals',
    },
    {
      description: 'half a cent and two, 20 and 200 ms to the venue, at most 25 contracts',
      command:
        '<%= config.bin %> <%= command.id %> --thresholds 5000,20000 --latency 20,200 --max-size 25 --json',
    },
    {
      description: 'the last hour of what the mirror wrote',
      command: '<%= config.bin %> <%= command.id %> --from-redis --since 1h',
    },
    {
      description: 'a recording',
      command: '<%= config.bin %> <%= command.id %> --from-file /var/lib/arbees/tape --out signals.jsonl',
    },
  ]
  static override flags = {
    shard: Flags.integer({ summary: 'this shard alone', min: 0, max: 99, helpValue: '<index>' }),
    epoch: Flags.integer({
      summary: 'epoch of its inputs; the newest when not said',
      min: 1,
      helpValue: '<epoch>',
      dependsOn: ['shard'],
      exclusive: ORIGINS,
    }),
    'from-redis': Flags.boolean({ summary: 'what the mirror wrote', exclusive: ORIGINS.slice(1) }),
    'from-journal': Flags.string({
      summary: 'a folder of journals',
      helpValue: '<dir>',
      exclusive: ['from-file'],
    }),
    'from-file': Flags.string({
      summary: 'a folder of arbees record, or a file of replay --to-file',
      helpValue: '<path>',
    }),
    since: instantFlag({
      summary: 'not older: how long ago, a time (UTC), or Unix ms',
      relationships: [{ type: 'some', flags: ORIGINS }],
    }),
    until: instantFlag({ summary: 'not younger', relationships: [{ type: 'some', flags: ORIGINS }] }),
    diff: Flags.boolean({ summary: 'beside the signals that were published' }),
    signals: Flags.boolean({ summary: 'print the payloads of the signals alone, a line each' }),
    out: Flags.string({ summary: 'write these into a file', helpValue: '<file>' }),
    latency: Flags.custom<readonly number[]>({
      summary: 'from the decision to the venue, ms; several with commas',
      helpValue: '<ms>,…',
      default: [0, 50, 250, 1000],
      defaultHelp: () => Promise.resolve('0,50,250,1000'),
      parse: (text) => Promise.resolve(parseNumbers(text, 60_000)),
    })(),
    thresholds: Flags.custom<readonly number[]>({
      summary: 'least net edge per contract, micro-dollars; several with commas',
      helpValue: '<micros>,…',
      default: [2_000, 5_000, 10_000, 20_000],
      defaultHelp: () => Promise.resolve('2000,5000,10000,20000'),
      parse: (text) => Promise.resolve(parseNumbers(text, 1_000_000)),
    })(),
    'max-size': Flags.integer({
      summary: "most contracts in one plan; the shard's own when not said",
      min: 1,
      max: 1_000_000,
      helpValue: '<contracts>',
    }),
    speed: speedFlag({ summary: 'so many times as fast as it was; as fast as it goes when not said' }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  private readonly stop = new AbortController()

  async run(): Promise<BacktestReport | undefined> {
    const { flags } = await this.parse(Backtest)
    const loaded = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { backtest } = await import('../lib/backtest/backtest.js')
    const { renderBacktest } = await import('../lib/backtest/backtest-view.js')
    const { ReplayTalk } = await import('../lib/operator/replay-talk.js')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => this.stop.abort())
    }
    const { stdout, stderr } = process
    const talk = (line: string): void => void stderr.write(`${line}\n`)
    const told = new ReplayTalk(talk, () => performance.now(), PROGRESS_MS)
    const turns = progressLine(stderr, 'of the turns')
    const maxSize = flags['max-size']
    const result = await backtest({
      loaded,
      from: originOf(flags),
      ...{ shard: flags.shard, epoch: flags.epoch, diff: flags.diff },
      ...{ latenciesMs: flags.latency, minEdgesMicros: flags.thresholds },
      maxSizeE2: maxSize === undefined ? undefined : maxSize * 100,
      speed: flags.speed ?? Infinity,
      signal: this.stop.signal,
      onProgress: (progress) => {
        if (progress.kind === 'turns') turns(progress.done, progress.total)
        else told.progress(progress.tally)
      },
      onRefused: (refusal) => told.problem(refusal),
      talk,
    })
    const { report, payloads } = result
    const lines = payloads.map((text) => `${text}\n`).join('')
    if (flags.out !== undefined) writeNew(flags.out, lines)
    this.setExit(result, flags.diff)
    if (flags.signals) {
      stdout.write(lines)
      return undefined
    }
    if (stdout.isTTY) this.log(renderBacktest(report, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(report))
    return report
  }

  private setExit({ report }: Result, wantsDiff: boolean): void {
    const { read, diff, partial } = report
    const count = 'messages' in read ? read.messages : read.reduce((sum, { inputs }) => sum + inputs, 0)
    if (diff?.clean === false) process.exitCode = EXIT.INTEGRITY
    // What was asked was not found out.
    else if (partial && wantsDiff) process.exitCode = EXIT.FAILED
    else if (count === 0 && !partial) process.exitCode = EXIT.TIMEOUT
  }
}

interface OriginFlags {
  readonly 'from-redis': boolean
  readonly 'from-journal': string | undefined
  readonly 'from-file': string | undefined
  readonly since: number | undefined
  readonly until: number | undefined
  readonly diff: boolean
}

function originOf(flags: OriginFlags) {
  const times = { sinceMs: flags.since, untilMs: flags.until }
  const [dir, file] = [flags['from-journal'], flags['from-file']]
  if (dir !== undefined) return { kind: 'journal', names: [dir], ...times } as const
  if (file !== undefined) return { kind: 'file', names: [file], ...times } as const
  if (!flags['from-redis']) return undefined
  return {
    kind: 'redis',
    names: [...STREAMS, ...(flags.diff ? ['signals:trades'] : [])],
    ...times,
  } as const
}

/** Whole numbers with commas between them, in the order given, none twice. Throws `BAD_NUMBERS` (usage). */
function parseNumbers(text: string, most: number): number[] {
  const numbers = text.split(',').map((part) => (/^\d{1,9}$/.test(part.trim()) ? Number(part) : NaN))
  if (numbers.every((value) => value <= most)) return [...new Set(numbers)]
  throw new ArbeesError('BAD_NUMBERS', `not whole numbers up to ${most}: '${text}'`, {
    exit: EXIT.USAGE,
    hint: 'write them with commas between them: 0,50,250',
  })
}

/** Throws `FILE_EXISTS`, `CANNOT_WRITE` (usage). */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST'
    throw new ArbeesError(
      isThere ? 'FILE_EXISTS' : 'CANNOT_WRITE',
      isThere ? `${path} is there already` : `cannot write ${path}: ${messageOf(error)}`,
      { exit: EXIT.USAGE, hint: 'name another file', cause: error },
    )
  }
}
