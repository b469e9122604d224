/** The binding sides of the bus, as plain TCP ports: sessions that are cut, garbled or never end. */

import { connect } from 'node:net'
import type { PublisherEndpoint } from '../../src/lib/bus/endpoints.js'
import { Subscriber } from '../../src/lib/bus/subscriber.js'
import { systemClock } from '../../src/lib/core/clock.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import { until } from '../lib/poll.js'
import { mutate } from './mutate.js'
import { SOURCE, answers, withPublisher } from './recovery-targets.js'
import type { FuzzTarget } from './target.js'
import { greeting, message, ready } from './zmtp.js'

const PARALLEL = 50
/** A session that neither ends nor is cut. */
const SESSION_MS = 1_500

/** Valid sessions of both socket types, as pieces that can be made wrong one by one. */
const SESSIONS = [
  [greeting(), ready('SUB'), message(Buffer.from('\u0001prices.'))],
  [greeting(), ready('DEALER'), message(Buffer.from('{"v":1,"id":1,"op":"ping"}'))],
  [
    greeting(),
    ready('DEALER'),
    message(Buffer.alloc(0), Buffer.from('{"v":1,"id":1,"op":"range"}'), Buffer.alloc(300)),
  ],
]

/** Sends garbled sessions to a port; returns how each ended. */
async function sendGarbage(
  port: number,
  sessions: number,
  random: Prng,
  progress: (done: number) => void,
): Promise<Record<string, number>> {
  const ends: Record<string, number> = {}
  let begun = 0
  const worker = async () => {
    while (begun < sessions) {
      begun++
      const end = await oneSession(port, Buffer.concat([...mutate(random, SESSIONS)]))
      ends[end] = (ends[end] ?? 0) + 1
      progress(begun)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return ends
}

function oneSession(port: number, bytes: Buffer): Promise<'cut by us' | 'closed by the socket' | 'refused'> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const timer = setTimeout(() => end('cut by us'), SESSION_MS)
    const end = (how: 'cut by us' | 'closed by the socket' | 'refused') => {
      clearTimeout(timer)
      socket.destroy()
      resolve(how)
    }
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'refused' : 'closed by the socket'),
    )
    socket.on('close', () => end('closed by the socket'))
    socket.on('data', () => undefined)
    socket.write(bytes, () => setTimeout(() => end('cut by us'), 5))
  })
}

/** The PUB and the ROUTER of a publisher as a port scanner meets them. */
export const garbageTargets: readonly FuzzTarget[] = (
  ['publisher (PUB)', 'recovery socket (ROUTER)'] as const
).map((name) => ({
  name: `${name}, raw TCP`,
  unit: 'sessions',
  cost: 50,
  run: (runs, random, progress) =>
    withPublisher(async (publisher, endpoint) => {
      const url = name === 'publisher (PUB)' ? endpoint.url : (endpoint.recoveryUrl ?? '')
      const port = Number(url.slice(url.lastIndexOf(':') + 1))
      const outcomes = await sendGarbage(port, runs, random, progress)
      const worksAfter = (await hears(endpoint)) && (await answers(endpoint, publisher.channel(SOURCE).epoch))
      return { sent: runs, outcomes, expected: runs, worksAfter }
    }),
}))

/** A reader that joins now gets what is published. */
async function hears(endpoint: PublisherEndpoint): Promise<boolean> {
  let heard = false
  const subscriber = new Subscriber({
    endpoints: [endpoint],
    prefixes: [],
    env: 'sim',
    clock: systemClock,
    onMessage: () => undefined,
    onHeartbeat: () => (heard = true),
  })
  await until(() => heard, 'the publisher is heard').catch(() => undefined)
  subscriber.close()
  return heard
}
