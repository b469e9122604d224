import { Args } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { envFlag } from '../../lib/cli/flags.js'
import { EXIT } from '../../lib/core/errors.js'
import type { Verification } from '../../lib/operator/journal-verify.js'

export default class JournalVerify extends BaseCommand {
  static override summary = 'check every message in the journals against its checksum'
  static override description =
    'Names the file and byte of everything that is damaged and the messages that it costs. Exits 8 when there is any; a write that a crash cut short was sent to nobody and is no damage.'
  static override examples = [
    { description: "this host's journals", command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'one source, as JSON',
      command: '<%= config.bin %> <%= command.id %> kalshi.prices --json',
    },
  ]
  static override args = {
    dir: Args.string({
      description: 'source, or the folder of one or some; those of data_dir and env when not given',
    }),
  }
  static override flags = { env: envFlag }

  async run(): Promise<Verification> {
    const { args, flags } = await this.parse(JournalVerify)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      { live: true },
    )
    const { verifyJournals } = await import('../../lib/operator/journal-verify.js')
    const { journalFolder } = await import('../../lib/operator/journal-folders.js')
    const { renderVerification } = await import('../../lib/operator/journal-view.js')
    const verification = verifyJournals(journalFolder(settings, args.dir))
    const { stdout } = process
    if (stdout.isTTY) {
      this.log(renderVerification(verification, { width: this.width, color: this.colors }))
    } else this.log(JSON.stringify(verification))
    if (!verification.ok) process.exitCode = EXIT.INTEGRITY
    return verification
  }
}
