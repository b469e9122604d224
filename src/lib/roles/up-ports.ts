/** Before `up` starts anything: is every port that it will bind free? */

import { createServer } from 'node:net'
import { ArbeesError, codeOf, messageOf } from '../core/errors.js'

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
