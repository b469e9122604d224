import { Args } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { envFlag, redisUrlFlag } from '../../lib/cli/flags.js'
import { EXIT } from '../../lib/core/errors.js'
import type { DrainReport } from '../../lib/operator/journal-drain.js'

export default class JournalDrain extends BaseCommand {
  static override summary = 'write the journals of a publisher that is gone for good into Redis'
  static override description =
    'What the checkpoint in Redis has not passed is written as the mirror would; drained twice it writes nothing. A journal that a live process writes is refused (exit 7): the mirror pulls from it. Drain before the replacement of the publisher starts: once Redis is in a later epoch it takes nothing of an earlier one. Exits 8 when something is missing for good.'
  static override examples = [
    {
      description: 'all that a lost host published',
      command: '<%= config.bin %> <%= command.id %> /mnt/rescued/.arbees/journal/prod --env prod',
    },
    {
      description: 'one source',
      command: '<%= config.bin %> <%= command.id %> .arbees/journal/sim/kalshi.prices',
    },
  ]
  static override args = {
    dir: Args.string({ description: 'folder of a source, or one that holds some', required: true }),
  }
  static override flags = {
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<DrainReport> {
    const { args, flags } = await this.parse(JournalDrain)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { drainJournals } = await import('../../lib/operator/journal-drain.js')
    const report = await drainJournals(settings, args.dir)
    if (process.stdout.isTTY) this.log(report.channels.map(describe).join('\n'))
    else this.log(JSON.stringify(report))
    for (const { source } of report.channels.filter((channel) => channel.too_late)) {
      process.stderr.write(`${source}: Redis is already past this journal; what it lacks stays a gap\n`)
    }
    if (report.gaps + report.too_late > 0) process.exitCode = EXIT.INTEGRITY
    return report
  }
}

function describe({ source, written, gaps, epoch, seq, end_known }: DrainReport['channels'][number]): string {
  const end = end_known ? '' : '; its machine crashed, more may have been published'
  return `${source}: ${written} written, ${gaps.length} gaps recorded, Redis is at ${epoch}/${seq}${end}`
}
