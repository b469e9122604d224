import { Args } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag, envFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { EXIT } from '../lib/core/errors.js'
import type { TopicsReport } from '../lib/operator/topics.js'

export default class Topics extends BaseCommand {
  static override summary = 'the topics that there are, and how busy each is'
  static override description =
    'Listens for two seconds, and asks publishers for the newest of each topic of prices, books and games, so that those that stand still are there too. Exits 5 when there is none.'
  static override examples = [
    { description: 'all of them', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'Kalshi prices, longer',
      command: '<%= config.bin %> <%= command.id %> prices.kalshi. --for 10s',
    },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> games. --json' },
  ]
  static override strict = false
  static override args = {
    prefix: Args.string({
      description: 'topic prefixes, each ending in a dot; every family when none is given',
    }),
  }
  static override flags = {
    for: durationFlag({
      summary: 'how long it listens',
      default: 2_000,
      defaultHelp: () => Promise.resolve('2s'),
    }),
    env: envFlag,
  }

  async run(): Promise<TopicsReport> {
    const { argv, flags } = await this.parse(Topics)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      { live: true },
    )
    const { lookAtTopics } = await import('../lib/operator/topics.js')
    const { renderTopics } = await import('../lib/operator/topics-view.js')
    const { operatorKeys } = await import('../lib/operator/operator-keys.js')
    const { readPrefixes } = await import('../lib/operator/prefixes.js')
    const { allEndpoints } = await import('../lib/roles/wiring.js')
    const talk = (line: string) => void process.stderr.write(`${line}\n`)
    const { prefixes, notes } = readPrefixes(argv.map(String))
    notes.forEach(talk)
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
    const report = await lookAtTopics({
      ...{ endpoints: allEndpoints(settings), prefixes, env: settings.env, clock: systemClock },
      keys: operatorKeys(settings, ({ publisher, problem, hint }) =>
        talk(`${publisher}: ${problem}\n  ${hint}`),
      ),
      ...{ forMs: flags.for, signal: stop.signal },
    })
    const { stdout } = process
    if (report.topics.length === 0) process.exitCode = EXIT.TIMEOUT
    if (stdout.isTTY) this.log(renderTopics(report, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(report))
    return report
  }
}
