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
  unanswered: EXIT.UNHEALTHY,
} as const

export default class Resume extends BaseCommand {
  static override summary = 'let trading go on after a halt'
  static override description =
    "Asks exec in its data dir; when it has answered, removes the halt file and the key in Redis and asks again, until it goes on. Works on exec's own host only, for exec of --env alone. The reason goes into the ledger. Where nobody answers nothing is changed, and it exits 3: start exec, which starts halted. Exits 7 when exec stays halted, or when another env's exec is the one that is."
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
    if (stdout.isTTY) this.log(renderSteps(report.steps, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(report))
    if (report.hint !== null) process.stderr.write(`${report.hint}\n`)
    process.exitCode = EXIT_OF[report.state]
    return report
  }
}
