/** `arbees shard` in a process of its own; its settings come from the environment, as an operator gives them. */

import { loadSettings } from '../../src/lib/core/config.js'
import { createRoleContext } from '../../src/lib/roles/role.js'
import { runShard } from '../../src/lib/roles/shard.js'
import { onCommands, readConfig, tell } from './child.js'

const { index } = readConfig<{ readonly index: number }>()
const context = await createRoleContext(`shard-${index}`, loadSettings({ environment: process.env }))
onCommands(
  () => undefined,
  async () => void (await context.lifecycle.close()),
)
await runShard(context, index)
tell('ready')
