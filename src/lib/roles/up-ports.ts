/** Before `up` starts anything: is every port that it will bind free? */

import { createServer } from 'node:net'
import { environmentName } from '../core/config.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT, codeOf, messageOf } from '../core/errors.js'

export interface WantedPort {
  readonly role: string
  readonly host: string
  readonly port: number
  /** The setting or flag that moves it. */
  readonly setting: string
}

/** The host and port of `tcp://host:port`; undefined for other transports and for wildcard ports. */
export function tcpPort(role: string, url: string, setting: string): WantedPort | undefined {
  const match = /^tcp:\/\/(.+):(\d+)$/.exec(url)
  const [, host, port] = match ?? []
  return host === undefined || port === undefined ? undefined : { role, host, port: Number(port), setting }
}

/** Where `up` puts the metrics of a role when the first one is at `base`; behind exec, mirror and sim the shards. */
const METRICS_OFFSETS: Readonly<Record<string, number>> = {
  kalshi: 0,
  poly: 1,
  orchestrator: 2,
  exec: 3,
  mirror: 4,
  sim: 5,
}
const FIRST_SHARD_OFFSET = 6
const MAX_PORT = 65_535

/** The `metrics_port` of a role: nothing stays nothing, and 0 any free port. */
export function metricsPortOf(base: string, role: string): string {
  if (base === '' || Number(base) === 0) return base
  const shard = /^shard-(\d+)$/.exec(role)?.[1]
  const offset = shard === undefined ? (METRICS_OFFSETS[role] ?? 0) : FIRST_SHARD_OFFSET + Number(shard)
  return String(Number(base) + offset)
}

/** Of these roles; none where they find a port themselves. Throws `BAD_CONFIG` (exit 4) where there is no room for all. */
export function metricsPorts(settings: Settings, roles: readonly string[]): WantedPort[] {
  const { metrics_host: host, metrics_port: base } = settings
  if (base === '' || Number(base) === 0) return []
  const setting = environmentName('metrics_port')
  const ports = roles.map((role) => ({ role, host, port: Number(metricsPortOf(base, role)), setting }))
  const beyond = ports.find(({ port }) => port > MAX_PORT)
  if (beyond === undefined) return ports
  throw new ArbeesError(
    'BAD_CONFIG',
    `metrics_port ${base} leaves no port for ${beyond.role}: ${beyond.port}`,
    {
      exit: EXIT.CONFIG,
      hint: 'each role has one of its own: begin lower',
    },
  )
}

/** Throws `PORT_IN_USE` naming port and role; every other failure to bind likewise. */
export async function assertPortsFree(wanted: readonly WantedPort[]): Promise<void> {
  for (const port of wanted) await assertPortFree(port)
}

function assertPortFree({ role, host, port, setting }: WantedPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => {
      const used = codeOf(error) === 'EADDRINUSE'
      const what = used ? 'is in use' : `cannot be bound: ${messageOf(error)}`
      reject(
        new ArbeesError(used ? 'PORT_IN_USE' : 'BIND_FAILED', `port ${port} (${host}) of ${role} ${what}`, {
          hint: `stop what holds it, or set ${setting}`,
          cause: error,
        }),
      )
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
}
