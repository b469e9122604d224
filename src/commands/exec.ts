import { epochFloorFlag, transportFlag } from '../lib/cli/flags.js'
import { RoleCommand, roleFlags, roleSettings } from '../lib/cli/role-command.js'

export default class Exec extends RoleCommand {
  static override summary = 'turn signals into orders, within limits, each at most once'
  static override description =
    'Publishes orders.<venue>.<id> and trades.<status>.<id>. On sim data it trades against the simulator, with the keys that the simulator writes to <data dir>/account (or those that kalshi.trading_credentials_file and polymarket.credentials_file name); on demo and prod data on paper only, which takes no key: a trading key that is set there is refused. Every intent is on disk, in <data dir>/ledger.<env>.<mode>.db, before its order is sent; a file <data dir>/halt stops entries.'
  static override examples = [
    { description: 'against the simulator', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'on paper, with production data',
      command: '<%= config.bin %> <%= command.id %> --env prod',
    },
    {
      description: 'with smaller limits',
      command: 'ARBEES_LIMITS__ORDER_USD=20 ARBEES_LIMITS__TOTAL_USD=100 <%= config.bin %> <%= command.id %>',
    },
    {
      description: 'moved back to Redis',
      command: '<%= config.bin %> <%= command.id %> --transport redis',
    },
  ]
  static override flags = { ...roleFlags, transport: transportFlag, 'epoch-floor': epochFloorFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(Exec)
    const { runExec } = await import('../lib/roles/exec.js')
    const loaded = this.loadSettings({
      ...roleSettings(flags),
      transport: flags.transport,
      epoch_floor: flags['epoch-floor'],
    })
    await this.runRole('exec', loaded, (context) => runExec(context))
  }
}
