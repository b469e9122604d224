import { epochFloorFlag, redisPublishFlag } from '../lib/cli/flags.js'
import { RoleCommand, roleFlags, roleSettings } from '../lib/cli/role-command.js'
import { Flags } from '@oclif/core'

export default class Orchestrator extends RoleCommand {
  static override summary = 'find games, pair them with markets, publish their state'
  static override description =
    'Publishes games.<league>.<id> on change and every 5 s, and the notices games.discovered and games.updated. Writes market:<id>:game_id to Redis when there is one.'
  static override examples = [
    { description: 'against the simulator', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'two leagues of production, games shared among two shards',
      command: '<%= config.bin %> <%= command.id %> --env prod --leagues nba,nhl --shards 2',
    },
  ]
  static override flags = {
    ...roleFlags,
    leagues: Flags.string({ summary: 'leagues to follow', helpValue: 'nba,nhl,…', env: 'ARBEES_LEAGUES' }),
    shards: Flags.integer({
      summary: 'how many shards there are',
      min: 1,
      max: 100,
      helpValue: '<count>',
      env: 'ARBEES_SHARDS',
    }),
    'redis-publish': redisPublishFlag,
    'epoch-floor': epochFloorFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Orchestrator)
    const { runOrchestrator } = await import('../lib/roles/orchestrator.js')
    const { leagues, shards } = flags
    const loaded = this.loadSettings({
      ...roleSettings(flags),
      leagues,
      shards,
      redis_publish: flags['redis-publish'],
      epoch_floor: flags['epoch-floor'],
    })
    await this.runRole('orchestrator', loaded, runOrchestrator)
  }
}
