/** A role whose cleanup never ends. */

import { resolve } from 'node:path'
import { RoleCommand } from '../../../src/lib/cli/role-command.js'

class Stuck extends RoleCommand {
  async run(): Promise<void> {
    await this.runRole('kalshi', this.loadSettings({}), (context) => {
      context.lifecycle.defer('what hangs', () => new Promise(() => undefined), 60_000)
      setInterval(() => undefined, 60_000)
      context.ready()
      return Promise.resolve()
    })
  }
}

await Stuck.run([], resolve(import.meta.dirname, '../../..'))
