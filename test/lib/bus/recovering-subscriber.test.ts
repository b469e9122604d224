import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Gap } from '../../../src/lib/bus/gap.js'
import { NOWHERE } from '../../../src/lib/bus/position.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { RecoveringSubscriber } from '../../../src/lib/bus/recovering-subscriber.js'
import type {
  ChannelState,
  RecoveringMode,
  RecoveringSubscriberOptions,
  Regression,
} from '../../../src/lib/bus/recovering-subscriber.js'
import type { Problem, Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { Clock } from '../../../src/lib/core/clock.js'
import { TcpProxy } from '../../faults/tcp-proxy.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'

const SOURCE = 'kalshi.prices'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'recovering-'))
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

interface Place {
  readonly root?: string
  readonly url?: string
  readonly recoveryUrl?: string
  readonly clock?: Clock
  readonly epochFloor?: number
}

async function bind({ root, url, recoveryUrl, clock, epochFloor = 0 }: Place = {}): Promise<Publisher> {
  const publisher = await Publisher.bind({
    name: 'kalshi',
    url: url ?? 'tcp://127.0.0.1:*',
    recoveryUrl: recoveryUrl ?? 'tcp://127.0.0.1:*',
    env: 'sim',
    clock: clock ?? systemClock,
    sources: [SOURCE],
    ...(root === undefined ? {} : { journal: { root, retainBytes: 64 * 1024 * 1024, epochFloor } }),
  })
  cleanups.push(() => publisher.close())
  return publisher
}

const portOf = (url: string): number => Number(url.slice(url.lastIndexOf(':') + 1))

/** The publisher's messages and heartbeats pass through it, its recovery socket does not. */
async function wireTo(publisher: Publisher): Promise<{ wire: TcpProxy; url: string }> {
  const port = await freePort()
  const host = '127.0.0.1'
  const wire = await TcpProxy.listen({ host, port }, { host, port: portOf(publisher.url) })
  cleanups.push(() => wire.close())
  return { wire, url: `tcp://${host}:${port}` }
}

/** A port that the kernel has just found free. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

function read(
  place: { readonly url: string; readonly recoveryUrl: string | undefined },
  mode: RecoveringMode,
  more: Partial<RecoveringSubscriberOptions> = {},
) {
  const seen = {
    received: [] as Received[],
    gaps: [] as Gap[],
    problems: [] as Problem[],
    states: [] as ChannelState[],
    regressions: [] as (Regression | undefined)[],
    beats: 0,
  }
  const { url, recoveryUrl } = place
  const subscriber = new RecoveringSubscriber({
    endpoints: [
      { publisher: 'kalshi', sources: [SOURCE], url, ...(recoveryUrl === undefined ? {} : { recoveryUrl }) },
    ],
    prefixes: ['prices.'],
    env: 'sim',
    clock: systemClock,
    outOfReachMs: 5_000,
    onMessage: (received) => seen.received.push(received),
    onGap: (gap) => seen.gaps.push(gap),
    onState: (_source, state) => seen.states.push(state),
    onRegression: (_source, regression) => seen.regressions.push(regression),
    onProblem: (problem) => seen.problems.push(problem),
    onHeartbeat: () => seen.beats++,
    ...more,
    ...mode,
  })
  cleanups.push(() => subscriber.close())
  return { seen, subscriber }
}

const fromTheBeginning: RecoveringMode = { mode: 'gap-filled', startAt: () => NOWHERE }
const live: RecoveringMode = { mode: 'gap-filled', startAt: () => 'live' }
const snapshot: RecoveringMode = { mode: 'snapshot' }

const topicOf = (market: number) => `prices.kalshi.M${market}`
let serial = 0
function publish(publisher: Publisher, count: number, markets = 7): void {
  const channel = publisher.channel(SOURCE)
  for (let i = 0; i < count; i++) {
    const market = serial++ % markets
    channel.publish(topicOf(market), { ...samples.prices, market_id: `M${market}`, book_seq: serial })
  }
}

/** What was published has left the process: nobody who connects now hears it. */
const sent = () => new Promise((resolve) => setTimeout(resolve, 50))

