/** `npm start`: sets up, then runs `arbees up`, or the arbees command given first (`npm run bench` gives `bench`). */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp()
const given = process.argv.slice(2)
const args = given[0] === 'bench' ? given : ['up', ...given]
const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), ...args], { stdio: 'inherit' })
// A terminal signals the whole group, a supervisor this process alone: pass on what the child may not have seen.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT')
})
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
