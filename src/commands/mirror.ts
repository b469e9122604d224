import { RoleCommand, roleFlags, roleSettings } from '../lib/cli/role-command.js'

export default class MirrorCommand extends RoleCommand {
  static override summary = 'copy everything on the bus into Redis'
  static override description =
    'The only writer of Redis streams. Each stream is an unbroken window of what was published, ending at its checkpoint; what is missing is recorded in arbees:gaps. Without Redis it keeps trying and holds back what comes.'
  static override examples = [
    { description: 'the local Redis', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'another Redis, real data',
      command: '<%= config.bin %> <%= command.id %> --env prod --redis-url redis://10.0.0.5:6379',
    },
  ]
  static override flags = roleFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(MirrorCommand)
    const { runMirror } = await import('../lib/roles/mirror.js')
    await this.runRole('mirror', this.loadSettings(roleSettings(flags)), (context) => runMirror(context))
  }
}
