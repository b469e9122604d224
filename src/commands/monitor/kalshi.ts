import { Flags } from '@oclif/core'
import { epochFloorFlag, redisPublishFlag } from '../../lib/cli/flags.js'
import { RoleCommand, roleFlags, roleSettings } from '../../lib/cli/role-command.js'

export default class MonitorKalshi extends RoleCommand {
  static override summary = "follow Kalshi's books and publish quotes"
  static override description = `Publishes orderbook.kalshi.<ticker> and prices.kalshi.<ticker>. The envs differ by URLs and key alone. Kalshi wants a signed handshake even for public data, so the monitor needs an API key, and a read-only one is enough: on sim data the simulator provides it; for demo make one at https://demo.kalshi.co, for prod at https://kalshi.com (account & security, API keys; the two share no keys). Store the key file with mode 0600 beside a JSON file {"key_id", "key_file"} of mode 0600, and name that file: kalshi.credentials_file.`
  static override examples = [
    { description: 'against the simulator', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'against production',
      command:
        'ARBEES_KALSHI__CREDENTIALS_FILE=kalshi-read.json <%= config.bin %> <%= command.id %> --env prod',
    },
    {
      description: 'over two connections: one may die unseen',
      command: '<%= config.bin %> <%= command.id %> --redundant',
    },
  ]
  static override flags = {
    ...roleFlags,
    redundant: Flags.boolean({
      summary:
        'follow over two connections, the first arrival of each change wins [env: ARBEES_KALSHI__REDUNDANT]',
      allowNo: true,
    }),
    'redis-publish': redisPublishFlag,
    'epoch-floor': epochFloorFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(MonitorKalshi)
    const { runMonitor } = await import('../../lib/roles/monitor.js')
    const loaded = this.loadSettings({
      ...roleSettings(flags),
      redis_publish: flags['redis-publish'],
      'kalshi.redundant': flags.redundant,
      epoch_floor: flags['epoch-floor'],
    })
    await this.runRole('kalshi', loaded, (context) => runMonitor(context, 'kalshi'))
  }
}
