/** The machine a figure was measured on. */

import { cpus, release, totalmem, type as osType } from 'node:os'
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
  }
}
