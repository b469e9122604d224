/** The reading side of the bus: a hostile publisher sends what it likes. */

import { Publisher as PubSocket } from 'zeromq'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { Subscriber } from '../../src/lib/bus/subscriber.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { FAMILIES } from '../../src/lib/messages/topics.js'
import { until } from '../lib/poll.js'
import { mutate } from './mutate.js'
import { busSeeds, heartbeat, pricesFrames } from './seeds.js'
import { Tally, exactly } from './target.js'
import type { FuzzTarget } from './target.js'

const BURST = 500
const PREFIXES = FAMILIES.map((family) => `${family}.`)
const REFUSALS = [
  ...[
    'not_json',
    'not_an_object',
    'bad_frames',
    'bad_topic',
    'bad_header',
    'bad_payload',
    'bad_heartbeat',
  ].map((reason) => `parse_error:${reason}`),
  'wrong_source',
  'legacy',
]
const SUBSCRIBED = [...PREFIXES, 'health.']

/** Both ways of reading: judged by the tracker, and handed on raw. */
export const subscriberTargets: readonly FuzzTarget[] = (['tracker', 'none'] as const).map((gate) => ({
  name: `subscriber (${gate === 'tracker' ? 'sequence tracker' : 'raw'})`,
  unit: 'frames',
  run: async (runs, random, progress) => {
    const socket = new PubSocket({ sendHighWaterMark: 0, linger: 0, sendTimeout: 0 })
    await socket.bind('tcp://127.0.0.1:*')
    const tally = new Tally()
    let heard = false
    let lastTopic = ''
    const subscriber = new Subscriber({
      endpoints: [
        { publisher: 'kalshi', url: socket.lastEndpoint ?? '', sources: sourcesOf('kalshi'), legacy: true },
      ],
      prefixes: PREFIXES,
      env: 'sim',
      gate,
      clock: systemClock,
      onMessage: ({ topic }) => {
        lastTopic = topic
        tally.add('message')
      },
      onHeartbeat: () => {
        heard = true
        tally.add('heartbeat')
      },
      onLegacy: () => tally.add('legacy'),
      onProblem: ({ kind, reason }) => tally.add(kind === 'parse_error' ? `parse_error:${reason}` : kind),
    })
    try {
      const beat = [Buffer.from('health.kalshi'), Buffer.from(JSON.stringify(heartbeat))]
      let expected = 0
      while (!heard) {
        await socket.send(beat)
        expected++
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      // Joined: what was sent before nobody had subscribed to.
      await until(() => heard, 'the subscription stands')
      await new Promise((resolve) => setTimeout(resolve, 50))
      expected = tally.total
      for (let sent = 0; sent < runs; sent += BURST) {
        for (let i = 0; i < Math.min(BURST, runs - sent); i++) {
          const frames = mutate(random, busSeeds)
          const topic = frames[0]?.toString('latin1') ?? ''
          if (SUBSCRIBED.some((prefix) => topic.startsWith(prefix))) expected++
          socket.send([...frames]).catch(() => undefined)
        }
        await until(() => tally.total >= expected, `all of ${expected} are accounted for, not ${tally.total}`)
        progress(Math.min(runs, sent + BURST))
      }
      lastTopic = ''
      const counted = { ...tally.counts }
      // A mutant may have carried a later epoch: the right message is of the latest that there can be.
      const right = pricesFrames(1, Number.MAX_SAFE_INTEGER)
      await socket.send([...right])
      await until(() => lastTopic === right[0]?.toString(), 'a right message goes through').catch(
        () => undefined,
      )
      // No handler here throws: what does is the subscriber itself.
      const isSound = counted['parse_error:handler_failed'] === undefined
      const worksAfter = isSound && lastTopic !== ''
      const mustCount = [...REFUSALS, gate === 'tracker' ? 'duplicate' : 'message']
      return { sent: runs, counted, expected: exactly(expected), mustCount, seen: {}, worksAfter }
    } finally {
      subscriber.close()
      socket.close()
    }
  },
}))
