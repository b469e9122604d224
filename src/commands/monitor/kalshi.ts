import { epochFloorFlag, redisPublishFlag } from '../../lib/cli/flags.js'
import { RoleCommand, roleFlags, roleSettings } from '../../lib/cli/role-command.js'

export default class MonitorKalshi extends RoleCommand {
  static override summary = "follow Kalshi's books and publish quotes"
  static override description =
    'Publishes orderbook.kalshi.<ticker> and prices.kalshi.<ticker>. Needs a read-only API key: kalshi.credentials_file; on sim data the simulator provides one.'
  static override examples = [
    { description: 'against the simulator', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'against production',
      command:
        'ARBEES_KALSHI__CREDENTIALS_FILE=kalshi-read.json <%= config.bin %> <%= command.id %> --env prod',
    },
  ]
  static override flags = {
    ...roleFlags,
    'redis-publish': redisPublishFlag,
    'epoch-floor': epochFloorFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(MonitorKalshi)
    const { runMonitor } = await import('../../lib/roles/monitor.js')
    const loaded = this.loadSettings({
      ...roleSettings(flags),
      redis_publish: flags['redis-publish'],
      epoch_floor: flags['epoch-floor'],
    })
    await this.runRole('kalshi', loaded, (context) => runMonitor(context, 'kalshi'))
  }
}
