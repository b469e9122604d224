/** Runs the built `arbees` in processes of its own, on ports and in a folder that nobody else uses. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from '../lib/free-port.js'

export const BINARY = resolve(import.meta.dirname, '../../bin/run.js')

export interface Place {
  readonly dir: string
  readonly environment: Readonly<Record<string, string>>
  /** Ports by what listens there: `kalshi`, `sim-kalshi`, … */
  readonly ports: Readonly<Record<string, number>>
  remove(): void
}

const NAMES = [
  'kalshi',
  'poly',
  'orchestrator',
  'shard',
  'exec',
  'kalshi-recovery',
  'poly-recovery',
  'orchestrator-recovery',
  'shard-recovery',
  'exec-recovery',
  'sim-kalshi',
  'sim-poly',
  'sim-gamma',
  'sim-espn',
] as const

/** A data folder and a full set of ports, as the environment that tells arbees of them. */
export async function createPlace(): Promise<Place> {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-e2e-'))
  const free: number[] = []
  for (const _ of NAMES) free.push(await freePort())
  const ports = Object.fromEntries(NAMES.map((name, index) => [name, free[index]!])) as Record<
    (typeof NAMES)[number],
    number
  >
  const tcp = (name: (typeof NAMES)[number]) => `tcp://127.0.0.1:${ports[name]}`
  const environment = {
    ARBEES_DATA_DIR: dir,
    ARBEES_ENDPOINTS__KALSHI: tcp('kalshi'),
    ARBEES_ENDPOINTS__POLY: tcp('poly'),
    ARBEES_ENDPOINTS__ORCHESTRATOR: tcp('orchestrator'),
    ARBEES_ENDPOINTS__SHARDS: tcp('shard'),
    ARBEES_ENDPOINTS__EXEC: tcp('exec'),
    ARBEES_RECOVERY__KALSHI: tcp('kalshi-recovery'),
    ARBEES_RECOVERY__POLY: tcp('poly-recovery'),
    ARBEES_RECOVERY__ORCHESTRATOR: tcp('orchestrator-recovery'),
    ARBEES_RECOVERY__SHARDS: tcp('shard-recovery'),
    ARBEES_RECOVERY__EXEC: tcp('exec-recovery'),
    ARBEES_KALSHI__REST_URL: `http://127.0.0.1:${ports['sim-kalshi']}/trade-api/v2`,
    ARBEES_KALSHI__WS_URL: `ws://127.0.0.1:${ports['sim-kalshi']}/trade-api/ws/v2`,
    ARBEES_POLYMARKET__CLOB_URL: `http://127.0.0.1:${ports['sim-poly']}`,
    ARBEES_POLYMARKET__WS_URL: `ws://127.0.0.1:${ports['sim-poly']}/ws/market`,
    ARBEES_POLYMARKET__GAMMA_URL: `http://127.0.0.1:${ports['sim-gamma']}`,
    ARBEES_ESPN__URL: `http://127.0.0.1:${ports['sim-espn']}`,
  }
  return { dir, environment, ports, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** For a deployment of one publisher: whatever else runs on the machine at the default ports is not heard. */
export const NOBODY_ELSE: Readonly<Record<string, string>> = Object.fromEntries(
  ['KALSHI', 'POLY', 'ORCHESTRATOR', 'SHARDS', 'EXEC'].map((name) => [
    `ARBEES_ENDPOINTS__${name}`,
    'tcp://127.0.0.1:1',
  ]),
)

export interface Run {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** Starts `arbees <args>`, in `cwd` when it is given; `[program, ...words]` is what starts it. */
export function launch(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  cwd?: string,
  [program, ...words]: readonly [string, ...string[]] = [process.execPath, BINARY],
): Run {
  const child = spawn(program, [...words, ...args], {
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = new Promise<number | NodeJS.Signals | null>((done) => {
    child.on('close', (code, signal) => done(code ?? signal))
  })
  return { child, stdout: () => out, stderr: () => err, ended }
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
