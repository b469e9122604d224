import { Flags } from '@oclif/core'
import { epochFloorFlag, redisPublishFlag, transportFlag } from '../lib/cli/flags.js'
import { RoleCommand, roleFlags, roleSettings } from '../lib/cli/role-command.js'
import { ArbeesError, EXIT } from '../lib/core/errors.js'

export default class Shard extends RoleCommand {
  static override summary = 'watch both books of its games and publish signals'
  static override description =
    'Publishes signals.trade.<id>. Decides when a price arrives: only on quotes that are live, fresh and whole, after the fees of both venues.'
  static override examples = [
    { description: 'the only shard', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'the second of two',
      command: '<%= config.bin %> <%= command.id %> --index 1 --shards 2',
    },
    {
      description: 'moved back to Redis',
      command: '<%= config.bin %> <%= command.id %> --transport redis',
    },
  ]
  static override flags = {
    ...roleFlags,
    index: Flags.integer({
      summary: 'which shard this is',
      min: 0,
      max: 99,
      default: 0,
      helpValue: '<index>',
    }),
    shards: Flags.integer({
      summary: 'how many shards there are',
      min: 1,
      max: 100,
      helpValue: '<count>',
      env: 'ARBEES_SHARDS',
    }),
    transport: transportFlag,
    'redis-publish': redisPublishFlag,
    'epoch-floor': epochFloorFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Shard)
    const { index, shards } = flags
    const loaded = this.loadSettings({
      ...roleSettings(flags),
      shards,
      transport: flags.transport,
      redis_publish: flags['redis-publish'],
      epoch_floor: flags['epoch-floor'],
    })
    if (index >= loaded.settings.shards) {
      throw new ArbeesError(
        'NO_SUCH_SHARD',
        `--index ${index}, but there are ${loaded.settings.shards} shards`,
        {
          exit: EXIT.USAGE,
          hint: 'shards count from 0; say --shards or set shards',
        },
      )
    }
    const { runShard } = await import('../lib/roles/shard.js')
    await this.runRole(`shard-${index}`, loaded, (context) => runShard(context, index))
  }
}
