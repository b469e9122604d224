import { createServer } from 'node:net'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UpFile } from '../../src/lib/core/config.js'
import type { UpSummary } from '../../src/lib/roles/up-summary.js'
import { until } from '../lib/poll.js'
import { createPlace, isAlive, launch } from './launch.js'
import type { Place, Run } from './launch.js'

let place: Place
const runs: Run[] = []
beforeEach(async () => {
  place = await createPlace()
})
afterEach(async () => {
  for (const run of runs.splice(0)) {
    if (run.child.exitCode === null && run.child.signalCode === null) run.child.kill('SIGKILL')
    await run.ended
  }
  place.remove()
})

function up(args: readonly string[], environment: Readonly<Record<string, string | undefined>> = {}): Run {
  const run = launch(['up', ...args], { ...place.environment, ...environment })
  runs.push(run)
  return run
}

/** The last line of stdout, which is the summary. */
function summaryOf(run: Run): UpSummary {
  const line = run.stdout().trimEnd().split('\n').at(-1) ?? ''
  try {
    return (JSON.parse(line) as { summary: UpSummary }).summary
  } catch {
    throw new Error(`no summary in '${line}'; stderr:\n${run.stderr()}`)
  }
}

const isReady = (run: Run) => run.stderr().includes('everything is ready')
const upFile = () => JSON.parse(readFileSync(join(place.dir, 'up.json'), 'utf8')) as UpFile

/** Pids of every role, from the lines `up` prints. */
function rolePids(): number[] {
  // Roles carry this run's data folder in their environment, and nothing else on the machine does.
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(place.dir)
      } catch {
        return false
      }
    })
}

