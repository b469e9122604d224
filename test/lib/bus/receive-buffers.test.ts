import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

const KEPT = 6_000
/** Some 3,000 a message of half a KiB take with all objects around it; three times that where it keeps more. */
const MOST_BYTES = 6_000

describe('a message that is kept', () => {
  it('keeps its own bytes in memory, not all that was read with it', async () => {
    const publisher = await Publisher.bind({
      name: 'kalshi',
      url: 'tcp://127.0.0.1:*',
      env: 'sim',
      clock: systemClock,
      sources: sourcesOf('kalshi'),
    })
    cleanups.push(() => publisher.close())
    const kept: Buffer[] = []
    const subscriber = new Subscriber({
      endpoints: [{ publisher: 'kalshi', sources: sourcesOf('kalshi'), url: publisher.url }],
      prefixes: ['prices.'],
      env: 'sim',
      clock: systemClock,
      onMessage: ({ bytes }) => {
        kept.push(bytes)
        // One at a time, so that none shares what it was read with.
        if (kept.length < KEPT) setImmediate(publish)
      },
    })
    cleanups.push(() => subscriber.close())
    const publish = () => void publisher.channel('kalshi.prices').publish('prices.kalshi.KX', samples.prices)
    await until(() => {
      publish()
      return kept.length > 0
    }, 'it is heard')
    const before = process.memoryUsage().rss
    await until(() => kept.length >= KEPT, 'all have come')
    const grown = process.memoryUsage().rss - before
    expect(grown / KEPT).toBeLessThan(MOST_BYTES)
  })
})
