import { CheckCommand, checkFlags } from '../../lib/cli/check-command.js'
import { durationFlag } from '../../lib/cli/flags.js'
import { systemClock } from '../../lib/core/clock.js'
import type { MirrorCheck } from '../../lib/operator/check-mirror-report.js'

export default class CheckMirror extends CheckCommand {
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
    ...checkFlags,
  }

  protected override readonly subject = 'mirror'

  async run(): Promise<MirrorCheck> {
    const { flags } = await this.parse(CheckMirror)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { checkMirror } = await import('../../lib/operator/check-mirror.js')
    const { renderMirrorCheck } = await import('../../lib/operator/check-mirror-view.js')
    const report = await checkMirror({
      settings,
      clock: systemClock,
      thresholds: { warnMs: flags.warn, criticalMs: flags.critical },
    })
    return this.tell(report, flags.format, renderMirrorCheck)
  }
}
