/**
 * Runs the built `arbees` again and again in one process: what to run comes over a
 * socket, a line each, and what was written and the exit code go back. Ends when that closes, if no command left anything
 * running.
 */

import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { execute } from '@oclif/core'

export interface Asked {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly cwd: string
  /** Interrupted once it has written something to stdout. */
  readonly interrupt?: boolean
}

export interface Answered {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

const ROOT = resolve(import.meta.dirname, '../..')
/** What `process.exit` throws instead of ending this process. */
class Exited extends Error {}

const inherited = { ...process.env }
const written = { stdout: '', stderr: '' }
let exited: number | undefined
let interrupts = false

process.exit = (code) => {
  exited ??= Number(code ?? process.exitCode ?? 0)
  throw new Exited('exit')
}
for (const name of ['stdout', 'stderr'] as const) {
  process[name].setMaxListeners(0)
  process[name].write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    done?: (error?: Error | null) => void,
  ) => {
    // What is written after an exit is written by nobody.
    if (exited === undefined)
      written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    if (name === 'stdout' && interrupts) setImmediate(() => process.emit('SIGINT'))
    const told = typeof encoding === 'function' ? encoding : done
    if (told !== undefined) process.nextTick(told)
    return true
  }
}

async function run({ argv, environment, cwd, interrupt = false }: Asked): Promise<Answered> {
  for (const name of Object.keys(process.env)) if (!(name in inherited)) delete process.env[name]
  Object.assign(process.env, inherited, environment)
  process.chdir(cwd)
  process.exitCode = 0
  exited = undefined
  interrupts = interrupt
  Object.assign(written, { stdout: '', stderr: '' })
  try {
    await execute({ dir: ROOT, args: [...argv] })
  } catch (error) {
    if (!(error instanceof Exited)) throw error
  }
  interrupts = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal)
  return { exit: exited ?? Number(process.exitCode), ...written }
}

// Not an IPC channel: a role would take who is at its other end for its supervisor.
const channel = new Socket({ fd: 3 })
for await (const line of createInterface({ input: channel })) {
  channel.write(`${JSON.stringify(await run(JSON.parse(line) as Asked))}\n`)
}
channel.end()
process.exitCode = 0
