/**
 * `npm run faults | soak | simulate | fuzz | properties | demo | … -- [flags]`: sets up, then runs `test/<suite>/main.ts` from its sources.
 * These are the long runs; `npm test` has a short one of each.
 */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setUp } from './setup.mjs'

const [suite, ...args] = process.argv.slice(2)
setUp()
const loader = pathToFileURL(join(root, 'test', 'lib', 'run-typescript.mjs')).href
const child = spawn(process.execPath, ['--import', loader, join(root, 'test', suite, 'main.ts'), ...args], {
  stdio: 'inherit',
  cwd: root,
})
// A terminal signals the whole group, a supervisor this process alone: pass on what the child may not have seen.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT')
})
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
