import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { systemClock } from '../../src/lib/core/clock.js'
import type { LatencyReport } from '../../src/lib/operator/latency-report.js'
import { BINARY, NOBODY_ELSE, launch } from '../e2e/launch.js'
import { until } from '../lib/poll.js'
import { TestRedis, freePort } from '../lib/redis/support.js'
import { CommandProcess } from './command-process.js'

let redis: TestRedis
/** Where what ends by itself is run. */
let commands: CommandProcess
beforeAll(async () => {
  redis = await TestRedis.start()
  commands = new CommandProcess()
})
afterAll(async () => {
  expect(await commands.end()).toBe(0)
  await redis.kill()
})

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

/** A Kalshi publisher with traffic that also answers on its recovery socket, and the environment that leads to it. */
async function withTraffic(): Promise<Record<string, string>> {
  const publisher = await Publisher.bind({
    name: 'kalshi',
    url: 'tcp://127.0.0.1:*',
    recoveryUrl: 'tcp://127.0.0.1:*',
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
  })
  const payload = { venue: 'kalshi', market_id: 'KX', selection: '', state: 'EMPTY', book_seq: 1 }
  const publish = () => {
    const stamps = { venue_ms: Date.now() - 20, recv: systemClock.monoUs() - 5_000 }
    publisher.channel('kalshi.prices').publish('prices.kalshi.KX', payload, { stamps })
  }
  const timer = setInterval(publish, 5)
  closers.push(() => {
    clearInterval(timer)
    publisher.close()
  })
  return {
    ...NOBODY_ELSE,
    ARBEES_ENDPOINTS__KALSHI: publisher.url,
    ARBEES_RECOVERY__KALSHI: publisher.recoveryUrl!,
    ARBEES_DATA_DIR: '/nonexistent',
    ARBEES_REDIS_URL: redis.url,
  }
}

const lines = (text: string) => text.trim().split('\n')
const reportIn = (text: string) => JSON.parse(lines(text).at(-1)!) as LatencyReport

/** There is no mirror here: whether that is noticed depends on how long a run took. */
const isNotOfRedis = ({ hop }: { readonly hop: string }): boolean => hop !== 'mirror_lag'

