import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, redisUrlFlag, streamFlags } from '../lib/cli/flags.js'

/** After a request to stop. */
const STUCK_MS = 1_000

export default class Tap extends BaseCommand {
  static override summary = 'follow messages on the bus by topic prefix'
  static override description =
    'On a terminal: time, topic, sequence, age and fields. In a pipe: one JSON object a line, a gap as {"gap": …}. Gaps are always shown. What nobody reads is left out beyond 4 MiB, and a mark says so; --since, --last and --from redis wait instead. Exits 5 when nothing was received, 8 when something is missing, 6 when a publisher did not give its part of a --snapshot, or Redis alone is read and does not answer.'
  static override examples = [
    { description: 'every Kalshi price', command: '<%= config.bin %> <%= command.id %> prices.kalshi.' },
    {
      description: 'five signals as JSON',
      command: '<%= config.bin %> <%= command.id %> signals. --count 5 --json',
    },
    {
      description: 'the last five minutes, then what comes',
      command: '<%= config.bin %> <%= command.id %> orders. trades. --since 5m',
    },
    {
      description: 'cheap asks, two fields of them',
      command: `<%= config.bin %> <%= command.id %> prices. --where "yes_ask < 0.4 and state = 'LIVE'" --fields topic,yes_ask`,
    },
    {
      description: 'all games as they stand',
      command: '<%= config.bin %> <%= command.id %> games. --snapshot',
    },
    {
      description: 'how much of what, and the ten busiest topics',
      command: '<%= config.bin %> <%= command.id %> --stats --top 10',
    },
    {
      description: 'who is alive, for ten seconds',
      command: '<%= config.bin %> <%= command.id %> health. --for 10s',
    },
  ]
  static override strict = false
  static override args = {
    prefix: Args.string({
      description: 'topic prefixes, each ending in a dot; every family when none is given',
    }),
  }
  static override flags = {
    exclude: Flags.string({
      char: 'I',
      summary: 'leave out topics that begin so',
      helpValue: '<prefix>',
      multiple: true,
      multipleNonGreedy: true,
    }),
    where: Flags.string({
      summary: 'only where it holds: = != < <= > >= and or not, of fields, numbers, strings in quotes, null',
      helpValue: '<condition>',
    }),
    fields: Flags.string({
      summary: 'these fields alone, of the payload, else of the envelope',
      helpValue: '<names>',
      exclusive: ['stats', 'top'],
    }),
    stats: Flags.boolean({ summary: 'rates, bytes and gaps by source instead, each second' }),
    top: Flags.integer({
      summary: 'the busiest topics instead, each second',
      helpValue: '<count>',
      min: 1,
      max: 1_000,
    }),
    since: Flags.string({
      summary: "first what was: how long ago, a time (UTC), or an entry's id; from Redis, else from journals",
      helpValue: '<time|id>',
      exclusive: ['last', 'snapshot'],
    }),
    last: Flags.integer({
      summary: 'first the last so many; from Redis, else as many of each journal',
      helpValue: '<count>',
      min: 1,
      exclusive: ['snapshot'],
    }),
    snapshot: Flags.boolean({ summary: 'the newest value of each topic, and no more without --follow' }),
    follow: Flags.boolean({ summary: 'go on behind the --snapshot', dependsOn: ['snapshot'] }),
    from: Flags.string({
      summary: 'read the bus, or Redis alone',
      options: ['zmq', 'redis'],
      default: 'zmq',
    }),
    record: Flags.string({
      summary: 'write what is shown into a file, too; play it with replay --from-file',
      helpValue: '<file>',
    }),
    ...streamFlags,
    format: Flags.string({
      summary: 'auto: pretty on a terminal, JSON in a pipe',
      options: ['auto', 'pretty', 'json'],
      default: 'auto',
    }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  private readonly stop = new AbortController()

  /** Nobody reads any more: end at once, with the summary. */
  protected override onClosedPipe(): void {
    this.stop.abort()
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Tap)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { runTapCommand } = await import('../lib/operator/run-tap.js')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => this.stop.abort())
    }
    process.exitCode = await runTapCommand({
      ...flags,
      settings,
      prefixes: argv.map(String),
      exclude: flags.exclude ?? [],
      from: flags.from === 'redis' ? 'redis' : 'zmq',
      forMs: flags.for,
      idleMs: flags.idle,
      signal: this.stop.signal,
      isJson:
        this.jsonEnabled() ||
        flags.format === 'json' ||
        (flags.format === 'auto' && process.stdout.isTTY !== true),
      color: this.colors,
    })
    // A reader that does not read holds up what is left for it, and this process with it.
    const leave = () => void setTimeout(() => process.exit(), STUCK_MS).unref()
    if (this.stop.signal.aborted) leave()
    else this.stop.signal.addEventListener('abort', leave)
  }
}
