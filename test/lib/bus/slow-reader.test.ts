import { afterEach, describe, expect, it } from 'vitest'
import { RecoveringSubscriber } from '../../../src/lib/bus/recovering-subscriber.js'
import type { Gap } from '../../../src/lib/bus/gap.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import type { RecoveringMode } from '../../../src/lib/bus/recovering-subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'

const SOURCE = 'kalshi.prices'
const MARKETS = 5

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const pause = new Int32Array(new SharedArrayBuffer(4))

/** A reader that blocks its process for `slowMs` over each message. */
function readSlowly(publisher: Publisher, mode: RecoveringMode, slowMs: number) {
  const seqs: number[] = []
  const newest = new Map<string, number>()
  const gaps: Gap[] = []
  let isLive = false
  const subscriber = new RecoveringSubscriber({
    endpoints: [{ publisher: 'kalshi', sources: [SOURCE], url: publisher.url }],
    prefixes: ['prices.'],
    env: 'sim',
    clock: systemClock,
    onMessage: ({ message: { header }, topic }) => {
      if (slowMs > 0) Atomics.wait(pause, 0, 0, slowMs)
      seqs.push(header.seq)
      newest.set(topic, header.seq)
    },
    onGap: (gap) => gaps.push(gap),
    onState: (_, state) => (isLive = state === 'LIVE'),
    ...mode,
  })
  cleanups.push(() => subscriber.close())
  return { seqs, newest, gaps, isLive: () => isLive }
}

async function bind(): Promise<Publisher> {
  const publisher = await Publisher.bind({
    ...{ name: 'kalshi', url: 'tcp://127.0.0.1:*', env: 'sim', clock: systemClock, sources: [SOURCE] },
  })
  cleanups.push(() => publisher.close())
  return publisher
}

const publish = (publisher: Publisher, count: number) => {
  const channel = publisher.channel(SOURCE)
  for (let i = 0; i < count; i++) channel.publish(`prices.kalshi.M${i % MARKETS}`, samples.prices)
}

describe('a reader that is slower than its publisher', () => {
  it('with conflation has the newest of each topic, having seen a part, and says how many it did not', async () => {
    const publisher = await bind()
    const conflated: number[] = []
    const onConflated: Extract<RecoveringMode, { mode: 'snapshot' }>['onConflated'] = ({ message }) =>
      conflated.push(message.header.seq)
    const { seqs, newest, gaps, isLive } = readSlowly(publisher, { mode: 'snapshot', onConflated }, 3)
    await until(isLive, 'it is live')
    publish(publisher, 2_000)
    await until(() => seqs.includes(2_000), 'the last one')
    expect([...newest.values()].sort((a, b) => a - b)).toEqual([1_996, 1_997, 1_998, 1_999, 2_000])
    expect(seqs.length).toBeLessThan(1_000)
    expect([...seqs, ...conflated].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 2_000 }, (_, i) => i + 1),
    )
    expect(gaps).toEqual([])
  })

  it('with conflation sees every message while none waits', async () => {
    const publisher = await bind()
    const conflated: unknown[] = []
    const mode: RecoveringMode = { mode: 'snapshot', onConflated: (older) => conflated.push(older) }
    const { seqs, isLive } = readSlowly(publisher, mode, 0)
    await until(isLive, 'it is live')
    for (let seq = 1; seq <= 20; seq++) {
      publish(publisher, 1)
      await until(() => seqs.length === seq, 'each comes')
    }
    expect(conflated).toEqual([])
  })

  it('without conflation has every message, and lets timers run meanwhile', async () => {
    const publisher = await bind()
    const { seqs, isLive } = readSlowly(publisher, { mode: 'gap-filled', startAt: () => 'live' }, 2)
    await until(isLive, 'it is live')
    publish(publisher, 500)
    await until(() => seqs.length > 0, 'it has begun')
    // One turn of the event loop does not hand on all of them.
    expect(seqs.length).toBeLessThan(500)
    await until(() => seqs.length === 500, 'all of them')
    expect(seqs).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
  })
})
