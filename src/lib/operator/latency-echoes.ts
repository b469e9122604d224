/** Who can be asked for an echo: publishers, Redis, and this machine itself. */

import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import { systemClock } from '../core/clock.js'
import type { Lifecycle } from '../core/lifecycle.js'
import { connectRedis } from '../redis/connection.js'
import type { Echo, Gauge } from './latency-probe.js'

/** The recovery sockets of publishers: an echo goes through their event loops. Throws for keys that are not there (exit 4). */
export function publisherEchoes(
  endpoints: readonly PublisherEndpoint[],
  keys: BusKeys | undefined,
  lifecycle: Lifecycle,
): Echo[] {
  return endpoints
    .filter(({ legacy }) => legacy !== true)
    .map((endpoint) => {
      const client = new RecoveryClient({ endpoint, clock: systemClock, keys })
      lifecycle.defer(`echo of ${endpoint.publisher}`, () => client.close())
      return { hop: 'echo', name: endpoint.publisher, ask: () => client.ping() }
    })
}

/** Throws what `connectRedis` throws. */
export async function redisEcho(url: string, lifecycle: Lifecycle): Promise<Echo> {
  const link = await connectRedis(url, 'arbees-latency')
  lifecycle.defer('echo of Redis', () => link.close())
  const ask = () =>
    link.redis.ping().then(
      () => true,
      () => false,
    )
  return { hop: 'redis_echo', name: 'redis', ask }
}

/** A byte to a thread of this process and back over TCP: what there is below any of the above. */
export async function tcpEcho(lifecycle: Lifecycle): Promise<Echo> {
  const peer = new Worker(new URL('./latency-tcp-peer.js', import.meta.url))
  lifecycle.defer('TCP peer', async () => void (await peer.terminate()))
  const [port] = (await once(peer, 'message')) as [number]
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  lifecycle.defer('TCP socket', () => void socket.destroy())
  await once(socket, 'connect')
  return { hop: 'tcp_echo', name: 'tcp', ask: () => askTcp(socket) }
}

const BYTE = Buffer.from([1])

function askTcp(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true))
    socket.write(BYTE, (error) => {
      if (error !== undefined && error !== null) resolve(false)
    })
  })
}

/** What every message and every timer of a Node process pays. */
export const LOOP_GAUGES: readonly Gauge[] = [
  {
    hop: 'loop_turn',
    measure: (onReading) => {
      const startUs = systemClock.monoUs()
      setImmediate(() => onReading(systemClock.monoUs() - startUs))
    },
  },
  {
    hop: 'timer_late',
    measure: (onReading) => {
      const dueUs = systemClock.monoUs() + TIMER_MS * 1000
      setTimeout(() => onReading(systemClock.monoUs() - dueUs), TIMER_MS)
    },
  },
]
const TIMER_MS = 5
