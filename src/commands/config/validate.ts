import { Args } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { EXIT } from '../../lib/core/errors.js'
import type { ConfigReport } from '../../lib/operator/config-check.js'

export default class ConfigValidate extends BaseCommand {
  static override summary = 'check a settings file, and each of its profiles'
  static override description =
    'Says all that is wrong at once, with line and column and the nearest name, and warns of limits without effect. No setting of the environment and of .env is looked at, only which file and which profile they name. Exits 4 when something is wrong, also when the profile of --profile is not in it.'
  static override examples = [
    { description: 'the file in force', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'another one, before it is put in place',
      command: '<%= config.bin %> <%= command.id %> new.yaml',
    },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --json' },
  ]
  static override args = {
    file: Args.string({ description: 'what to check; else the file of --config, else arbees.yaml' }),
  }

  async run(): Promise<ConfigReport> {
    const { args, flags } = await this.parse(ConfigValidate)
    const { renderConfigReport } = await import('../../lib/operator/config-check.js')
    const { checkConfigFile } = await import('../../lib/operator/config-host-check.js')
    const { path, profile } =
      args.file === undefined
        ? this.configPlace(flags.config)
        : { path: args.file, profile: flags.profile === '' ? undefined : flags.profile }
    const report = checkConfigFile(path, profile)
    this.log(process.stdout.isTTY ? renderConfigReport(report) : JSON.stringify(report))
    if (!report.valid) process.exitCode = EXIT.CONFIG
    return report
  }
}
