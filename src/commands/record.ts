import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, redisUrlFlag, streamFlags, transportFlag } from '../lib/cli/flags.js'
import { EXIT } from '../lib/core/errors.js'
import type { RecordSummary } from '../lib/operator/record.js'

export default class Record extends BaseCommand {
  static override summary = 'record the bus into compressed files'
  static override description =
    'Without holes: what was missed, by this process or since the one before it recorded into the same folder, is pulled from the publishers. Play it with: arbees replay --from-file. Exits 8 when something is missing for good, 5 when nothing was received.'
  static override examples = [
    { description: 'until Ctrl-C', command: '<%= config.bin %> <%= command.id %> tape' },
    {
      description: 'ten minutes, in files of a minute',
      command: '<%= config.bin %> <%= command.id %> tape --for 10m --segment-time 1m --json',
    },
  ]
  static override args = {
    dir: Args.string({ description: 'folder; goes on with what is in it', required: true }),
  }
  static override flags = {
    'segment-size': Flags.string({
      summary: 'compressed size of a file, about',
      helpValue: '<size>',
      env: 'ARBEES_RECORD__SEGMENT',
    }),
    'segment-time': Flags.string({
      summary: 'close a file after so long',
      helpValue: '<duration>',
      env: 'ARBEES_RECORD__SEGMENT_TIME',
    }),
    retain: Flags.string({
      summary: 'kept of the recording, about',
      helpValue: '<size>',
      env: 'ARBEES_RECORD__RETAIN',
    }),
    ...streamFlags,
    env: envFlag,
    transport: transportFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<RecordSummary> {
    const { args, flags } = await this.parse(Record)
    const { settings } = this.loadSettings(
      {
        config: flags.config,
        data_dir: flags['data-dir'],
        env: flags.env,
        transport: flags.transport,
        redis_url: flags['redis-url'],
        'record.segment': flags['segment-size'],
        'record.segment_time': flags['segment-time'],
        'record.retain': flags.retain,
      },
      { live: true },
    )
    const { runRecord } = await import('../lib/operator/record.js')
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
    const summary = await runRecord({
      settings,
      dir: args.dir,
      count: flags.count,
      forMs: flags.for,
      idleMs: flags.idle,
      signal: stop.signal,
      talk: (line) => void process.stderr.write(`${line}\n`),
    })
    if (summary.gaps > 0 || summary.refused > 0) process.exitCode = EXIT.INTEGRITY
    else if (summary.messages === 0) process.exitCode = EXIT.TIMEOUT
    return summary
  }

  /** Its stdout carries the summary alone: a closed one must not end it before its files are closed. */
  protected override onClosedPipe(): void {
    // What it says goes nowhere from here on.
  }
}
