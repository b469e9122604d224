import { once } from 'node:events'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { envFlag, streamFlags } from '../../lib/cli/flags.js'
import { EXIT } from '../../lib/core/errors.js'

export default class JournalCat extends BaseCommand {
  static override summary = 'print the messages of a journal, oldest first'
  static override description =
    'As tap prints them: lines on a terminal, one JSON object a line in a pipe. What is missing in between is shown as a gap. Exits 8 when something is missing, 5 when there is nothing to print.'
  static override examples = [
    { description: 'everything on disk', command: '<%= config.bin %> <%= command.id %> kalshi.prices' },
    {
      description: 'ten messages of one epoch, from the 500th on',
      command:
        '<%= config.bin %> <%= command.id %> shard-0.signals --epoch 1769500000123 --from 500 --count 10 --json',
    },
  ]
  static override args = {
    source: Args.string({ description: 'source, or the folder of its journal', required: true }),
  }
  static override flags = {
    epoch: Flags.integer({ summary: 'this epoch alone', min: 1, helpValue: '<epoch>' }),
    from: Flags.integer({ summary: 'first message of the first epoch shown', min: 1, helpValue: '<seq>' }),
    count: streamFlags.count,
    env: envFlag,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JournalCat)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      { live: true },
    )
    const { catJournal } = await import('../../lib/operator/journal-cat.js')
    const { journalFolder } = await import('../../lib/operator/journal-folders.js')
    const { createJsonFormat, createPrettyFormat } = await import('../../lib/operator/tap-format.js')
    const { stdout } = process
    const isJson = this.jsonEnabled() || !stdout.isTTY
    const { messages, missing } = await catJournal({
      dir: journalFolder(settings, args.source),
      epoch: flags.epoch,
      from: flags.from,
      count: flags.count,
      format: isJson
        ? createJsonFormat({ forTerminal: stdout.isTTY })
        : createPrettyFormat({ color: this.colors, width: () => stdout.columns || Infinity }),
      out: async (line) => {
        if (!stdout.write(`${line}\n`)) await once(stdout, 'drain')
      },
    })
    if (missing > 0) process.exitCode = EXIT.INTEGRITY
    else if (messages === 0) {
      process.stderr.write('no such message is in the journal\n')
      process.exitCode = EXIT.TIMEOUT
    }
  }
}
