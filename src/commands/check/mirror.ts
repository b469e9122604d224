import { Flags } from '@oclif/core'
import { BaseCommand, firstLines } from '../../lib/cli/base-command.js'
import { durationFlag, envFlag, redisUrlFlag } from '../../lib/cli/flags.js'
import { systemClock } from '../../lib/core/clock.js'
import { EXIT } from '../../lib/core/errors.js'
import type { MirrorCheck } from '../../lib/operator/check-mirror-report.js'

export default class CheckMirror extends BaseCommand {
  static override summary = 'check that what is published reaches Redis, and how soon'
  static override description =
    'Looks for a second: what publishers say on the bus, how far Redis moves, and whether its newest entry of each channel is what the journal of its publisher holds. Thresholds are for the oldest message that Redis does not have. Exits 0 when all is well, 3 when something is not, 6 when Redis does not answer; with --format nagios 0, 1, 2 or 3 as that tool has it.'
  static override examples = [
    { description: 'for people', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'tighter, for Nagios or a health check',
      command: '<%= config.bin %> <%= command.id %> --warn 100ms --critical 1s --format nagios',
    },
    {
      description: "for node_exporter's textfile collector",
      command: '<%= config.bin %> <%= command.id %> --format prometheus',
    },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --json' },
  ]
  static override flags = {
    warn: durationFlag({
      summary: 'a warning from this age on',
      default: 100,
      defaultHelp: () => Promise.resolve('100ms'),
    }),
    critical: durationFlag({
      summary: 'critical from this age on',
      default: 1_000,
      defaultHelp: () => Promise.resolve('1s'),
    }),
    format: Flags.string({
      summary: 'what to print',
      options: ['text', 'json', 'nagios', 'prometheus'],
      default: 'text',
    }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<MirrorCheck> {
    const { flags } = await this.parse(CheckMirror)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { checkMirror } = await import('../../lib/operator/check-mirror.js')
    const { exitOf, NAGIOS_EXIT } = await import('../../lib/operator/check-report.js')
    const report = await checkMirror({
      settings,
      clock: systemClock,
      thresholds: { warnMs: flags.warn, criticalMs: flags.critical },
    })
    process.exitCode = this.isNagios ? NAGIOS_EXIT[report.state] : exitOf(report)
    if (!this.jsonEnabled()) this.log(await this.render(report, flags.format))
    return report
  }

  /** Whoever reads the output finds there too that the check could not be made. Nagios has a code of its own for it. */
  override async catch(error: Error & { exitCode?: number }): Promise<void> {
    await super.catch(error)
    if (process.exitCode === EXIT.OK || this.jsonEnabled()) return
    const { checkFailed } = await import('../../lib/operator/check-view.js')
    const text = checkFailed('mirror', this.askedFormat, firstLines(error), process.exitCode)
    if (text !== '') process.stdout.write(`${text}\n`)
    if (this.isNagios) process.exitCode = 3
  }

  private async render(report: MirrorCheck, format: string): Promise<string> {
    const { renderNagios, renderPrometheus } = await import('../../lib/operator/check-view.js')
    const { renderMirrorCheck } = await import('../../lib/operator/check-mirror-view.js')
    const { stdout } = process
    switch (format) {
      case 'json':
        return JSON.stringify(report)
      case 'nagios':
        return renderNagios(report)
      case 'prometheus':
        return renderPrometheus(report).trimEnd()
      default:
        return renderMirrorCheck(report, {
          width: stdout.isTTY ? stdout.columns : Infinity,
          color: this.colors,
        })
    }
  }

  private get isNagios(): boolean {
    return this.askedFormat === 'nagios' && !this.jsonEnabled()
  }

  /** Asked also where the flags could not be parsed. */
  private get askedFormat(): string | undefined {
    const at = this.argv.indexOf('--format')
    const joined = this.argv.find((word) => word.startsWith('--format='))
    return joined?.slice('--format='.length) ?? (at === -1 ? undefined : this.argv[at + 1])
  }
}