const seqs = (received: readonly Received[]): number[] => received.map(({ message }) => message.header.seq)
const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)
const late = (received: readonly Received[]) => received.filter(({ isLate }) => isLate === true)
/** The newest of each market, as a reader or a publisher's own list of everything has it. */
const newest = (received: readonly Received[]): Map<string, number> =>
  new Map(received.map(({ topic, message }) => [topic, message.header.seq]))

describe('a gap-filled reader', () => {
  it('has every message once and in order when the wire loses hundreds of them', async () => {
    const publisher = await bind({ root: folder() })
    const { wire, url } = await wireTo(publisher)
    const { seen } = read({ url, recoveryUrl: publisher.recoveryUrl }, live)
    await until(() => seen.states.at(-1) === 'LIVE', 'the reader is live')
    publish(publisher, 100)
    await until(() => seen.received.length === 100, 'the first hundred')
    wire.blackhole()
    publish(publisher, 1_200)
    await new Promise((resolve) => setTimeout(resolve, 50))
    wire.heal()
    await until(() => seen.received.length === 1_300, 'what was lost')
    publish(publisher, 100)
    await until(() => seen.received.length === 1_400, 'the last hundred')
    expect(seqs(seen.received)).toEqual(upTo(1_400))
    expect(late(seen.received).length).toBeGreaterThan(0)
    expect(seen.gaps).toEqual([])
    expect(seen.problems).toEqual([])
    expect(seen.states.slice(0, 3)).toEqual(['LIVE', 'GAP', 'LIVE'])
  })

  it('pulls what was published before it came, and goes on where it was in a later life of it', async () => {
    const root = folder()
    const publisher = await bind({ root })
    publish(publisher, 1_000)
    const place = { url: publisher.url, recoveryUrl: publisher.recoveryUrl }
    const first = read(place, fromTheBeginning)
    await until(() => first.seen.received.length === 1_000, 'the past')
    const at = first.subscriber.position(SOURCE)
    expect(at).toMatchObject({ epoch: publisher.channel(SOURCE).epoch, seq: 1_000 })
    first.subscriber.close()
    publish(publisher, 300)
    publisher.close()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const next = await bind({ root, ...place, recoveryUrl: place.recoveryUrl! })
    publish(next, 20)
    const second = read(place, { mode: 'gap-filled', startAt: () => at ?? NOWHERE })
    await until(() => second.seen.received.length === 320, 'the rest of the old life, and the new one')
    expect(seqs(second.seen.received)).toEqual([...upTo(1_300, 1_001), ...upTo(20)])
    expect(second.seen.gaps).toEqual([])
  })

  it('begins with what it hears when it has nothing and wants nothing of the past', async () => {
    const publisher = await bind({ root: folder() })
    publish(publisher, 50)
    await sent()
    const { seen } = read(publisher, live)
    await until(() => seen.states.at(-1) === 'LIVE', 'the reader is live')
    publish(publisher, 10)
    await until(() => seen.received.length === 10, 'the new ones')
    expect(seqs(seen.received)).toEqual(upTo(60, 51))
    expect(seen.gaps).toEqual([])
  })

  it('says exactly what is missing where no journal is kept', async () => {
    const publisher = await bind()
    const { wire, url } = await wireTo(publisher)
    const { seen } = read({ url, recoveryUrl: publisher.recoveryUrl }, live)
    await until(() => seen.states.at(-1) === 'LIVE', 'the reader is live')
    publish(publisher, 10)
    await until(() => seen.received.length === 10, 'the first ten')
    wire.blackhole()
    publish(publisher, 30)
    await new Promise((resolve) => setTimeout(resolve, 50))
    wire.heal()
    await until(() => seen.gaps.length === 1, 'the gap')
    publish(publisher, 10)
    await until(() => seen.received.length === 20, 'the last ten')
    const { epoch } = publisher.channel(SOURCE)
    expect(seen.gaps).toEqual([{ source: SOURCE, epoch, from: 11, to: 40, reason: 'no_journal' }])
    expect(seqs(seen.received)).toEqual([...upTo(10), ...upTo(50, 41)])
  })

  it('gives up a hole of a publisher that lives and does not answer', async () => {
    const publisher = await bind({ root: folder() })
    const { wire, url } = await wireTo(publisher)
    const { seen } = read({ url, recoveryUrl: 'tcp://127.0.0.1:1' }, live, { outOfReachMs: 300 })
    await until(() => seen.states.at(-1) === 'LIVE', 'the reader is live')
    wire.blackhole()
    publish(publisher, 30)
    await new Promise((resolve) => setTimeout(resolve, 50))
    wire.heal()
    await until(() => seen.gaps.length === 1, 'the gap')
    expect(seen.gaps[0]).toMatchObject({ from: 1, to: 30, reason: 'out_of_reach' })
    expect(seen.states).toEqual(['LIVE', 'GAP', 'LIVE'])
  })

  it('takes one message that comes live and another way only once, and fills a hole from either', async () => {
    const publisher = await bind({ root: folder() })
    const other = read(publisher, live)
    const { wire, url } = await wireTo(publisher)
    const { seen, subscriber } = read({ url, recoveryUrl: 'tcp://127.0.0.1:1' }, live)
    await until(() => [seen, other.seen].every(({ states }) => states.at(-1) === 'LIVE'), 'both are live')
    publish(publisher, 10)
    await until(() => [seen, other.seen].every(({ received }) => received.length === 10), 'the first ten')
    wire.blackhole()
    publish(publisher, 20)
    await until(() => other.seen.received.length === 30, 'the other has what was lost')
    for (const received of [...other.seen.received].reverse()) subscriber.feed(received)
    wire.heal()
    await until(() => seen.received.length === 30, 'what was fed')
    const { beats } = seen
    await until(() => seen.beats > beats, 'the wire is whole')
    publish(publisher, 5)
    await until(() => seen.received.length === 35, 'the last five')
    expect(seqs(seen.received)).toEqual(upTo(35))
    expect(seen.gaps).toEqual([])
    expect(seen.problems).toEqual([])
  })

  it('goes on behind a handler that throws, live and pulled', async () => {
    const publisher = await bind({ root: folder() })
    publish(publisher, 10)
    const taken: number[] = []
    const { seen } = read(publisher, fromTheBeginning, {
      onMessage: ({ message }) => {
        taken.push(message.header.seq)
        if (message.header.seq % 10 === 3) throw new Error('no')
      },
    })
    await until(() => taken.length === 10, 'the past')
    publish(publisher, 10)
    await until(() => taken.length === 20, 'the new ones')
    expect(taken).toEqual(upTo(20))
    expect(seen.problems.map(({ reason }) => reason)).toEqual(['handler_failed', 'handler_failed'])
  })
})

