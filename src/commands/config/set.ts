import { Args } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { readConfigFile } from '../../lib/core/config-file.js'
import { messageOf } from '../../lib/core/errors.js'
import type { ConfigChange } from '../../lib/operator/config-write.js'

export default class ConfigSet extends BaseCommand {
  static override summary = 'set one value in the settings file'
  static override description =
    'Keeps comments and the rest of the file, and checks all of it before it is replaced in one step. With --profile the value goes into that profile. Running roles keep the settings that they were started with; what comes before the value is said on stderr.'
  static override examples = [
    { description: 'a limit', command: '<%= config.bin %> <%= command.id %> limits.order_usd 50' },
    { description: 'in a profile', command: '<%= config.bin %> <%= command.id %> env prod --profile prod' },
    { description: 'a list', command: '<%= config.bin %> <%= command.id %> leagues nba,nhl' },
    {
      description: 'a password, from a file instead of the command line',
      command: '<%= config.bin %> <%= command.id %> redis_url - < redis-url.txt',
    },
  ]
  static override args = {
    key: Args.string({ description: 'a setting, as config show names it', required: true }),
    value: Args.string({ description: 'its value; - reads it from stdin', required: true }),
  }

  async run(): Promise<{ file: string; key: string; profile: string | null }> {
    const { args, flags } = await this.parse(ConfigSet)
    const { readChange, setConfig } = await import('../../lib/operator/config-write.js')
    const isTyped = args.value !== '-'
    const { path: file, profile } = this.configPlace(flags.config)
    const value = isTyped ? args.value : await readInput()
    const change = readChange(args.key, value, { profile, isTyped })
    await setConfig(file, change)
    const shadow = await this.shadow(file, change, flags.config)
    if (shadow !== undefined) process.stderr.write(`${change.key} is set, but not in force: ${shadow}\n`)
    const result = { file, key: change.key, profile: profile ?? null }
    if (process.stdout.isTTY)
      this.log(`${file}: ${change.key} is set${profile === undefined ? '' : ` in profile ${profile}`}`)
    else this.log(JSON.stringify(result))
    return result
  }

  /** Why the value is not in force, as far as it can be told. */
  private async shadow(
    file: string,
    change: ConfigChange,
    config: string | undefined,
  ): Promise<string | undefined> {
    const { shadowOf } = await import('../../lib/operator/config-shadow.js')
    try {
      const { origins } = this.loadSettings({ config }, { live: true })
      return shadowOf(change, origins[change.key], readConfigFile(file))
    } catch (error) {
      return `no command takes these settings: ${messageOf(error)}`
    }
  }
}

async function readInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) text += String(chunk)
  return text.trim()
}
