import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, streamFlags } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { EXIT } from '../lib/core/errors.js'

export default class Tap extends BaseCommand {
  static override summary = 'follow messages on the bus by topic prefix'
  static override description =
    'On a terminal: time, topic, sequence, age and fields. In a pipe: one JSON object a line. Gaps are always shown. Exits 5 when nothing was received.'
  static override examples = [
    { description: 'every Kalshi price', command: '<%= config.bin %> <%= command.id %> prices.kalshi.' },
    {
      description: 'five signals as JSON',
      command: '<%= config.bin %> <%= command.id %> signals. --count 5 --json',
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
    ...streamFlags,
    format: Flags.string({
      summary: 'auto: pretty on a terminal, JSON in a pipe',
      options: ['auto', 'pretty', 'json'],
      default: 'auto',
    }),
    env: envFlag,
  }

  private readonly stop = new AbortController()

  /** Nobody reads any more: end at once, with the summary. */
  protected override onClosedPipe(): void {
    this.stop.abort()
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Tap)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      { live: true },
    )
    const { runTap } = await import('../lib/operator/tap.js')
    const { readPrefixes, replayOf } = await import('../lib/operator/prefixes.js')
    const { createJsonFormat, createPrettyFormat } = await import('../lib/operator/tap-format.js')
    const { summaryText } = await import('../lib/operator/tap-summary.js')
    const { allEndpoints, replayEndpoint } = await import('../lib/roles/wiring.js')
    const { operatorKeys } = await import('../lib/operator/operator-keys.js')

    const talk = (line: string) => void process.stderr.write(`${line}\n`)
    const { prefixes, notes } = readPrefixes(argv.map(String))
    notes.forEach(talk)
    const run = replayOf(prefixes)
    const { stdout } = process
    const json = this.jsonEnabled() || flags.format === 'json' || (flags.format === 'auto' && !stdout.isTTY)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => this.stop.abort())
    }
    const summary = await runTap({
      endpoints: run === undefined ? allEndpoints(settings) : [replayEndpoint(settings, run)],
      prefixes,
      env: run === undefined ? settings.env : 'replay',
      clock: systemClock,
      keys: operatorKeys(settings, ({ publisher, problem, hint }) =>
        talk(`${publisher}: ${problem}\n  ${hint}`),
      ),
      count: flags.count,
      forMs: flags.for,
      idleMs: flags.idle,
      signal: this.stop.signal,
      format: json
        ? createJsonFormat({ forTerminal: stdout.isTTY })
        : createPrettyFormat({
            color: this.colors,
            width: () => (stdout.isTTY && stdout.columns > 0 ? stdout.columns : Infinity),
          }),
      out: (line) => void stdout.write(`${line}\n`),
      talk,
    })
    talk(summaryText(summary))
    if (summary.messages === 0) process.exitCode = EXIT.TIMEOUT
  }
}
