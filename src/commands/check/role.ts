import { Args } from '@oclif/core'
import { CheckCommand, checkFlags } from '../../lib/cli/check-command.js'
import { systemClock } from '../../lib/core/clock.js'
import type { CheckReport } from '../../lib/operator/check-report.js'

export default class CheckRole extends CheckCommand {
  static override summary = 'check one role: its heartbeat, its feeds, and what it counts'
  static override description =
    'Listens for 0.7 s. Exits 0 when all is well, 3 when something is not; with --format nagios 0, 2 or 3 as that tool has it.'
  static override examples = [
    { description: 'the Kalshi monitor', command: '<%= config.bin %> <%= command.id %> kalshi' },
    {
      description: 'exec, for Nagios',
      command: '<%= config.bin %> <%= command.id %> exec --format nagios',
    },
  ]
  static override args = {
    role: Args.string({ description: 'kalshi, poly, orchestrator, shard-0, exec or mirror', required: true }),
  }
  static override flags = checkFlags

  protected override readonly subject = 'role'

  async run(): Promise<CheckReport> {
    const { args, flags } = await this.parse(CheckRole)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { checkRole } = await import('../../lib/operator/check-simple.js')
    return this.tell(await checkRole(settings, systemClock, args.role), flags.format)
  }
}
