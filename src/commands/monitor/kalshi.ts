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
  static override flags = roleFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(MonitorKalshi)
    const { runMonitor } = await import('../../lib/roles/monitor.js')
    await this.runRole('kalshi', this.loadSettings(roleSettings(flags)), (context) =>
      runMonitor(context, 'kalshi'),
    )
  }
}
