import { BaseCommand } from '../../lib/cli/base-command.js'

export default class ConfigSchema extends BaseCommand {
  static override summary = 'print the JSON Schema of the settings file'
  static override description =
    'JSON Schema 2020-12, for editors that complete and check YAML: name the file in a first line `# yaml-language-server: $schema=arbees.schema.json`.'
  static override examples = [
    { description: 'for an editor', command: '<%= config.bin %> <%= command.id %> > arbees.schema.json' },
  ]

  async run(): Promise<Record<string, unknown>> {
    await this.parse(ConfigSchema)
    const { configSchema } = await import('../../lib/operator/config-schema.js')
    const schema = configSchema()
    this.log(process.stdout.isTTY ? JSON.stringify(schema, null, 2) : JSON.stringify(schema))
    return schema
  }
}
