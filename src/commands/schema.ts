import { Args } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'

export default class Schema extends BaseCommand {
  static override summary = 'print the JSON Schema of a message'
  static override description = 'Without a name: the names, one a line.'
  static override examples = [
    { description: 'the names', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'one schema', command: '<%= config.bin %> <%= command.id %> prices' },
  ]
  static override args = {
    name: Args.string({ description: 'prices, orderbook, games, signals, orders, trades, …' }),
  }

  async run(): Promise<Record<string, unknown>> {
    const { args } = await this.parse(Schema)
    const { SCHEMA_NAMES, jsonSchemaOf } = await import('../lib/messages/schemas.js')
    if (args.name === undefined) {
      this.log(SCHEMA_NAMES.join('\n'))
      return { names: SCHEMA_NAMES }
    }
    const schema = jsonSchemaOf(args.name)
    this.log(JSON.stringify(schema, null, process.stdout.isTTY ? 2 : 0))
    return schema
  }
}
