/** The connecting sockets of the bus, where what listens at a publisher's address is none: a squatter, a proxy, noise. */

import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
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
import { rawSession } from './raw-session.js'
import { busSeeds } from './seeds.js'
import { Tally } from './target.js'
import type { FuzzTarget } from './target.js'
import { greeting, message, ready } from './zmtp.js'

/** They stay for all of it, and must hear what is right afterwards. */
const STAYING = 20
/** A session may leave a socket dead for seconds: these make room for new ones. */
const CHANGING = 50
/** Not before it has had a session: what is closed in one has read nothing. */
const LEAST_LIFE_MS = 300
/** Closed sockets, too, count until libzmq's threads have cleared them up, and 1,023 are all that a process may have. */
const MANY_DESCRIPTORS = 500
/** Share of the sessions that end in the middle. */
const CUTS = 0.2

const pong = Buffer.from('{"v":1,"id":1,"op":"pong"}')
const REPLIES: readonly Frames[] = [[pong], [pong, Buffer.alloc(300)]]

/** Half of the sessions are wrong as ZMTP; in the others ZMTP is right and what it carries is not. */
const sessionsOf = (socketType: 'PUB' | 'ROUTER', seeds: readonly Frames[]) => {
  const sessionWith = (frames: Frames): Frames => [greeting(), ready(socketType), message(...frames)]
  const sessions = seeds.map(sessionWith)
  return (random: Prng): Frames =>
    random.chance(0.5) ? sessionWith(mutate(random, seeds)) : mutate(random, sessions)
}

const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)

/** One socket that connects to `url`; `heardRight` once the right publisher is there. */
interface Connector {
  heardRight(): Promise<boolean>
  close(): void
}

const subscriberAt = (url: string, counted: Tally): Connector => {
  let beats = 0
  const subscriber = new Subscriber({
    endpoints: [{ publisher: 'kalshi', url, sources: sourcesOf('kalshi') }],
    prefixes: ['prices.'],
    env: 'sim',
    clock: systemClock,
    onMessage: () => counted.add('message'),
    onHeartbeat: () => beats++,
    onProblem: ({ kind, reason }) => counted.add(kind === 'parse_error' ? `parse_error:${reason}` : kind),
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
  {
    name: 'subscriber (SUB), raw TCP',
    open: subscriberAt,
    sessionOf: sessionsOf('PUB', busSeeds),
    group: 'url',
    mustCount: ['message', 'parse_error:not_json', 'parse_error:bad_frames', 'parse_error:bad_heartbeat'],
  },
  {
    name: 'recovery client (DEALER), raw TCP',
    open: clientAt,
    sessionOf: sessionsOf('ROUTER', REPLIES),
    group: 'recoveryUrl',
    mustCount: [],
  },
] as const

export const connectorTargets: readonly FuzzTarget[] = SOCKETS.map(
  ({ name, open, sessionOf, group, mustCount }) => ({
    name,
    unit: 'sessions',
    run: async (runs, random, progress) => {
      const ends = new Tally()
      const counted = new Tally()
      const changing: (Connector & { readonly openedMs: number })[] = []
      const openOne = () => changing.push({ ...open(url, counted), openedMs: performance.now() })
      const onEnd = async () => {
        progress(ends.total)
        while (descriptors() > MANY_DESCRIPTORS) await sleep(20)
        const [oldest] = changing
        if (oldest === undefined || performance.now() - oldest.openedMs < LEAST_LIFE_MS) return
        changing.shift()
        oldest.close()
        openOne()
      }
      const { server, url, done } = await squat(runs, { next: () => sessionOf(random), random, ends, onEnd })
      const staying = Array.from({ length: STAYING }, () => open(url, counted))
      while (changing.length < CHANGING) openOne()
      try {
        await done
        const before = { ...counted.counts }
        await new Promise((resolve) => server.close(resolve))
        const heard = await withPublisher(
          () => Promise.allSettled([...staying, ...changing].map((connector) => connector.heardRight())),
          { [group]: url },
        )
        const worksAfter = heard.every(({ status }) => status === 'fulfilled')
        return { sent: runs, counted: before, mustCount, seen: ends.counts, worksAfter }
      } finally {
        for (const connector of [...staying, ...changing]) connector.close()
      }
    },
  }),
)

/** Answers every connection with a garbled session, `sessions` times; then it only hangs up. */
async function squat(
  sessions: number,
  options: { next: () => Frames; random: Prng; ends: Tally; onEnd: () => Promise<void> },
): Promise<{ server: Server; url: string; done: Promise<void> }> {
  const { next, random, ends, onEnd } = options
  let begun = 0
  let told = (): void => undefined
  const done = new Promise<void>((resolve) => (told = resolve))
  const server = createServer((socket) => {
    if (begun >= sessions) return void socket.destroy()
    begun++
    void rawSession(socket, next(), random.chance(CUTS)).then(async (end) => {
      ends.add(end)
      await onEnd()
      if (ends.total === sessions) told()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1_024, resolve))
  return { server, url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, done }
}
