import { CheckCommand, checkFlags } from '../../lib/cli/check-command.js'
import { durationFlag, sizeFlag } from '../../lib/cli/flags.js'
import { systemClock } from '../../lib/core/clock.js'
import type { CheckReport } from '../../lib/operator/check-report.js'

export default class CheckLedger extends CheckCommand {
  static override summary = "check that exec's ledger is whole and written to, and what in it waits"
  static override description =
    'Looks at a copy of the ledger of --env, so exec is not disturbed: damage, rows that contradict each other, orders without an outcome, plans left unhedged, whether signals that exec takes arrive in it, and room on the disk. --warn and --critical are for the age of an order without an outcome, and of the last row while exec takes signals. Exits 0 when all is well, 3 when something is not; with --format nagios 0, 1, 2 or 3 as that tool has it.'
  static override examples = [
    { description: 'for people', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'for Nagios, with more room on the disk asked for',
      command: '<%= config.bin %> <%= command.id %> --free-warn 10GiB --free-critical 1GiB --format nagios',
    },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --json' },
  ]
  static override flags = {
    warn: durationFlag({
      summary: 'a warning from this age on',
      default: 15_000,
      defaultHelp: () => Promise.resolve('15s'),
    }),
    critical: durationFlag({
      summary: 'critical from this age on',
      default: 60_000,
      defaultHelp: () => Promise.resolve('1m'),
    }),
    'free-warn': sizeFlag({
      summary: 'a warning below this room on the disk',
      default: 1024 ** 3,
      defaultHelp: () => Promise.resolve('1GiB'),
    }),
    'free-critical': sizeFlag({
      summary: 'critical below this room on the disk',
      default: 100 * 1024 ** 2,
      defaultHelp: () => Promise.resolve('100MiB'),
    }),
    ...checkFlags,
  }

  protected override readonly subject = 'ledger'

  async run(): Promise<CheckReport> {
    const { flags } = await this.parse(CheckLedger)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { checkLedger } = await import('../../lib/operator/check-ledger.js')
    const thresholds = {
      ...{ warnMs: flags.warn, criticalMs: flags.critical },
      ...{ freeWarn: flags['free-warn'], freeCritical: flags['free-critical'] },
    }
    return this.tell(await checkLedger({ settings, clock: systemClock, thresholds }), flags.format)
  }
}
