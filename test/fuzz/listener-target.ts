/** The binding sockets of the bus as a stranger on the port meets them: sessions cut, garbled, or never ended. */

import { connect } from 'node:net'
import type { Prng } from '../../src/lib/sim/prng.js'
import { answers, hears, requestsOf, withPublisher } from './live-publisher.js'
import { until } from '../lib/poll.js'
import { mutate } from './mutate.js'
import type { Frames } from './mutate.js'
import { rawSession } from './raw-session.js'
import { Tally } from './target.js'
import type { FuzzTarget } from './target.js'
import { command, greeting, message, ready } from './zmtp.js'

const PARALLEL = 50
/** Share of the sessions that end in the middle. */
const CUTS = 0.2
/** Heartbeats tell the counts every 200 ms, events come when libzmq's thread has had its turn. */
const COUNTED_MS = 5_000

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
/** Version 1.0, then a key and a box that is not closed with it. */
const HELLO = Buffer.concat([Buffer.from([1, 0]), Buffer.alloc(192, 1)])
/** The first words of CURVE are of a fixed size; whoever has no key gets no further. */
const CURVE_SESSIONS: readonly Frames[] = [
  [greeting('CURVE'), command('HELLO', HELLO), command('INITIATE', Buffer.alloc(248, 2))],
  ...PLAIN_SESSIONS,
]

/**
 * Without keys a PUB counts nothing and a ROUTER what was a request. With keys both count a handshake that failed, once,
 * except where libzmq is silent: greetings of an older ZMTP, and commands that are no frames.
 */
const SOCKETS = [
  { name: 'publisher (PUB), raw TCP', hasKeys: false, isRecovery: false, mustCount: [] },
  {
    name: 'recovery socket (ROUTER), raw TCP',
    hasKeys: false,
    isRecovery: true,
    mustCount: ['bad_requests:not_json', 'bad_requests:bad_frames', 'requests:pong'].map(
      (name) => `recovery_${name}`,
    ),
  },
  {
    name: 'publisher (PUB) with keys, raw TCP',
    hasKeys: true,
    isRecovery: false,
    mustCount: ['no_curve', 'wrong_server_key', 'unfinished'],
  },
  {
    name: 'recovery socket (ROUTER) with keys, raw TCP',
    hasKeys: true,
    isRecovery: true,
    mustCount: ['no_curve', 'wrong_server_key', 'unfinished'],
  },
]
const LEAST_COUNTED = 0.9

export const listenerTargets: readonly FuzzTarget[] = SOCKETS.map(
  ({ name, hasKeys, isRecovery, mustCount }) => ({
    name,
    unit: 'sessions',
    run: (runs, random, progress) =>
      withPublisher(
        async (live) => {
          const { url, recoveryUrl = '' } = live.endpoint
          const port = Number((isRecovery ? recoveryUrl : url).split(':').at(-1))
          const seeds = hasKeys ? CURVE_SESSIONS : PLAIN_SESSIONS
          const { counts: seen } = await sendGarbage(port, runs, { random, seeds, progress })
          const atLeast = hasKeys ? runs * LEAST_COUNTED : 0
          const isCounted = () =>
            live.refusals.total >= atLeast && mustCount.every((each) => each in counts())
          const counts = () => (hasKeys ? live.refusals.counts : requestsOf(live))
          await until(isCounted, 'it has counted', COUNTED_MS).catch(() => undefined)
          const worksAfter = (await hears(live)) && (await answers(live))
          const expected = hasKeys ? { expected: { atLeast, atMost: runs } } : {}
          return { sent: runs, counted: counts(), ...expected, mustCount, seen, worksAfter }
        },
        { hasKeys },
      ),
  }),
)

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
      const isCut = random.chance(CUTS)
      ends.add(await rawSession(connect(port, '127.0.0.1'), mutate(random, seeds), isCut))
      progress(begun)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return ends
}
