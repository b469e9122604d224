/** The machine a figure was measured on, and what was measured. */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, release, totalmem, type as osType } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { libzmqVersion } from '../bus/library.js'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory_gib: number
  readonly os: string
  readonly node: string
  readonly libzmq: string
  /** null when no Redis took part. */
  readonly redis: string | null
  /** Of this arbees, as `git describe` tells it; null where it does not come out of a repository. */
  readonly commit: string | null
}

export function describeMachine(redis: string | null): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    os: `${osType()} ${release()}`,
    node: process.versions.node,
    libzmq: libzmqVersion(),
    redis,
    commit: describeCommit(),
  }
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

function describeCommit(): string | null {
  // Elsewhere git would tell of whatever repository the package lies in.
  if (!existsSync(join(ROOT, '.git'))) return null
  try {
    const args = ['-C', ROOT, 'describe', '--always', '--dirty', '--exclude=*']
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}

/** For people: three lines. */
export function machineLines(machine: Machine, others: readonly string[] = []): string[] {
  const { cpu, cores, memory_gib, os, node, libzmq, redis, commit } = machine
  return [
    `${cpu}, ${cores} cores, ${memory_gib} GiB, ${os}`,
    [`Node ${node}`, `libzmq ${libzmq}`, redis === null ? 'no Redis' : `Redis ${redis}`, ...others].join(
      ', ',
    ),
    ...(commit === null ? [] : [`arbees ${commit}`]),
  ]
}
