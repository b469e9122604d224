import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { createPlace, launch } from '../e2e/launch.js'
import type { Place, Run } from '../e2e/launch.js'
import { until } from '../lib/poll.js'
import { prices } from '../lib/messages/samples.js'
import { TestRedis } from '../lib/redis/support.js'
import { CommandProcess } from './command-process.js'

const SOURCE = 'kalshi.prices'
const COUNT = 3_000
/** By Redis, at least: it trims whole nodes of some 100 entries. */
const KEPT = 500

let place: Place
let redis: TestRedis
let mirror: Run
/** Where what ends by itself is run. */
let commands: CommandProcess
let publisher: Publisher
let environment: Record<string, string>

let published = 0
/** In turns on two topics; `book_seq` is their seq. */
function publish(count: number): void {
  for (let i = 0; i < count; i++) {
    const id = ++published % 2 === 1 ? 'ODD' : 'EVEN'
    publisher
      .channel(SOURCE)
      .publish(`prices.kalshi.${id}`, { ...prices, market_id: id, book_seq: published })
  }
}
const mirrored = () =>
  until(
    async () => Number(await redis.look.hget(`sim:arbees:checkpoint:${SOURCE}`, 'seq')) >= published,
    'the mirror has all',
    15_000,
  )
const startMirror = () => {
  mirror = launch(['mirror'], environment)
}

interface Line {
  readonly topic: string
  readonly seq: number
  readonly gap?: { readonly from: number; readonly to: number; readonly reason: string }
}
const linesOf = (run: Pick<Run, 'stdout'>): Line[] =>
  run
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
const seqsOf = (run: Pick<Run, 'stdout'>) => linesOf(run).map(({ seq }) => seq)
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const tap = (args: string[], extra: Record<string, string> = {}) =>
  launch(['tap', ...args], { ...environment, ...extra })
const tapped = (args: string[], extra: Record<string, string> = {}) =>
  commands.launch(['tap', ...args], { ...environment, ...extra })

beforeAll(async () => {
  place = await createPlace()
  redis = await TestRedis.start()
  commands = new CommandProcess()
  environment = {
    ...place.environment,
    ARBEES_REDIS_URL: redis.url,
    ARBEES_MIRROR__PRICES_MAXLEN: String(KEPT),
  }
  startMirror()
  publisher = await Publisher.bind({
    name: 'kalshi',
    url: `tcp://127.0.0.1:${place.ports['kalshi']}`,
    recoveryUrl: `tcp://127.0.0.1:${place.ports['kalshi-recovery']}`,
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
    journal: { root: join(place.dir, 'journal', 'sim'), retainBytes: 64 * 1024 * 1024 },
  })
  publish(COUNT)
  await mirrored()
})
afterAll(async () => {
  expect(await commands.end()).toBe(0)
  publisher.close()
  mirror.child.kill('SIGKILL')
  await mirror.ended
  await redis.stop()
  place.remove()
})

describe('arbees tap of what was', () => {
  it('has nothing twice and misses nothing, over the end of Redis, into now, over the death of the mirror', async () => {
    expect(await redis.look.xlen('sim:prices:kalshi')).toBeLessThan(COUNT / 2)
    const run = tap(['prices.kalshi.', '--since', '10m'])
    await until(() => seqsOf(run).length >= COUNT, 'the past is over', 15_000)
    const timer = setInterval(() => publish(10), 10)
    await until(() => seqsOf(run).length > COUNT + 200, 'it goes on')
    mirror.child.kill('SIGKILL')
    await mirror.ended
    await until(() => seqsOf(run).length > COUNT + 600, 'it goes on without the mirror')
    startMirror()
    await until(() => seqsOf(run).length > COUNT + 800, 'it goes on with the next')
    clearInterval(timer)
    await until(() => seqsOf(run).length >= published, 'it has all')
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    expect(seqsOf(run)).toEqual(span(1, published))
    expect(run.stderr()).toMatch(/0 gaps, 0 duplicates, 0 problems/)
    await mirrored()
  })

  it('marks as trimmed what Redis has no more, where the publisher does not answer', async () => {
    const run = tapped(['prices.kalshi.', '--since', '10m', '-n', '10'], {
      ARBEES_RECOVERY__KALSHI: 'tcp://127.0.0.1:1',
    })
    expect(await run.ended).toBe(8)
    const [first, ...rest] = linesOf(run)
    expect(first).toMatchObject({ gap: { from: 1, reason: 'trimmed' } })
    expect(rest[0]!.seq).toBe(first!.gap!.to + 1)
    expect(run.stderr()).toContain('kalshi does not answer')
  })

  it('begins where an id says', async () => {
    const [id, fields] = (await redis.look.xrange('sim:prices:kalshi', '-', '+', 'COUNT', 31)).at(-1)!
    const byId = tapped(['prices.kalshi.', '--since', id, '-n', '20'])
    expect(await byId.ended).toBe(0)
    const seq = Number(fields[fields.indexOf('seq') + 1])
    expect(seqsOf(byId)).toEqual(span(seq, seq + 19))
  })

  it('takes the last so many: of one topic, and more than Redis has, then goes on', async () => {
    const [odd, few, many] = [
      tapped(['prices.kalshi.ODD', '--last', '3', '-n', '3']),
      tap(['prices.', '--where', 'book_seq = -1', '--last', '3']),
      tap(['prices.', '--last', '2500', '-n', '2550']),
    ]
    await until(() => seqsOf(many).length >= 2_500, 'its past is over', 15_000)
    await until(() => few.stderr().includes('0 messages found of the last 3'), 'it is said', 15_000)
    few.child.kill('SIGINT')
    expect(await Promise.all([odd.ended, few.ended])).toEqual([0, 5])
    const last = published % 2 === 1 ? published : published - 1
    expect(seqsOf(odd)).toEqual([last - 4, last - 2, last])
    publish(50)
    expect(await many.ended).toBe(0)
    expect(seqsOf(many)).toEqual(span(published - 2_549, published))
    await mirrored()
  })

  it('shows the newest value of each topic, and goes on behind when told so', async () => {
    const run = tapped(['prices.kalshi.', '--snapshot', '--follow', '-n', '40'])
    const timer = setInterval(() => publish(1), 5)
    expect(await run.ended).toBe(0)
    clearInterval(timer)
    const lines = linesOf(run)
    expect(lines.slice(0, 2).map(({ topic }) => topic)).toEqual(['prices.kalshi.EVEN', 'prices.kalshi.ODD'])
    const seqs = seqsOf(run).sort((a, b) => a - b)
    expect(seqs).toEqual(span(seqs[0]!, seqs[0]! + 39))
    await mirrored()
  })

  it('says which publisher did not give its part of a snapshot, and exits 6', async () => {
    const run = tapped(['prices.', '--snapshot'])
    expect(await run.ended).toBe(6)
    expect(seqsOf(run).sort((a, b) => a - b)).toEqual([published - 1, published])
    expect(run.stderr()).toContain('poly does not answer')
  })

  it('reads Redis alone when told so', async () => {
    const environmentWithoutBus = { ARBEES_ENDPOINTS__KALSHI: 'tcp://127.0.0.1:1' }
    const run = tapped(['prices.kalshi.', '--from', 'redis', '-n', '30'], environmentWithoutBus)
    const timer = setInterval(() => publish(2), 10)
    expect(await run.ended).toBe(0)
    clearInterval(timer)
    const seqs = seqsOf(run)
    expect(seqs).toEqual(span(seqs[0]!, seqs[0]! + 29))
    await mirrored()
  })
})
