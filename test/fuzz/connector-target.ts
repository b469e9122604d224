/** The connecting sockets of the bus, where what listens at a publisher's address is none: a squatter, a proxy, noise. */

import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { RecoveryClient } from '../../src/lib/bus/recovery/recovery-client.js'
import { Subscriber } from '../../src/lib/bus/subscriber.js'
import { systemClock } from '../../src/lib/core/clock.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import { until } from '../lib/poll.js'
import { withPublisher } from './live-publisher.js'
import { mutate } from './mutate.js'
import type { Frames } from './mutate.js'
import { busSeeds } from './seeds.js'
import { Tally } from './target.js'
import type { FuzzTarget } from './target.js'
import { greeting, message, ready } from './zmtp.js'

/** They stay for all of it, and must hear what is right afterwards. */
const STAYING = 20
/** A session may leave a socket dead for seconds: these make room, session by session, for new ones. */
const CHANGING = 50
/** Closed sockets, too, count until libzmq's threads have cleared them up, and 1,023 are all that a process may have. */
const MANY_DESCRIPTORS = 500
/** What is sent may take so long to be read before we hang up. */
const LINGER_MS = 5

const pong = Buffer.from('{"v":1,"id":1,"op":"pong"}')
const PUBLISHER_SESSIONS = busSeeds.map((frames): Frames => [greeting(), ready('PUB'), message(...frames)])
const ROUTER_SESSIONS: readonly Frames[] = [
  [greeting(), ready('ROUTER'), message(pong)],
  [greeting(), ready('ROUTER'), message(pong, Buffer.alloc(300))],
]

const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)

/** One socket that connects to `url`; `heardRight` once the right publisher is there. */
interface Connector {
  heardRight(): Promise<boolean>
  close(): void
}

const subscriberAt = (url: string): Connector => {
  let beats = 0
  const subscriber = new Subscriber({
    endpoints: [{ publisher: 'kalshi', url, sources: sourcesOf('kalshi') }],
    prefixes: ['prices.'],
    env: 'sim',
    clock: systemClock,
    onMessage: () => undefined,
    onHeartbeat: () => beats++,
  })
  return {
    heardRight: async () => {
      const before = beats
      await until(() => beats > before, 'the right publisher is heard', 15_000)
      return true
    },
    close: () => subscriber.close(),
  }
}

const clientAt = (url: string): Connector => {
  const endpoint = { publisher: 'kalshi', url, recoveryUrl: url, sources: sourcesOf('kalshi') }
  const client = new RecoveryClient({ endpoint, clock: systemClock, timeoutMs: 500 })
  let closed = false
  const ask = async () => {
    while (!closed) await client.ping()
  }
  void ask()
  return {
    heardRight: async () => {
      await until(() => client.ping(), 'the right publisher answers', 15_000)
      return true
    },
    close: () => {
      closed = true
      client.close()
    },
  }
}

const SOCKETS = [
  { name: 'subscriber (SUB), raw TCP', open: subscriberAt, sessions: PUBLISHER_SESSIONS, group: 'url' },
  {
    name: 'recovery client (DEALER), raw TCP',
    open: clientAt,
    sessions: ROUTER_SESSIONS,
    group: 'recoveryUrl',
  },
] as const

export const connectorTargets: readonly FuzzTarget[] = SOCKETS.map(({ name, open, sessions, group }) => ({
  name,
  unit: 'sessions',
  run: async (runs, random, progress) => {
    const ends = new Tally()
    const changing: Connector[] = []
    const onEnd = async () => {
      progress(ends.total)
      while (descriptors() > MANY_DESCRIPTORS) await sleep(20)
      changing.shift()?.close()
      changing.push(open(url))
    }
    const { server, url, done } = await squat(runs, { random, seeds: sessions, ends, onEnd })
    const staying = Array.from({ length: STAYING }, () => open(url))
    while (changing.length < CHANGING) changing.push(open(url))
    try {
      await done
      await new Promise((resolve) => server.close(resolve))
      const heard = await withPublisher(
        () => Promise.allSettled([...staying, ...changing].map((connector) => connector.heardRight())),
        { [group]: url },
      )
      const worksAfter = heard.every(({ status }) => status === 'fulfilled')
      return { sent: runs, outcomes: ends.counts, expected: runs, worksAfter }
    } finally {
      for (const connector of [...staying, ...changing]) connector.close()
    }
  },
}))

/** Answers every connection with a garbled session, `sessions` times; then it only hangs up. */
async function squat(
  sessions: number,
  options: { random: Prng; seeds: readonly Frames[]; ends: Tally; onEnd: () => Promise<void> },
): Promise<{ server: Server; url: string; done: Promise<void> }> {
  const { random, seeds, ends, onEnd } = options
  let begun = 0
  let told = (): void => undefined
  const done = new Promise<void>((resolve) => (told = resolve))
  const server = createServer((socket) => {
    if (begun >= sessions) return void socket.destroy()
    begun++
    void oneSession(socket, Buffer.concat([...mutate(random, seeds)])).then(async (end) => {
      ends.add(end)
      await onEnd()
      if (ends.total === sessions) told()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1_024, resolve))
  return { server, url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, done }
}

function oneSession(socket: Socket, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const end = (how: string) => {
      socket.destroy()
      resolve(how)
    }
    socket.on('error', () => end('closed by the socket'))
    socket.on('close', () => end('closed by the socket'))
    socket.on('data', () => undefined)
    socket.write(bytes, () => setTimeout(() => end('cut by us'), LINGER_MS))
  })
}
