import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, keysDirFlag, redisUrlFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { EXIT } from '../lib/core/errors.js'
import type { DoctorReport } from '../lib/operator/doctor-report.js'

export default class Doctor extends BaseCommand {
  static override summary = 'check this machine and its settings, with the line that mends each fault'
  static override description =
    'Node, a ZeroMQ round trip, the data dir and its disk, keys and credentials, whether trading is halted, each publisher (heard, or its ports free), Redis and how it is set; with --live also the venues, and how far our clock is from theirs. Exits 3 when something is broken.'
  static override examples = [
    { description: 'before the first start', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'before a day of trading: the venues too',
      command: '<%= config.bin %> <%= command.id %> --live --env prod',
    },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --json' },
  ]
  static override flags = {
    live: Flags.boolean({ summary: 'ask the venues too', default: false }),
    env: envFlag,
    'redis-url': redisUrlFlag,
    'keys-dir': keysDirFlag,
  }

  async run(): Promise<DoctorReport> {
    const { flags } = await this.parse(Doctor)
    const { settings } = this.loadSettings(
      {
        ...{ config: flags.config, data_dir: flags['data-dir'], env: flags.env },
        ...{ redis_url: flags['redis-url'], keys_dir: flags['keys-dir'] },
      },
      { live: true },
    )
    const { runDoctor } = await import('../lib/operator/doctor.js')
    const { renderDoctor } = await import('../lib/operator/doctor-view.js')
    const report = await runDoctor({ settings, clock: systemClock, live: flags.live })
    const { stdout } = process
    if (!report.healthy) process.exitCode = EXIT.UNHEALTHY
    if (stdout.isTTY) this.log(renderDoctor(report, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(report))
    return report
  }
}
