import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import type { Gap } from '../../../src/lib/bus/gap.js'
import type { Problem, Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { BusReaderOptions } from '../../../src/lib/history/bus-reader.js'
import { WindowReader } from '../../../src/lib/history/window-reader.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import { until } from '../poll.js'
import { TestRedis } from '../redis/support.js'
import { envelopeOf, heartbeatOf, mirrorHealth, mirrorTo, topicOf } from './redis-mirror.js'

const SIGNALS = 'shard-0.signals'
const PRICES = 'kalshi.prices'
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

let server: TestRedis
const cleanups: (() => unknown)[] = []
beforeAll(async () => {
  server = await TestRedis.start()
})
afterAll(() => server.stop())
beforeEach(() => server.look.flushall())
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

type GapFilled = Pick<Extract<BusReaderOptions, { mode: 'gap-filled' }>, 'mode' | 'startAt' | 'maxBehind'>
type Snapshot = Pick<Extract<BusReaderOptions, { mode: 'snapshot' }>, 'mode' | 'onConflated'>

function read(publisher: string, mode: GapFilled | Snapshot) {
  const got: Received[] = []
  const gaps: Gap[] = []
  const problems: Problem[] = []
  const beats: { heartbeat: Heartbeat; behind: number }[] = []
  const states: string[] = []
  const reader = new WindowReader({
    name: 'test',
    redisUrl: server.url,
    endpoints: [{ publisher, url: 'tcp://127.0.0.1:1', sources: sourcesOf(publisher) }],
    prefixes: ['signals.trade.', 'prices.'],
    env: 'sim',
    clock: systemClock,
    keys: undefined,
    outOfReachMs: 1_000,
    ...mode,
    onMessage: (received) => got.push(received),
    onGap: (gap) => gaps.push(gap),
    onState: (source, state) => states.push(`${source} ${state}`),
    onHeartbeat: (heartbeat) => beats.push({ heartbeat, behind: got.length }),
    onProblem: (problem) => problems.push(problem),
    onLink: () => undefined,
    onRedisDown: () => undefined,
  })
  cleanups.push(() => reader.close())
  const places = () =>
    got.map(({ message: { header } }) => (header.epoch === 7 ? header.seq : `${header.epoch}/${header.seq}`))
  const live = () => until(() => states.at(-1)?.endsWith('LIVE') === true, 'the reader is live')
  return { reader, got, gaps, problems, beats, states, places, live }
}

const from = (seq: number, epoch = 7): GapFilled => ({ mode: 'gap-filled', startAt: () => ({ epoch, seq }) })

describe('the bus as Redis has it', () => {
  it('goes on behind what a role has, backlog first, then live, nothing twice', async () => {
    await mirrorTo(server, SIGNALS, 7, 1, 400)
    const { places, live, got, gaps, problems, reader } = read('shard-0', from(150))
    await live()
    expect(places()).toEqual(span(151, 400))
    expect(got.every(({ isLate }) => isLate === true)).toBe(true)
    await mirrorTo(server, SIGNALS, 7, 401, 402)
    await until(() => got.length === 252, 'news came')
    expect(got.slice(-2).map(({ isLate }) => isLate)).toEqual([undefined, undefined])
    expect([gaps, problems]).toEqual([[], []])
    expect(reader.position(SIGNALS)).toEqual({ epoch: 7, seq: 402 })
  })

  it('names exactly what the window does not have any more', async () => {
    await mirrorTo(server, SIGNALS, 7, 301, 310)
    const { places, live, gaps } = read('shard-0', from(150))
    await live()
    expect(places()).toEqual(span(301, 310))
    expect(gaps).toEqual([{ source: SIGNALS, epoch: 7, from: 151, to: 300, reason: 'missed' }])
  })

  it('passes over what lies too far behind, and counts it', async () => {
    await mirrorTo(server, SIGNALS, 7, 1, 900)
    const { places, live, gaps } = read('shard-0', { ...from(150), maxBehind: 600 })
    await live()
    expect(places()).toEqual(span(301, 900))
    expect(gaps).toEqual([{ source: SIGNALS, epoch: 7, from: 151, to: 300, reason: 'missed' }])
  })

  it('takes a new epoch behind the old one without a gap, and one that begins late with it', async () => {
    await mirrorTo(server, SIGNALS, 7, 1, 5)
    await mirrorTo(server, SIGNALS, 8, 1, 3)
    await mirrorTo(server, SIGNALS, 9, 4, 4)
    const { places, live, gaps } = read('shard-0', from(3))
    await live()
    expect(places()).toEqual([4, 5, '8/1', '8/2', '8/3', '9/4'])
    expect(gaps).toEqual([{ source: SIGNALS, epoch: 9, from: 1, to: 3, reason: 'missed' }])
  })

  it('does not take a new epoch for the end of one that the stream has no more of', async () => {
    await mirrorTo(server, SIGNALS, 8, 1, 3)
    const { places, live, gaps } = read('shard-0', from(3))
    await live()
    expect(places()).toEqual(['8/1', '8/2', '8/3'])
    expect(gaps).toEqual([{ source: SIGNALS, epoch: 7, from: 4, to: null, reason: 'epoch_end_unknown' }])
  })

  it('counts what lies too far behind in an epoch before too', async () => {
    await mirrorTo(server, SIGNALS, 7, 1, 30)
    await mirrorTo(server, SIGNALS, 8, 1, 5)
    const { places, live, gaps } = read('shard-0', { ...from(3), maxBehind: 2 })
    await live()
    expect(places()).toEqual(['8/4', '8/5'])
    expect(gaps).toEqual([
      { source: SIGNALS, epoch: 7, from: 4, to: null, reason: 'epoch_end_unknown' },
      { source: SIGNALS, epoch: 8, from: 1, to: 3, reason: 'missed' },
    ])
  })

  it('that was filled again repeats to us nothing that we had, and skips nothing', async () => {
    await mirrorTo(server, SIGNALS, 7, 1, 10)
    const { places, live, states, gaps, got } = read('shard-0', from(0))
    await live()
    await server.kill()
    await until(() => states.at(-1) === `${SIGNALS} GAP`, 'it knows that Redis is away')
    await server.start()
    await mirrorTo(server, SIGNALS, 7, 3, 12)
    await until(() => got.length === 12, 'it goes on')
    expect(places()).toEqual(span(1, 12))
    expect(gaps).toEqual([])
    expect(states).toEqual([`${SIGNALS} LIVE`, `${SIGNALS} GAP`, `${SIGNALS} LIVE`])
  })

  it('is refused where a field beside the envelope says something else, or it is of another env', async () => {
    const forged = async (fields: Record<string, string | number>, data: string, topic: string) => {
      const flat = Object.entries({ source: SIGNALS, epoch: 7, seq: 1, ...fields }).flat()
      await server.look.xadd('sim:signals:trades', '*', 'topic', topic, 'data', data, ...flat.map(String))
    }
    const place = { epoch: 7, seq: 1 }
    const data = envelopeOf(SIGNALS, place)
    const topic = topicOf(SIGNALS, place)
    await forged({ seq: 2 }, data, topic)
    await forged({}, envelopeOf('shard-1.signals', place), topic)
    await forged({}, data, 'games.discovered')
    await forged({}, envelopeOf(SIGNALS, place, 'prod'), topic)
    await forged({}, 'not json', topic)
    await forged({}, data, topic)
    const { places, live, problems } = read('shard-0', from(0))
    await live()
    expect(places()).toEqual([1])
    expect(problems.map(({ reason }) => reason)).toEqual([
      'entry_differs',
      'entry_differs',
      'bad_payload',
      'wrong_env',
      'not_json',
    ])
    expect(problems[0]!.endpoint.publisher).toBe('redis')
  })

  it('of prices that wait hands on only the newest, and before a gap the one before it', async () => {
    await mirrorTo(server, PRICES, 7, 1, 150)
    await mirrorTo(server, PRICES, 7, 160, 300)
    const conflated: number[] = []
    const onConflated = ({ message }: Received) => conflated.push(message.header.seq)
    const { got, places, live, gaps, problems } = read('kalshi', { mode: 'snapshot', onConflated })
    await live()
    const sent = [...span(1, 150), ...span(160, 300)]
    expect([...places(), ...conflated].map(Number).sort((a, b) => a - b)).toEqual(sent)
    expect(places().length).toBeLessThan(10)
    expect(places()).toEqual([...places()].sort((a, b) => Number(a) - Number(b)))
    expect(places()).toEqual(expect.arrayContaining([150, 300]))
    expect(gaps).toEqual([{ source: PRICES, epoch: 7, from: 151, to: 159, reason: 'missed' }])
    for (let seq = 301; seq <= 305; seq++) {
      await mirrorTo(server, PRICES, 7, seq, seq)
      await until(() => got.at(-1)?.message.header.seq === seq, 'each comes while none waits')
    }
    expect(problems).toEqual([])
  })

  it.each<[string, Snapshot]>([
    ['', { mode: 'snapshot' }],
    [', which may wait conflated', { mode: 'snapshot', onConflated: () => undefined }],
  ])('lets no heartbeat overtake what it speaks of%s', async (_, mode) => {
    await mirrorTo(server, PRICES, 7, 1, 3)
    const { live, beats, got } = read('kalshi', mode)
    await live()
    const beatAt = (seq: number) =>
      mirrorHealth(server, heartbeatOf('kalshi', { [PRICES]: { epoch: 7, seq } }))
    await beatAt(3)
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(beats).toEqual([])
    // The mirror heard of five, and its stream stands at three: nothing says that the three are fresh.
    await beatAt(5)
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(beats).toEqual([])
    await mirrorTo(server, PRICES, 7, 4, 5)
    await until(() => beats.length === 1, 'the heartbeat is handed on')
    expect(got[beats[0]!.behind - 1]?.message.header.seq).toBe(5)
  })

  it('has no word of a publisher whose heartbeat nobody renews, or which is of another', async () => {
    await mirrorTo(server, PRICES, 7, 1, 1)
    await mirrorHealth(server, heartbeatOf('kalshi', { [PRICES]: { epoch: 7, seq: 1 } }))
    const { live, beats, problems } = read('kalshi', { mode: 'snapshot' })
    await live()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(beats).toEqual([])
    await server.look.set('sim:arbees:health:monitor:kalshi', JSON.stringify(heartbeatOf('poly', {})))
    await until(() => problems.length > 0, 'the foreign one is refused')
    expect(problems[0]!.kind).toBe('foreign_heartbeat')
    expect(beats).toEqual([])
  })
})
