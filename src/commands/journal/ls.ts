import { Args } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { envFlag } from '../../lib/cli/flags.js'
import type { JournalListing } from '../../lib/operator/journal-list.js'

export default class JournalLs extends BaseCommand {
  static override summary = 'show what the journals hold, by source and epoch'
  static override description =
    'Epochs, the first and last message on disk, bytes, files, what was published and never written, and whether the end is known. Reads no messages.'
  static override examples = [
    { description: "this host's journals", command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'journals that were copied here',
      command: '<%= config.bin %> <%= command.id %> /mnt/rescued/.arbees/journal/prod --json',
    },
  ]
  static override args = {
    dir: Args.string({
      description: 'source, or the folder of one or some; those of data_dir and env when not given',
    }),
  }
  static override flags = { env: envFlag }

  async run(): Promise<JournalListing> {
    const { args, flags } = await this.parse(JournalLs)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      { live: true },
    )
    const { listJournals } = await import('../../lib/operator/journal-list.js')
    const { journalFolder } = await import('../../lib/operator/journal-folders.js')
    const { renderListing } = await import('../../lib/operator/journal-view.js')
    const listing = listJournals(journalFolder(settings, args.dir))
    const { stdout } = process
    if (stdout.isTTY) this.log(renderListing(listing, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(listing))
    return listing
  }
}
