import { CheckCommand, checkFlags } from '../../lib/cli/check-command.js'
import type { CheckReport } from '../../lib/operator/check-report.js'

export default class CheckRedis extends CheckCommand {
  static override summary = 'check that Redis answers, takes writes and keeps them'
  static override description =
    'Exits 0 when all is well, 3 when something is not, 6 when Redis does not answer; with --format nagios 0, 1, 2 or 3 as that tool has it.'
  static override examples = [
    { description: 'for people', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'for Nagios', command: '<%= config.bin %> <%= command.id %> --format nagios' },
  ]
  static override flags = checkFlags

  protected override readonly subject = 'redis'

  async run(): Promise<CheckReport> {
    const { flags } = await this.parse(CheckRedis)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { checkRedis } = await import('../../lib/operator/check-simple.js')
    return this.tell(await checkRedis(settings), flags.format)
  }
}
