import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { envFlag } from '../../lib/cli/flags.js'
import { progressLine } from '../../lib/cli/progress-line.js'
import { EXIT } from '../../lib/core/errors.js'
import type { RerunReport } from '../../lib/roles/shard-rerun.js'

export default class JournalRerun extends BaseCommand {
  static override summary = 'decide again what a shard decided, and compare'
  static override description =
    'Takes its inputs in the order in which it took them, with the clock that it read, from <data_dir>/inputs and the journals of those it heard, which must lie in <data_dir>/journal. Publishes nothing. Exits 8 when a signal differs, or something is missing.'
  static override examples = [
    { description: 'the newest life of the only shard', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'an earlier life of the second shard, on copies',
      command:
        '<%= config.bin %> <%= command.id %> 1 --epoch 1769500000123 --data-dir /mnt/rescued/.arbees --env prod --json',
    },
  ]
  static override args = {
    shard: Args.integer({ description: 'index of the shard, 0 when not said', min: 0, max: 99 }),
  }
  static override flags = {
    epoch: Flags.integer({
      summary: 'epoch of its inputs; the newest when not said',
      min: 1,
      helpValue: '<epoch>',
    }),
    env: envFlag,
  }

  async run(): Promise<RerunReport> {
    const { args, flags } = await this.parse(JournalRerun)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      { live: true },
    )
    const { rerunShard } = await import('../../lib/roles/shard-rerun.js')
    const { renderRerun } = await import('../../lib/operator/rerun-view.js')
    const { stdout, stderr } = process
    const report = await rerunShard({
      settings,
      shard: args.shard ?? 0,
      epoch: flags.epoch,
      onProgress: progressLine(stderr, 'of its turns'),
    })
    if (stdout.isTTY) this.log(renderRerun(report, this.colors))
    else this.log(JSON.stringify(report))
    if (!report.ok) process.exitCode = EXIT.INTEGRITY
    return report
  }
}
