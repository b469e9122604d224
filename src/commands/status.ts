import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, redisUrlFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { EXIT } from '../lib/core/errors.js'
import type { StatusReport } from '../lib/operator/status-report.js'

export default class Status extends BaseCommand {
  static override summary = 'show what runs and how it is'
  static override description =
    'Listens to heartbeats for 0.7 s and asks Redis for checkpoints and gaps. Exits 3 when something is degraded or nothing runs.'
  static override examples = [
    { description: 'a table', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --json' },
    { description: 'never fail', command: '<%= config.bin %> <%= command.id %> --no-fail' },
  ]
  static override flags = {
    fail: Flags.boolean({ summary: 'exit 3 when something is degraded', allowNo: true, default: true }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<StatusReport> {
    const { flags } = await this.parse(Status)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { readStatus } = await import('../lib/operator/status.js')
    const { renderStatus } = await import('../lib/operator/status-view.js')
    const report = await readStatus({ settings, clock: systemClock })
    const { stdout } = process
    if (stdout.isTTY) this.log(renderStatus(report, { width: stdout.columns, color: this.colors }))
    else this.log(JSON.stringify(report))
    if (!report.healthy && flags.fail) process.exitCode = EXIT.UNHEALTHY
    return report
  }
}
