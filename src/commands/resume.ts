import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, redisUrlFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { ArbeesError, EXIT } from '../lib/core/errors.js'
import type { ResumeReport } from '../lib/operator/resume.js'

const EXIT_OF = {
  resumed: EXIT.OK,
  not_halted: EXIT.OK,
  refused: EXIT.REFUSED,
  asked: EXIT.UNHEALTHY,
} as const

export default class Resume extends BaseCommand {
  static override summary = 'let trading go on after a halt'
  static override description =
    "Removes the halt file and the key in Redis, asks exec in its data dir to go on, and waits until it does. Works on exec's own host only. The reason goes into the ledger. Exits 7 when exec refuses because a trigger is still there, 3 when no exec runs: the next one goes on."
  static override examples = [
    {
      description: 'go on',
      command: '<%= config.bin %> <%= command.id %> --reason "fills were checked by hand"',
    },
    {
      description: "another exec's data dir",
      command: '<%= config.bin %> <%= command.id %> --data-dir /var/lib/arbees --reason checked',
    },
  ]
  static override flags = {
    reason: Flags.string({ summary: 'why it is safe, for the record', helpValue: '<text>', required: true }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<ResumeReport> {
    const { flags } = await this.parse(Resume)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    if (flags.reason.trim() === '') {
      throw new ArbeesError('NO_REASON', '--reason is empty', {
        exit: EXIT.USAGE,
        hint: 'say why it is safe to go on: it goes into the ledger',
      })
    }
    const { resumeTrading } = await import('../lib/operator/resume.js')
    const { renderSteps } = await import('../lib/operator/halt-view.js')
    const report = await resumeTrading({ settings, clock: systemClock, reason: flags.reason })
    const { stdout } = process
    if (stdout.isTTY) this.log(renderSteps(report.steps, { width: stdout.columns, color: this.colors }))
    else this.log(JSON.stringify(report))
    process.exitCode = EXIT_OF[report.state]
    return report
  }
}
