import { BaseCommand } from '../../lib/cli/base-command.js'
import { roleSettings } from '../../lib/cli/role-command.js'
import { envFlag, redisUrlFlag } from '../../lib/cli/flags.js'
import type { SettingRow } from '../../lib/operator/config-view.js'

export default class ConfigShow extends BaseCommand {
  static override summary = 'show every setting, its value and where it came from'
  static override description =
    'Flag, then environment, then the up.json of a running up, then arbees.yaml, then default. Secrets are files, named here and never read.'
  static override examples = [
    { description: 'all of them', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'with another file', command: '<%= config.bin %> <%= command.id %> --config prod.yaml' },
  ]
  static override flags = { env: envFlag, 'redis-url': redisUrlFlag }

  async run(): Promise<{ settings: SettingRow[] }> {
    const { flags } = await this.parse(ConfigShow)
    const loaded = this.loadSettings(roleSettings(flags), { live: true })
    const { renderSettings, settingRows } = await import('../../lib/operator/config-view.js')
    const settings = settingRows(loaded)
    const { stdout } = process
    if (stdout.isTTY) this.log(renderSettings(settings, { width: stdout.columns, color: this.colors }))
    else this.log(JSON.stringify({ settings }))
    return { settings }
  }
}