describe('up', () => {
  it('runs the whole system and accounts for every order with the venue', async () => {
    const run = up(['--for', '40s', '--json', '--seed', '3'])
    await until(() => isReady(run), 'everything is ready', 40_000)
    const { settings } = upFile()
    const redis = new Redis(settings['redis_url']!)
    await until(async () => (await redis.xlen('sim:trades:history')) > 0, 'a trade is in Redis', 25_000)
    const keys = await redis.keys('*')
    const entry = (await redis.xrevrange('sim:prices:kalshi', '+', '-', 'COUNT', 1))[0]!
    redis.disconnect()
    // Told where by up.json alone.
    const top = launch(['top', '--once', '--json'], { ARBEES_DATA_DIR: place.dir })
    expect(await top.ended, top.stdout()).toBe(0)
    const games = launch(['games', '--json'], { ARBEES_DATA_DIR: place.dir })
    expect(await games.ended, games.stderr()).toBe(0)
    expect(JSON.parse(games.stdout())).toMatchObject({
      silent: [],
      games: expect.arrayContaining([
        expect.objectContaining({
          status: 'live',
          kalshi: { bid: expect.any(Number), ask: expect.any(Number) },
        }),
      ]) as unknown,
    })
    const markets = launch(['markets', '--league', 'nba', '--json'], { ARBEES_DATA_DIR: place.dir })
    expect(await markets.ended, markets.stderr()).toBe(0)
    expect(JSON.parse(markets.stdout())).toMatchObject({
      host: new URL(place.environment['ARBEES_KALSHI__REST_URL']!).host,
      markets: expect.arrayContaining([
        expect.objectContaining({ series: 'KXNBAGAME', tick: 0.01, fee_cents: 1.75, shard: 3 }),
      ]) as unknown,
      notices: [],
    })
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)

    const summary = summaryOf(run)
    expect(summary.quotes).toBeGreaterThan(100)
    expect(summary.signals).toBeGreaterThan(0)
    expect(summary.orders).toBeGreaterThan(0)
    expect(summary.fills).toBeGreaterThan(0)
    expect(summary.mirrored).toBeGreaterThan(summary.quotes)
    expect(summary).toMatchObject({ gaps: 0, duplicates: 0, parse_errors: 0 })
    expect(summary.sim).toEqual({ orders: summary.orders, fills: summary.fills })
    expect(summary.roles.map(({ name }) => name)).toEqual([
      'sim',
      'kalshi',
      'poly',
      'orchestrator',
      'shard-0',
      'exec',
      'mirror',
    ])
    for (const role of summary.roles) {
      expect(role).toMatchObject({ pid: expect.any(Number), ready_ms: expect.any(Number), restarts: 0 })
    }
    for (const hop of Object.values(summary.hops)) expect(hop!.n).toBeGreaterThan(0)

    expect(keys).toEqual(
      expect.arrayContaining([
        'sim:prices:kalshi',
        'sim:prices:poly',
        'sim:orderbook:kalshi',
        'sim:orderbook:poly',
        'sim:signals:trades',
        'sim:orders:history',
        'sim:trades:history',
        'sim:games:events',
        'sim:arbees:checkpoint:kalshi.prices',
        'sim:arbees:health:monitor:kalshi',
      ]),
    )
    expect(keys.filter((key) => /^sim:games:nba:\d+$/.test(key)).length).toBeGreaterThan(0)
    expect(keys.filter((key) => /^sim:market:.+:game_id$/.test(key)).length).toBeGreaterThan(3)
    const fields = Object.fromEntries(
      entry[1].flatMap((_, i, all) => (i % 2 === 0 ? [[all[i]!, all[i + 1]!]] : [])),
    )
    expect(JSON.parse(fields['data']!)).toMatchObject({
      source: 'kalshi.prices',
      epoch: Number(fields['epoch']),
      seq: Number(fields['seq']),
      payload: { venue: 'kalshi' },
    })

    expect(rolePids()).toEqual([])
    expect(existsSync(join(place.dir, 'up.json'))).toBe(false)
    expect(readdirSync(join(place.dir, 'sim'))).toEqual([])
  }, 90_000)

  it('restarts what is killed, says so, and nothing else dies; ends with the summary in a pipe without being asked', async () => {
    const run = up([])
    await until(() => isReady(run), 'everything is ready', 40_000)
    const pidOf = (name: string) =>
      Number(new RegExp(`up: ${name} starting, pid (\\d+)`).exec(run.stderr())?.[1])
    for (const name of ['kalshi', 'mirror']) {
      process.kill(pidOf(name), 'SIGKILL')
      await until(
        () => run.stderr().includes(`${name} was killed by SIGKILL; restart 1`),
        `${name} is told of`,
      )
    }
    await until(
      () => (run.stderr().match(/up: (kalshi|mirror) ready after/g) ?? []).length === 4,
      'both are back',
      20_000,
    )
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    const restarts = Object.fromEntries(summaryOf(run).roles.map((role) => [role.name, role.restarts]))
    expect(restarts).toEqual({
      sim: 0,
      kalshi: 1,
      poly: 0,
      orchestrator: 0,
      'shard-0': 0,
      exec: 0,
      mirror: 1,
    })
    expect(rolePids()).toEqual([])
  }, 90_000)

  it('leaves no process behind when it is killed itself', async () => {
    const run = up(['--json'])
    await until(() => isReady(run), 'everything is ready', 40_000)
    const redis = new Redis(upFile().settings['redis_url']!, { retryStrategy: () => null })
    redis.on('error', () => undefined)
    const redisPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))![1])
    run.child.kill('SIGKILL')
    expect(await run.ended).toBe('SIGKILL')
    await until(() => rolePids().length === 0, 'every role is gone', 20_000)
    await until(() => !isAlive(redisPid), 'Redis is gone', 5000)
    redis.disconnect()
  }, 90_000)

  it('names port and role when a port is in use, before it starts anything', async () => {
    const holder = createServer()
    await new Promise<void>((done) => holder.listen(place.ports['orchestrator'], '127.0.0.1', done))
    const run = up(['--for', '5s', '--json'])
    expect(await run.ended).toBe(1)
    holder.close()
    expect(JSON.parse(run.stdout())).toMatchObject({
      error: {
        code: 'PORT_IN_USE',
        message: expect.stringMatching(new RegExp(`port ${place.ports['orchestrator']} .*orchestrator`)),
      },
    })
    expect(run.stderr()).not.toContain('starting')
  }, 30_000)

  it('runs the hot path without Redis, and says what is missing and how to get it', async () => {
    const run = up(['--for', '4s', '--json'], { PATH: place.dir })
    expect(await run.ended).toBe(0)
    const summary = summaryOf(run)
    expect(summary.redis).toBeNull()
    expect(summary.quotes).toBeGreaterThan(0)
    expect(summary.mirrored).toBe(0)
    expect(run.stderr()).toMatch(/no Redis, so no mirror: .*install/)
  }, 60_000)

  it('refuses a Redis that was named and is not there', async () => {
    const run = up(['--for', '5s', '--json'], {
      ARBEES_REDIS_URL: `redis://:secret-word@127.0.0.1:${place.ports['exec']}`,
    })
    expect(await run.ended).toBe(6)
    expect(run.stdout() + run.stderr()).not.toContain('secret-word')
  }, 30_000)
})
