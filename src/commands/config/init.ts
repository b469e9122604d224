import { Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'

export default class ConfigInit extends BaseCommand {
  static override summary = 'write a commented settings file'
  static override description =
    'Every setting with what it is, commented out at its default, and profiles for demo and prod. Nothing changes until something is uncommented.'
  static override examples = [
    { description: 'arbees.yaml here', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'elsewhere',
      command: '<%= config.bin %> <%= command.id %> --file /etc/arbees/arbees.yaml',
    },
    { description: 'anew', command: '<%= config.bin %> <%= command.id %> --force' },
  ]
  static override flags = {
    file: Flags.string({
      summary: 'what to write; else the file of --config, else arbees.yaml',
      helpValue: '<file>',
    }),
    force: Flags.boolean({ summary: 'replace a file that is there', default: false }),
  }

  async run(): Promise<{ file: string }> {
    const { flags } = await this.parse(ConfigInit)
    const file = flags.file ?? this.configPlace(flags.config).path
    const { initConfig } = await import('../../lib/operator/config-write.js')
    await initConfig(file, flags.force)
    if (process.stdout.isTTY) this.log(`wrote ${file}; check it with: arbees config validate ${file}`)
    else this.log(JSON.stringify({ file }))
    return { file }
  }
}
