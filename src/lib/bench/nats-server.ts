/** A `nats-server` of our own on a free loopback port, where one is on PATH; it ends when this process does. */

import { execFile, spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sleep } from '../core/backoff.js'
import { ArbeesError } from '../core/errors.js'
import { KEEPER_SCRIPT } from '../redis/keeper.js'

const BINARY = 'nats-server'
const START_MS = 5_000

export interface NatsServer {
  readonly port: number
  readonly version: string
  /** Processor time since its start, us, in steps of 10 ms; 0 where the system does not tell. */
  cpuUs(): number
  stop(): Promise<void>
}

/** `dir` takes the file in which it tells its port. Throws `NO_NATS`, saying why. */
export async function startNats(dir: string): Promise<NatsServer> {
  const version = await versionOfNats()
  const args = ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', dir]
  const keeper = spawn(process.execPath, ['-e', KEEPER_SCRIPT, BINARY, ...args], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true,
    env: { PATH: process.env['PATH'] },
  })
  const ended = new Promise<void>((done) => keeper.once('exit', () => done()))
  const stop = async () => {
    if (keeper.connected) keeper.disconnect()
    await ended
  }
  for (let waitedMs = 0; waitedMs < START_MS && keeper.exitCode === null; waitedMs += 10) {
    const told = portIn(dir)
    if (told !== undefined) return { ...told, version, cpuUs: () => cpuUsOf(told.pid), stop }
    await sleep(10)
  }
  await stop()
  throw new ArbeesError('NO_NATS', `${BINARY} ${version} did not start`)
}

async function versionOfNats(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(BINARY, ['--version'])
    return stdout.trim().replace(/^nats-server: v/, '')
  } catch {
    throw new ArbeesError('NO_NATS', `${BINARY} is not on PATH`)
  }
}

/** `nats-server_<pid>.ports`: `{"nats":["nats://127.0.0.1:4222"]}`. Undefined before it is written in full. */
function portIn(dir: string): { readonly port: number; readonly pid: number } | undefined {
  const name = readdirSync(dir).find((each) => each.endsWith('.ports'))
  const pid = /_(\d+)\.ports$/.exec(name ?? '')?.[1]
  if (name === undefined || pid === undefined) return undefined
  const port = /nats:\/\/127\.0\.0\.1:(\d+)"/.exec(readFileSync(join(dir, name), 'utf8'))?.[1]
  return port === undefined ? undefined : { port: Number(port), pid: Number(pid) }
}

/** Of Linux's clock ticks, 100 a second. */
function cpuUsOf(pid: number): number {
  try {
    // Behind the name, which may hold anything: state, then 10 fields, then user and system time.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  } catch {
    return 0
  }
}