describe('a handler of states that throws', () => {
  it('is told of, and the channel goes on', async () => {
    const publisher = await bind({ root: folder() })
    publish(publisher, 10)
    const { seen } = read(publisher, fromTheBeginning, {
      onState: () => {
        throw new Error('no')
      },
    })
    await until(() => seen.received.length === 10, 'the past')
    publish(publisher, 10)
    await until(() => seen.received.length === 20, 'the new ones')
    expect(new Set(seen.problems.map(({ reason }) => reason))).toEqual(new Set(['handler_failed']))
  })
})

describe('a snapshot reader', () => {
  it('that comes late to a busy publisher has its newest values, and everything behind them once', async () => {
    const publisher = await bind({ root: folder() })
    const witness = read(publisher, live)
    await until(() => witness.seen.states.at(-1) === 'LIVE', 'the witness is live')
    // Quiet markets are in the snapshot alone.
    publish(publisher, 3_000, 1_500)
    const load = setInterval(() => publish(publisher, 20, 50), 2)
    cleanups.push(() => clearInterval(load))
    const { seen } = read(publisher, snapshot)
    await until(() => seen.states.at(-1) === 'LIVE' && seen.received.length > 3_000, 'the late one is live')
    clearInterval(load)
    const { lastSeq } = publisher.channel(SOURCE)
    await until(
      () => [seen, witness.seen].every(({ received }) => received.at(-1)?.message.header.seq === lastSeq),
      'both have the last one',
    )
    expect(newest(seen.received)).toEqual(newest(witness.seen.received))
    expect(newest(seen.received).size).toBe(1_500)
    // Behind the snapshot nothing is left out and nothing repeated.
    const behind = seqs(seen.received).slice(1_500)
    expect(new Set(seqs(seen.received)).size).toBe(seen.received.length)
    expect(behind).toEqual([...behind].sort((a, b) => a - b))
    expect(seen.gaps).toEqual([])
    expect(seen.problems).toEqual([])
  })

  it('is not LIVE from the first sign of a loss until it is mended, and then whole', async () => {
    const publisher = await bind({ root: folder() })
    const { wire, url } = await wireTo(publisher)
    const { seen } = read({ url, recoveryUrl: publisher.recoveryUrl }, snapshot)
    await until(() => seen.states.at(-1) === 'LIVE', 'the reader is live')
    publish(publisher, 100)
    await until(() => seen.received.length === 100, 'the first hundred')
    wire.blackhole()
    // More than is pulled one by one: the newest values say as much.
    publish(publisher, 5_000, 10)
    await new Promise((resolve) => setTimeout(resolve, 50))
    wire.heal()
    await until(() => seen.states.length === 3, 'it is live again')
    const { lastSeq } = publisher.channel(SOURCE)
    expect(seen.states.map((state) => state === 'LIVE')).toEqual([true, false, true])
    expect(Math.max(...newest(seen.received).values())).toBe(lastSeq)
    expect([...newest(seen.received).values()].sort((a, b) => a - b)).toEqual(upTo(lastSeq, lastSeq - 9))
    expect(seen.received.length).toBeLessThan(1_000)
    expect(seen.gaps).toEqual([])
  })

  it('begins with what it hears where nobody can be asked', async () => {
    const publisher = await bind()
    publish(publisher, 50)
    await sent()
    const { seen } = read({ url: publisher.url, recoveryUrl: undefined }, snapshot)
    await until(() => seen.states.at(-1) === 'LIVE', 'the reader is live')
    publish(publisher, 10)
    await until(() => seen.received.length === 10, 'the new ones')
    expect(seqs(seen.received)).toEqual(upTo(60, 51))
    expect(seen.gaps).toEqual([])
  })
})

