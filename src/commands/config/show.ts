import { Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { roleSettings } from '../../lib/cli/role-command.js'
import { envFlag, redisUrlFlag } from '../../lib/cli/flags.js'
import { ORIGIN_KINDS, originKind } from '../../lib/core/config.js'
import type { SettingRow } from '../../lib/operator/config-view.js'

export default class ConfigShow extends BaseCommand {
  static override summary = 'show every setting, its value and where it came from'
  static override description =
    'Flag, then environment, then .env, then the up.json of a running up, then the profile, then the rest of arbees.yaml, then default. --origin keeps those that came from there. Secrets are files, named here and never read; a password in a URL is masked.'
  static override examples = [
    { description: 'all of them', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'what this machine changes',
      command: '<%= config.bin %> <%= command.id %> --origin environment --origin file',
    },
    { description: 'with another file', command: '<%= config.bin %> <%= command.id %> --config prod.yaml' },
  ]
  static override flags = {
    origin: Flags.string({
      summary: 'only what came from there',
      options: ORIGIN_KINDS,
      multiple: true,
    }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<{ settings: SettingRow[] }> {
    const { flags } = await this.parse(ConfigShow)
    const loaded = this.loadSettings(roleSettings(flags), { live: true })
    const { renderSettings, settingRows } = await import('../../lib/operator/config-view.js')
    const { origin = [] } = flags
    const settings = settingRows(loaded).filter(
      (row) => origin.length === 0 || origin.includes(originKind(row.origin)),
    )
    const { stdout } = process
    if (stdout.isTTY) this.log(renderSettings(settings, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify({ settings }))
    return { settings }
  }
}
