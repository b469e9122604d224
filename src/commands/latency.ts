import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag, envFlag, redisUrlFlag, streamFlags } from '../lib/cli/flags.js'
import type { LatencyReport } from '../lib/operator/latency-report.js'

export default class Latency extends BaseCommand {
  static override summary = 'measure latency hop by hop, on live traffic or by asking'
  static override description = `Listens, and takes each hop from the stamps in the messages: venue_monitor, frame_to_quote, monitor_shard, decision, shard_exec, exec_venue, tick_to_order, and mirror_lag from checkpoints in Redis. Ctrl-C prints the whole run.
With --probe it asks instead: PING on the recovery socket of each publisher, 100 a second, each counted from when it was due.
On a terminal: tables. In a pipe: one JSON object. Exits 3 when an --assert is missed, 5 when nothing was received.`
  static override examples = [
    { description: 'every hop, until Ctrl-C', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'a picture of ten seconds',
      command: '<%= config.bin %> <%= command.id %> --for 10s --dist',
    },
    {
      description: 'fail unless it is fast',
      command:
        "<%= config.bin %> <%= command.id %> --for 10s --assert 'monitor_shard.p99<1ms' --assert 'decision.n>0' --json",
    },
    {
      description: 'against an earlier run',
      command: '<%= config.bin %> <%= command.id %> --for 10s --compare before.json',
    },
    {
      description: 'publishers, Redis and the bare machine, asked',
      command: '<%= config.bin %> <%= command.id %> --probe --vs-redis --baseline --for 10s',
    },
  ]
  static override strict = false
  static override args = {
    prefix: Args.string({
      description:
        'topic prefixes, each ending in a dot: what is read is measured; every family when none is given',
    }),
  }
  static override flags = {
    ...streamFlags,
    by: Flags.string({
      summary: 'what a row is of; hops, and with --probe roles, when not given',
      options: ['hop', 'topic', 'role'],
    }),
    history: Flags.boolean({ summary: 'a line each interval' }),
    interval: durationFlag({
      summary: 'of --history and of the screen',
      default: 1_000,
      defaultHelp: () => Promise.resolve('1s'),
    }),
    dist: Flags.boolean({ summary: 'a picture of each distribution' }),
    probe: Flags.boolean({ summary: 'ask the publishers instead of listening' }),
    'vs-redis': Flags.boolean({ summary: 'ask the publishers and Redis' }),
    baseline: Flags.boolean({
      summary: 'ask this machine: turn of the event loop, timers, bare TCP over loopback',
    }),
    assert: Flags.string({
      summary: "exit 3 unless it holds: [hop.]metric<value, as 'p99<1ms'",
      description:
        'Metrics: min, p50, p90, p99, p99.9, max, n. Without a hop: every hop between stamps of one host, but for receive and mirror_lag. What was not measured does not hold.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: '<threshold>',
    }),
    compare: Flags.string({ summary: 'beside an earlier run, from its --json', helpValue: '<file>' }),
    csv: Flags.boolean({ summary: 'comma-separated values', exclusive: ['json'] }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  private readonly stop = new AbortController()

  /** Nobody reads any more. */
  protected override onClosedPipe(): void {
    this.stop.abort()
  }

  async run(): Promise<LatencyReport> {
    const { argv, flags } = await this.parse(Latency)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { describeMachine } = await import('../lib/bench/machine.js')
    const { probeTicks } = await import('../lib/bench/probe-ticks.js')
    const { operatorKeys } = await import('../lib/operator/operator-keys.js')
    const { exitOfLatency, measureLatency } = await import('../lib/operator/run-latency.js')

    const talk = (line: string) => void process.stderr.write(`${line}\n`)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => this.stop.abort())
    }
    const { stdout } = process
    const isJson = this.jsonEnabled() || (!flags.csv && stdout.isTTY !== true)
    const report = await measureLatency({
      settings,
      keys: operatorKeys(settings, ({ publisher, problem, hint }) =>
        talk(`${publisher}: ${problem}\n  ${hint}`),
      ),
      prefixes: argv.map(String),
      grouping: flags.by as 'hop' | 'topic' | 'role' | undefined,
      probe: flags.probe,
      vsRedis: flags['vs-redis'],
      baseline: flags.baseline,
      format: flags.csv ? 'csv' : isJson ? 'json' : 'text',
      history: flags.history,
      intervalMs: flags.interval,
      dist: flags.dist,
      asserts: flags.assert ?? [],
      compare: flags.compare,
      machine: { ...describeMachine(null) },
      ticks: probeTicks,
      color: this.colors,
      terminal: stdout,
      talk,
      count: flags.count,
      forMs: flags.for,
      idleMs: flags.idle,
      signal: this.stop.signal,
    })
    process.exitCode = exitOfLatency(report)
    if (isJson) this.log(JSON.stringify(report))
    return report
  }
}
