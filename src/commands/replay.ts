import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, instantFlag, redisUrlFlag, speedFlag, streamFlags } from '../lib/cli/flags.js'
import { EXIT } from '../lib/core/errors.js'
import type { ReplayTo, RunReplaySummary } from '../lib/operator/run-replay.js'

/** After a request to stop. */
const STUCK_MS = 1_000

export default class Replay extends BaseCommand {
  static override summary = 'play again what crossed the bus'
  static override description =
    'Oldest first, in its own time unless --speed says otherwise. In a pipe each line is an envelope, byte for byte as it was published, or a gap: {"gap": …}; on a terminal lines are tap\'s. Exits 8 when something is missing or was left out, 5 when there was nothing.'
  static override examples = [
    {
      description: 'everything in Redis, all streams merged by time',
      command: '<%= config.bin %> <%= command.id %> --from-redis',
    },
    {
      description: 'the last thousand Kalshi prices at once',
      command: '<%= config.bin %> <%= command.id %> --from-redis prices:kalshi --last 1000 --speed max',
    },
    {
      description: 'five minutes of last night from the journals, ten times as fast',
      command:
        '<%= config.bin %> <%= command.id %> --from-journal --since 2026-01-27T20:10:00 --until 2026-01-27T20:15:00 --speed 10',
    },
    {
      description: 'a recording onto the bus; see it with: arbees tap replay.monday.',
      command: '<%= config.bin %> <%= command.id %> --from-file /var/lib/arbees/tape --to-bus --run monday',
    },
  ]
  static override strict = false
  static override args = {
    what: Args.string({
      description:
        'with --from-redis streams (prices:kalshi); with --from-journal a source or a folder; all when none is given',
    }),
  }
  static override flags = {
    'from-redis': Flags.boolean({
      summary: 'what the mirror wrote',
      exactlyOne: ['from-redis', 'from-journal', 'from-file'],
    }),
    'from-journal': Flags.boolean({ summary: "what the publishers' journals hold" }),
    'from-file': Flags.string({
      summary: 'a folder of arbees record, or a file of --to-file',
      helpValue: '<path>',
    }),
    since: instantFlag({ summary: 'not older: how long ago, a time (UTC), or Unix ms' }),
    until: instantFlag({ summary: 'not younger' }),
    'start-id': Flags.string({
      summary: 'first entry of each stream',
      helpValue: '<id>',
      dependsOn: ['from-redis'],
      exclusive: ['last'],
    }),
    last: Flags.integer({ summary: 'the last so many of it', min: 1, helpValue: '<count>' }),
    speed: speedFlag({ summary: 'so many times as fast as it was, or max', exclusive: ['follow'] }),
    step: Flags.boolean({ summary: 'one message a key press; q ends it', exclusive: ['speed', 'follow'] }),
    follow: Flags.boolean({
      summary: 'the past at once, then what happens now, without a seam',
      exclusive: ['until', 'from-file'],
    }),
    'to-file': Flags.string({ summary: 'into a compressed file instead', helpValue: '<file>' }),
    'to-bus': Flags.boolean({
      summary: 'onto the bus instead, below replay.<run>.',
      exclusive: ['to-file'],
    }),
    run: Flags.string({ summary: 'name of the replay; made up when not given', dependsOn: ['to-bus'] }),
    ...streamFlags,
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  private readonly stop = new AbortController()

  /** Nobody reads any more: end at once, with the summary. */
  protected override onClosedPipe(): void {
    this.stop.abort()
  }

  async run(): Promise<RunReplaySummary | undefined> {
    const { argv, flags } = await this.parse(Replay)
    const loaded = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { runReplay } = await import('../lib/operator/run-replay.js')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => this.stop.abort())
    }
    const file = flags['from-file']
    const summary = await runReplay({
      loaded,
      from: {
        kind: flags['from-redis'] ? 'redis' : flags['from-journal'] ? 'journal' : 'file',
        names: [...(file === undefined ? [] : [file]), ...argv.map(String)],
        startId: flags['start-id'],
        sinceMs: flags.since,
        untilMs: flags.until,
        last: flags.last,
        follow: flags.follow,
      },
      to: this.readTarget(flags),
      speed: flags.speed ?? 1,
      step: flags.step,
      count: flags.count,
      forMs: flags.for,
      idleMs: flags.idle,
      signal: this.stop.signal,
      talk: (line) => void process.stderr.write(`${line}\n`),
    })
    // A reader that does not read holds up what is left for it, and this process with it.
    if (this.stop.signal.aborted) setTimeout(() => process.exit(), STUCK_MS).unref()
    if (summary.gaps > 0 || summary.refused > 0) process.exitCode = EXIT.INTEGRITY
    else if (summary.messages === 0) process.exitCode = EXIT.TIMEOUT
    // Where stdout is the replay itself, the summary is on stderr alone.
    return summary.to === 'stdout' ? undefined : summary
  }

  private readTarget(flags: {
    readonly 'to-file': string | undefined
    readonly 'to-bus': boolean
    readonly run: string | undefined
  }): ReplayTo {
    if (flags['to-bus']) return { kind: 'bus', run: flags.run }
    const path = flags['to-file']
    if (path !== undefined) return { kind: 'file', path }
    return { kind: 'stdout', isJson: this.jsonEnabled(), color: this.colors }
  }
}
