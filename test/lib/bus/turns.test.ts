import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { until } from '../poll.js'

const MESSAGES = 6_000
/** What the handler takes, us: 66 of them are the 2 ms after which others have a turn. */
const BUSY_US = 30
/** libzmq's addon hands on 512 by itself before it lets go. */
const MOST = 250

describe('a subscriber with much to hand on', () => {
  const cleanups: (() => void)[] = []
  afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()))

  it('gives timers and other sockets a turn every 2 ms, whatever waits', async () => {
    const publisher = await Publisher.bind({
      name: 'kalshi',
      url: 'tcp://127.0.0.1:*',
      env: 'sim',
      clock: systemClock,
      sources: sourcesOf('kalshi'),
    })
    cleanups.push(() => publisher.close())
    let isJoined = false
    let received = 0
    let sinceTurn = 0
    let most = 0
    const subscriber = new Subscriber({
      endpoints: [{ publisher: 'kalshi', url: publisher.url, sources: sourcesOf('kalshi') }],
      prefixes: ['prices.kalshi.'],
      env: 'sim',
      clock: systemClock,
      onHeartbeat: () => (isJoined = true),
      onMessage: () => {
        received++
        most = Math.max(most, ++sinceTurn)
        for (const until = systemClock.monoUs() + BUSY_US; systemClock.monoUs() < until;);
      },
    })
    cleanups.push(() => subscriber.close())
    await until(() => isJoined, 'the subscription stands')
    const turns = setInterval(() => (sinceTurn = 0), 1)
    cleanups.push(() => clearInterval(turns))
    const payload = {
      ...{ venue: 'kalshi', market_id: 'A', selection: 'MIA', state: 'EMPTY' },
      ...{ yes_bid: null, yes_ask: null, yes_bid_size: null, yes_ask_size: null, book_seq: 1 },
    }
    const channel = publisher.channel('kalshi.prices')
    for (let n = 0; n < MESSAGES; n++) channel.publish('prices.kalshi.A', payload)
    await until(() => received === MESSAGES, 'all have come')
    expect(most).toBeLessThan(MOST)
  })
})
