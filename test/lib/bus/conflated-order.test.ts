import { afterEach, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { RecoveringSubscriber } from '../../../src/lib/bus/recovering-subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'
import { FakePublisher } from '../roles/role-harness.js'

const SOURCE = 'kalshi.prices'
/** More than are handed on in one go. */
const MARKETS = 30

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

type Event =
  | { readonly kind: 'message' | 'conflated'; readonly seq: number }
  | { readonly kind: 'gap'; readonly from: number; readonly to: number | null }
  | { readonly kind: 'beat'; readonly seq: number }

const pause = new Int32Array(new SharedArrayBuffer(4))

/** What a conflating reader that takes `slowMs` over each message is told, in order. */
async function readAll(publisher: FakePublisher, slowMs: number): Promise<Event[]> {
  const events: Event[] = []
  let isHeard = false
  const subscriber = new RecoveringSubscriber({
    endpoints: [{ publisher: 'kalshi', sources: sourcesOf('kalshi'), url: publisher.url }],
    ...{ prefixes: ['prices.'], env: 'sim', clock: systemClock, mode: 'snapshot' },
    onMessage: ({ message }) => {
      if (slowMs > 0) Atomics.wait(pause, 0, 0, slowMs)
      events.push({ kind: 'message', seq: message.header.seq })
    },
    onConflated: ({ message }) => events.push({ kind: 'conflated', seq: message.header.seq }),
    onGap: ({ from, to }) => events.push({ kind: 'gap', from, to }),
    onHeartbeat: ({ channels }) => {
      events.push({ kind: 'beat', seq: channels.find(({ source }) => source === SOURCE)!.last_seq })
    },
    onProblem: () => (isHeard = true),
  })
  cleanups.push(() => subscriber.close())
  await until(() => (publisher.send('prices.kalshi.MARK', 'mark'), isHeard), 'the reader hears it')
  return events
}

/** One message of each market. */
const publishAll = (publisher: FakePublisher): number[] =>
  Array.from({ length: MARKETS }, (_, market) => publish(publisher, market))
const publish = (publisher: FakePublisher, market: number, lost = false): number =>
  publisher.publish(SOURCE, `prices.kalshi.M${market}`, samples.prices, { lost }).seq

const heard = (events: readonly Event[]): number[] =>
  events
    .flatMap((event) => (event.kind === 'message' || event.kind === 'conflated' ? [event.seq] : []))
    .sort((a, b) => a - b)

it('what waits conflated comes before the gap behind it, and the rest after', async () => {
  const publisher = await FakePublisher.bind('kalshi')
  cleanups.push(() => publisher.close())
  publisher.fallSilent()
  const events = await readAll(publisher, 0)
  // All of it waits for the first heartbeat, and is handed on in one go.
  const sent: number[] = []
  const lost: number[] = []
  for (let round = 0; round < 5; round++) {
    sent.push(...publishAll(publisher))
    lost.push(publish(publisher, 0, true))
  }
  publisher.beat()
  await until(() => heard(events).length === sent.length, 'all of it')
  await until(() => events.filter(({ kind }) => kind === 'gap').length === lost.length, 'every gap')
  expect(heard(events)).toEqual(sent)
  let at = 0
  for (const event of events) {
    if (event.kind === 'message') expect(event.seq).toBeGreaterThan(at)
    if (event.kind === 'message') at = event.seq
    if (event.kind !== 'gap') continue
    expect([at, event.from, event.to]).toEqual([event.from - 1, lost[0], lost.shift()])
    at = event.from
  }
  expect(lost).toEqual([])
})

it('what waits conflated comes before the heartbeat that speaks of it', async () => {
  const publisher = await FakePublisher.bind('kalshi')
  cleanups.push(() => publisher.close())
  const events = await readAll(publisher, 1)
  await until(() => events.some(({ kind }) => kind === 'beat'), 'it is live')
  publisher.fallSilent()
  const sent: number[] = []
  for (let round = 0; round < 5; round++) {
    sent.push(...publishAll(publisher))
    publisher.beat()
  }
  await until(
    () => events.some((event) => event.kind === 'beat' && event.seq === sent.at(-1)),
    'the last one',
  )
  expect(heard(events)).toEqual(sent)
  const at = events.flatMap((event) => (event.kind === 'message' || event.kind === 'beat' ? [event.seq] : []))
  expect(at).toEqual([...at].sort((a, b) => a - b))
})
