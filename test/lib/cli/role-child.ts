/** A publisher as a role command, in a process of its own. */

import { resolve } from 'node:path'
import { RoleCommand } from '../../../src/lib/cli/role-command.js'
import { bindPublisher } from '../../../src/lib/roles/bind-publisher.js'

class Probe extends RoleCommand {
  async run(): Promise<void> {
    await this.runRole('kalshi', this.loadSettings({}), async (context) => {
      await bindPublisher(context, 'kalshi')
      context.ready()
    })
  }
}

await Probe.run([], resolve(import.meta.dirname, '../../..'))