describe('a publisher whose clock was set back and whose journal is gone', () => {
  it.each<[string, RecoveringMode]>([
    ['gap-filled', fromTheBeginning],
    ['snapshot', snapshot],
  ])(
    'is not LIVE to a %s reader, which says so and by how much, until its epoch is later',
    async (_, mode) => {
      const first = await bind({ root: folder() })
      const place = { url: first.url, recoveryUrl: first.recoveryUrl! }
      const { seen, subscriber } = read(place, mode, { outOfReachMs: 300 })
      publish(first, 10)
      await until(() => seen.states.at(-1) === 'LIVE' && seen.received.length > 0, 'it reads the first life')
      const latest = subscriber.position(SOURCE)!.epoch
      first.close()
      const anHourAgo: Clock = { ...systemClock, nowMs: () => Date.now() - 3_600_000 }
      await sent()
      const regressed = await bind({ root: folder(), ...place, clock: anHourAgo })
      publish(regressed, 20)
      const { epoch } = regressed.channel(SOURCE)
      await until(() => seen.regressions.length > 0, 'it says so')
      expect(seen.regressions).toEqual([{ epoch, latest }])
      expect(seen.states.at(-1)).toBe('GAP')
      expect(Math.max(...seen.received.map(({ message }) => message.header.epoch))).toBe(latest)
      regressed.close()
      await sent()
      const root = folder()
      const mended = await bind({ root, ...place, clock: anHourAgo, epochFloor: latest + 1 })
      publish(mended, 5)
      await until(() => seen.states.at(-1) === 'LIVE', 'it reads the new life')
      expect(seen.regressions).toEqual([{ epoch, latest }, undefined])
      await until(() => seen.received.at(-1)?.message.header.seq === 5, 'all of it')
      expect(seen.received.at(-1)?.message.header.epoch).toBe(latest + 1)
    },
  )
})