describe('arbees latency', () => {
  it('prints one JSON object in a pipe, and with --json, with the figures of each hop', async () => {
    const environment = await withTraffic()
    const runs = [
      ['prices.', '-n', '50'],
      ['prices.', '-n', '50', '--json', '--by', 'topic', '--dist'],
    ].map((words) => commands.launch(['latency', ...words], environment))
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0])
    for (const run of runs) expect(lines(run.stdout())).toHaveLength(1)
    const [report, byTopic] = runs.map((run) => reportIn(run.stdout()))
    expect(Object.keys(report!)).toEqual([
      'mode',
      'env',
      'prefixes',
      'ended',
      'from_ms',
      'to_ms',
      'messages',
      'gaps',
      'missing',
      'problems',
      'hops',
      'receive',
      'channels',
      'clock',
      'unmatched',
      'unmirrored',
      'reported',
      'asserts',
      'compared',
      'machine',
    ])
    expect(report).toMatchObject({ mode: 'live', ended: 'count', messages: 50, prefixes: ['prices.'] })
    expect(report?.hops.filter(isNotOfRedis).map(({ hop, n }) => [hop, n])).toEqual([
      ['venue_monitor', 50],
      ['frame_to_quote', 50],
    ])
    expect(Object.keys(report!.hops[0]!)).toEqual([
      'hop',
      'by',
      'clock',
      'clock_error_us',
      'skew_us',
      'hosts',
      'min_us',
      'p50_us',
      'p90_us',
      'p99_us',
      'p999_us',
      'max_us',
      'n',
      'below_zero',
    ])
    expect(report?.hops[1]?.min_us).toBeGreaterThanOrEqual(5_000)
    expect(report?.channels).toEqual([expect.objectContaining({ source: 'kalshi.prices', n: 50 })])
    // Two threads have compared their clocks: what that came to is the machine's affair.
    expect(report?.clock.rounds).toBeGreaterThan(0)
    expect(report?.clock).toMatchObject({ backwards: 0, error_us: expect.any(Number) })
    expect(byTopic?.hops[0]).toMatchObject({ by: 'prices.kalshi.KX', dist: expect.any(Array) })
  })

  it('judges thresholds, and compares with an earlier run', async () => {
    const environment = await withTraffic()
    const before = commands.launch(['latency', 'prices.', '-n', '20', '--json'], environment)
    expect(await before.ended).toBe(0)
    const dir = mkdtempSync(join(tmpdir(), 'arbees-latency-'))
    closers.push(() => rmSync(dir, { recursive: true, force: true }))
    const file = join(dir, 'before.json')
    writeFileSync(file, before.stdout())
    const words = ['latency', 'prices.', '-n', '20', '--json', '--compare', file]
    const asserts = ['frame_to_quote.p99<1us', 'frame_to_quote.n>=20'].flatMap((text) => ['--assert', text])
    const runs = [
      commands.launch([...words, '--assert', 'frame_to_quote.p50>=5ms', '--assert', 'n>=20'], environment),
      commands.launch([...words, ...asserts], environment),
    ]
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 3])
    expect(reportIn(runs[1]!.stdout()).asserts.map(({ holds }) => holds)).toEqual([false, true])
    expect(
      reportIn(runs[0]!.stdout())
        .compared.filter(isNotOfRedis)
        .map(({ hop }) => hop),
    ).toEqual(['venue_monitor', 'frame_to_quote'])
  })

  it('prints a line an interval, as JSON, CSV or text, and the whole run', async () => {
    const environment = await withTraffic()
    const words = ['latency', 'prices.', '--history', '--interval', '100ms', '--for', '700ms']
    const [json, csv] = [
      commands.launch([...words, '--json'], environment),
      commands.launch([...words, '--csv'], environment),
    ]
    expect(await Promise.all([json.ended, csv.ended])).toEqual([0, 0])
    const intervals = lines(json.stdout())
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { interval: { messages: number } }).interval)
    expect(intervals.length).toBeGreaterThan(2)
    expect(intervals.reduce((sum, { messages }) => sum + messages, 0)).toBe(reportIn(json.stdout()).messages)
    const [head, ...rows] = lines(csv.stdout())
    expect(head).toBe('from_ms,to_ms,hop,by,clock,n,min_us,p50_us,p90_us,p99_us,p999_us,max_us,below_zero')
    const counts = rows.filter((row) => row.includes(',receive,')).map((row) => Number(row.split(',')[5]))
    expect(counts.slice(0, -1).reduce((sum, n) => sum + n, 0)).toBe(counts.at(-1))
  })

  it('asks publishers and the machine itself', async () => {
    const environment = await withTraffic()
    const words = ['latency', 'prices.kalshi.', '--probe', '--baseline', '-n', '30', '--json']
    const run = commands.launch([...words, '--assert', 'echo.n>0'], environment)
    expect(await run.ended).toBe(0)
    const { hops, mode, messages } = reportIn(run.stdout())
    expect([mode, messages]).toEqual(['probe', 30])
    expect(hops.map(({ hop, by }) => [hop, by])).toEqual([
      ['echo', 'kalshi'],
      ['tcp_echo', 'tcp'],
      ['loop_turn', 'here'],
      ['timer_late', 'here'],
    ])
    for (const { n, hop } of hops) expect([hop, n > 5]).toEqual([hop, true])
    for (const { hop, min_us: min } of hops.slice(0, 2)) expect([hop, min > 0]).toEqual([hop, true])
  })

  it('prints the whole run on SIGINT', async () => {
    const run = launch(['latency', 'prices.', '--history', '--interval', '100ms'], await withTraffic())
    closers.push(() => run.child.kill('SIGKILL'))
    await until(() => run.stdout().includes('frame_to_quote'), 'a hop is shown', 15_000)
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    expect(reportIn(run.stdout())).toMatchObject({ ended: 'stopped', mode: 'live' })
  })

  it('ends when its reader does', async () => {
    const environment = await withTraffic()
    const command = `"${process.execPath}" "${BINARY}" latency prices. --history --interval 50ms | head -1`
    const child = spawn('sh', ['-c', command], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let closed = false
    child.on('close', () => (closed = true))
    closers.push(() => child.kill())
    await until(() => closed, 'the pipeline has ended', 15_000)
  })

  it('exits 5 when nothing was received, 6 without the Redis that it should ask, 2 for wrong usage', async () => {
    const environment = await withTraffic()
    const runs = [
      ['signals.', '--for', '300ms', '--json'],
      ['signals.', '--probe', '--for', '300ms'],
      ['--vs-redis', '--for', '300ms', '--redis-url', `redis://127.0.0.1:${await freePort()}`],
      ['--assert', 'p99', '--json'],
      ['--csv', '--json'],
      ['--history', '--interval', '0s'],
    ].map((words) => commands.launch(['latency', ...words], environment))
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([5, 5, 6, 2, 2, 2])
    expect(reportIn(runs[0]!.stdout())).toMatchObject({ messages: 0, hops: [] })
    expect(runs[1]?.stderr()).toContain('no answer from shard-0')
    expect(JSON.parse(runs[3]!.stdout())).toMatchObject({
      error: { code: 'BAD_ASSERT', exit: 2, message: "not a threshold: 'p99'" },
    })
  })
})
