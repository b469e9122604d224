import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag, envFlag, redisUrlFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { EXIT } from '../lib/core/errors.js'

export default class Top extends BaseCommand {
  static override summary = 'the whole deployment on one screen, live'
  static override description =
    'Roles with their rates, feeds and what Redis lacks of them; latency hop by hop of live traffic; signals, orders and dollars at risk as far as exec says; a banner while trading is halted; what is wrong. q or Ctrl-C ends it. In a pipe: one JSON object each time. Exits 3 when something was wrong at the end.'
  static override examples = [
    { description: 'a live screen', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'one frame', command: '<%= config.bin %> <%= command.id %> --once' },
    {
      description: 'a line of JSON every five seconds',
      command: '<%= config.bin %> <%= command.id %> --every 5s --json',
    },
  ]
  static override flags = {
    once: Flags.boolean({ summary: 'one frame', default: false }),
    every: durationFlag({
      summary: 'how often it looks',
      default: 1_000,
      defaultHelp: () => Promise.resolve('1s'),
    }),
    count: Flags.integer({ char: 'n', summary: 'stop after so many frames', min: 1, helpValue: '<count>' }),
    for: durationFlag({ summary: 'stop after so long' }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  private readonly stop = new AbortController()

  protected override onClosedPipe(): void {
    this.stop.abort()
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Top)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { runTop } = await import('../lib/operator/run-top.js')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => this.stop.abort())
    }
    const { stdout } = process
    const frame = await runTop({
      ...{ settings, clock: systemClock, everyMs: flags.every, signal: this.stop.signal },
      ...{ forMs: flags.for, count: flags.count, once: flags.once },
      json: this.jsonEnabled() || !stdout.isTTY,
      color: this.colors,
      terminal: stdout,
      talk: (line) => void process.stderr.write(`${line}\n`),
    })
    if (frame?.healthy !== true) process.exitCode = EXIT.UNHEALTHY
  }
}
