/** The binding sockets of the bus as a stranger on the port meets them: sessions cut, garbled, or never ended. */

import { connect } from 'node:net'
import type { Prng } from '../../src/lib/sim/prng.js'
import { answers, hears, withPublisher } from './live-publisher.js'
import { mutate } from './mutate.js'
import type { Frames } from './mutate.js'
import { Tally } from './target.js'
import type { FuzzTarget } from './target.js'
import { command, greeting, message, ready } from './zmtp.js'

const PARALLEL = 50
/** A session that neither ends nor is cut. */
const SESSION_MS = 1_500
/** What the socket has to find out, before we hang up, that what it reads is wrong. */
const LINGER_MS = 5

/** Valid sessions of both socket types, as pieces that can be made wrong one by one. */
const PLAIN_SESSIONS: readonly Frames[] = [
  [greeting(), ready('SUB'), message(Buffer.from('\u0001prices.'))],
  [greeting(), ready('DEALER'), message(Buffer.from('{"v":1,"id":1,"op":"ping"}'))],
  [
    greeting(),
    ready('DEALER'),
    message(Buffer.alloc(0), Buffer.from('{"v":1,"id":1,"op":"range"}'), Buffer.alloc(300)),
  ],
]
/** The first words of CURVE are of a fixed size; whoever has no key gets no further. */
const CURVE_SESSIONS: readonly Frames[] = [
  [greeting('CURVE'), command('HELLO', Buffer.alloc(194, 1)), command('INITIATE', Buffer.alloc(248, 2))],
  ...PLAIN_SESSIONS,
]

const SOCKETS = [
  { name: 'publisher (PUB), raw TCP', hasKeys: false, isRecovery: false },
  { name: 'recovery socket (ROUTER), raw TCP', hasKeys: false, isRecovery: true },
  { name: 'publisher (PUB) with keys, raw TCP', hasKeys: true, isRecovery: false },
  { name: 'recovery socket (ROUTER) with keys, raw TCP', hasKeys: true, isRecovery: true },
]

export const listenerTargets: readonly FuzzTarget[] = SOCKETS.map(({ name, hasKeys, isRecovery }) => ({
  name,
  unit: 'sessions',
  run: (runs, random, progress) =>
    withPublisher(
      async (live) => {
        const { url, recoveryUrl = '' } = live.endpoint
        const port = Number((isRecovery ? recoveryUrl : url).split(':').at(-1))
        const seeds = hasKeys ? CURVE_SESSIONS : PLAIN_SESSIONS
        const { counts: outcomes } = await sendGarbage(port, runs, { random, seeds, progress })
        const worksAfter = (await hears(live)) && (await answers(live))
        return { sent: runs, outcomes, expected: runs, worksAfter }
      },
      { hasKeys },
    ),
}))

/** Sends garbled sessions to a port; returns how each ended. */
async function sendGarbage(
  port: number,
  sessions: number,
  { random, seeds, progress }: { random: Prng; seeds: readonly Frames[]; progress: (done: number) => void },
): Promise<Tally> {
  const ends = new Tally()
  let begun = 0
  const worker = async () => {
    while (begun < sessions) {
      begun++
      ends.add(await oneSession(port, Buffer.concat([...mutate(random, seeds)])))
      progress(begun)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return ends
}

function oneSession(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const timer = setTimeout(() => end('cut by us'), SESSION_MS)
    const end = (how: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(how)
    }
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      end(code === 'ECONNRESET' || code === 'EPIPE' ? 'closed by the socket' : `failed: ${code}`),
    )
    socket.on('close', () => end('closed by the socket'))
    socket.on('data', () => undefined)
    socket.write(bytes, () => setTimeout(() => end('cut by us'), LINGER_MS))
  })
}
