import { BaseCommand } from '../../lib/cli/base-command.js'
import { keysDirFlag } from '../../lib/cli/flags.js'
import type { KeysReport } from '../../lib/operator/keys.js'

export default class KeysShow extends BaseCommand {
  static override summary = 'show public keys, their fingerprints and who is allowed'
  static override description = 'Never prints a secret.'
  static override examples = [
    { description: 'a table', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --json' },
  ]
  static override flags = { 'keys-dir': keysDirFlag }

  async run(): Promise<KeysReport> {
    const { flags } = await this.parse(KeysShow)
    const { settings } = this.loadSettings({
      config: flags.config,
      data_dir: flags['data-dir'],
      keys_dir: flags['keys-dir'],
    })
    const { showKeys } = await import('../../lib/operator/keys.js')
    const { nextSteps, renderKeys } = await import('../../lib/operator/keys-view.js')
    const report = showKeys(settings)
    const { stdout } = process
    if (stdout.isTTY) this.log(renderKeys(report, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(report))
    if (!report.in_force) for (const line of nextSteps(report)) process.stderr.write(`${line}\n`)
    return report
  }
}
