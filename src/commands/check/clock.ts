import { CheckCommand, checkFlags } from '../../lib/cli/check-command.js'
import { durationFlag } from '../../lib/cli/flags.js'
import { systemClock } from '../../lib/core/clock.js'
import type { CheckReport } from '../../lib/operator/check-report.js'

export default class CheckClock extends CheckCommand {
  static override summary = "check how far other hosts' clocks are from ours"
  static override description =
    'Of each publisher that is heard, and of Redis. Between hosts ages are told by the wall clock, with whatever skew it has. Exits 0 when all is well, 3 when something is not; with --format nagios 0, 1, 2 or 3 as that tool has it.'
  static override examples = [
    { description: 'for people', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'tighter',
      command: '<%= config.bin %> <%= command.id %> --warn 50ms --critical 250ms',
    },
  ]
  static override flags = {
    warn: durationFlag({
      summary: 'a warning from this skew on',
      default: 250,
      defaultHelp: () => Promise.resolve('250ms'),
    }),
    critical: durationFlag({
      summary: 'critical from this skew on',
      default: 1_000,
      defaultHelp: () => Promise.resolve('1s'),
    }),
    ...checkFlags,
  }

  protected override readonly subject = 'clock'

  async run(): Promise<CheckReport> {
    const { flags } = await this.parse(CheckClock)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { checkClock } = await import('../../lib/operator/check-simple.js')
    const thresholds = { warnMs: flags.warn, criticalMs: flags.critical }
    return this.tell(await checkClock(settings, systemClock, thresholds), flags.format)
  }
}
