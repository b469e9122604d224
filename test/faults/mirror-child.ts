/** `arbees mirror` in a process of its own; its settings come from the environment, as an operator gives them. */

import { loadSettings } from '../../src/lib/core/config.js'
import { runMirror } from '../../src/lib/roles/mirror.js'
import { createRoleContext } from '../../src/lib/roles/role.js'
import { onCommands, tell } from './child.js'

const context = await createRoleContext('mirror', loadSettings({ environment: process.env }))
onCommands(
  () => undefined,
  async () => void (await context.lifecycle.close()),
)
await runMirror(context)
tell('ready')
