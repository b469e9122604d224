import { epochFloorFlag, redisPublishFlag } from '../../lib/cli/flags.js'
import { RoleCommand, roleFlags, roleSettings } from '../../lib/cli/role-command.js'

export default class MonitorPolymarket extends RoleCommand {
  static override summary = "follow Polymarket's books and publish quotes"
  static override description =
    'Publishes orderbook.poly.<condition id> and prices.poly.<condition id>. Market data need no key.'
  static override examples = [
    { description: 'against the simulator', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'against production', command: '<%= config.bin %> <%= command.id %> --env prod' },
  ]
  static override flags = {
    ...roleFlags,
    'redis-publish': redisPublishFlag,
    'epoch-floor': epochFloorFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(MonitorPolymarket)
    const { runMonitor } = await import('../../lib/roles/monitor.js')
    const loaded = this.loadSettings({
      ...roleSettings(flags),
      redis_publish: flags['redis-publish'],
      epoch_floor: flags['epoch-floor'],
    })
    await this.runRole('poly', loaded, (context) => runMonitor(context, 'poly'))
  }
}
