import { CheckCommand, checkFlags } from '../../lib/cli/check-command.js'
import { systemClock } from '../../lib/core/clock.js'
import type { CheckReport } from '../../lib/operator/check-report.js'

export default class CheckHalt extends CheckCommand {
  static override summary = 'check whether trading is halted'
  static override description =
    'Asks exec, else the data dir. A warning where no entries are taken, after a start too until the orders of its last life are known; critical where nothing is sent at all, or the ledger cannot be written. Exits 0 when it trades, 3 when not; with --format nagios 0, 1, 2 or 3 as that tool has it.'
  static override examples = [
    { description: 'for people', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'for Nagios', command: '<%= config.bin %> <%= command.id %> --format nagios' },
  ]
  static override flags = checkFlags

  protected override readonly subject = 'halt'

  async run(): Promise<CheckReport> {
    const { flags } = await this.parse(CheckHalt)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { checkHalt } = await import('../../lib/operator/check-simple.js')
    return this.tell(await checkHalt(settings, systemClock), flags.format)
  }
}
