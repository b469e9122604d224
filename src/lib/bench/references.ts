/** What the bus is compared with in the same run, each started for it: whatever is not here is left out, and told. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ArbeesError, messageOf } from '../core/errors.js'
import type { Lifecycle } from '../core/lifecycle.js'
import { startPrivateRedis } from '../redis/private-server.js'
import { RedisPubSub } from '../redis/pubsub.js'
import type { BrokerPlace, BrokerTransport } from './hop-messages.js'
import { LibzmqHop } from './libzmq-hop.js'
import { startNats } from './nats-server.js'

export interface Broker extends BrokerPlace {
  readonly version: string
  /** Processor time of the server since its start, us. */
  readonly cpuUs: () => Promise<number>
}

export interface ReferenceOptions {
  readonly lifecycle: Lifecycle
  /** Progress and what is left out. */
  readonly say: (line: string) => void
}

/** A folder that goes with the run. */
export function openScratch(lifecycle: Lifecycle): string {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-bench-'))
  lifecycle.defer('folder', () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A private Redis behind some of its transports; none where there is no Redis. */
export async function startRedis(
  transports: readonly BrokerTransport[],
  { lifecycle, say }: ReferenceOptions,
): Promise<Broker[]> {
  return orNone(say, async () => {
    const server = await startPrivateRedis({ dir: openScratch(lifecycle), onNotice: say })
    lifecycle.defer('redis', () => server.stop())
    const connection = new RedisPubSub(server.url)
    lifecycle.defer('redis connection', () => connection.close())
    const { version, url: redisUrl } = server
    const cpuUs = () => connection.serverCpuUs()
    return transports.map((transport) => ({ transport, redisUrl, natsPort: 0, version, cpuUs }))
  })
}

/** A private NATS; none where it is not on PATH. */
export async function startNatsBroker({ lifecycle, say }: ReferenceOptions): Promise<Broker[]> {
  return orNone(say, async () => {
    const server = await startNats(openScratch(lifecycle))
    lifecycle.defer('nats', () => server.stop())
    const { version, port: natsPort } = server
    const cpuUs = () => Promise.resolve(server.cpuUs())
    return [{ transport: 'nats' as const, redisUrl: '', natsPort, version, cpuUs }]
  })
}

/** libzmq without Node; undefined where it cannot be built. */
export async function buildLibzmq({ lifecycle, say }: ReferenceOptions): Promise<LibzmqHop | undefined> {
  const [built] = await orNone(say, async () => [await LibzmqHop.build(openScratch(lifecycle))])
  if (built !== undefined) lifecycle.defer('libzmq', () => built.close())
  return built
}

async function orNone<T>(say: (line: string) => void, start: () => Promise<T[]>): Promise<T[]> {
  try {
    return await start()
  } catch (error) {
    const hint = error instanceof ArbeesError && error.hint !== undefined ? ` (${error.hint})` : ''
    say(`not compared with: ${messageOf(error)}${hint}`)
    return []
  }
}
