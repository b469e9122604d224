import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { ArbeesError, EXIT } from '../../../src/lib/core/errors.js'
import { RedisLink, checkRedis, connectRedis } from '../../../src/lib/redis/connection.js'
import { redisError, redisErrorCode } from '../../../src/lib/redis/errors.js'
import { LuaScript } from '../../../src/lib/redis/lua.js'
import { readMarketGame, setMarketGames } from '../../../src/lib/redis/market-map.js'
import { until } from '../poll.js'
import { FaultyProxy, TestRedis, freePort } from './support.js'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function redisServer(extra: readonly string[] = [], password?: string): Promise<TestRedis> {
  const server = await TestRedis.start(extra, password)
  cleanups.push(() => server.stop())
  return server
}

async function linkTo(url: string): Promise<RedisLink> {
  const link = await connectRedis(url, 'test')
  cleanups.push(() => link.close())
  return link
}

async function failureOf(work: Promise<unknown>): Promise<ArbeesError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ArbeesError)
  return error as ArbeesError
}

describe('redis connection', () => {
  it('says who answers', async () => {
    const server = await redisServer()
    const { version, pid, runId } = await checkRedis(server.url)
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(pid).toBe(server.pid)
    expect(runId).toMatch(/^[0-9a-f]{40}$/)
  })

  it('nobody there is REDIS_UNREACHABLE with what to do about it', async () => {
    const error = await failureOf(checkRedis(`redis://127.0.0.1:${await freePort()}`, 300))
    expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', exit: EXIT.UNREACHABLE })
    expect(error.message).toContain('ECONNREFUSED')
    expect(error.hint).toContain('apt-get install redis-server')
  })

  it.each([
    ['a wrong password', 'hunter2-wrong'],
    ['no password', undefined],
  ])('%s is REDIS_AUTH at once, and no password is in the error', async (_, given) => {
    const server = await redisServer(['--requirepass', 'hunter2-right'], 'hunter2-right')
    const login = given === undefined ? '' : `:${given}@`
    const error = await failureOf(checkRedis(`redis://${login}127.0.0.1:${server.port}`, 10_000))
    expect(error).toMatchObject({ code: 'REDIS_AUTH', exit: EXIT.CONFIG })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hunter2')
    await checkRedis(`redis://:hunter2-right@127.0.0.1:${server.port}`)
  })

  it('a Cluster node is refused', async () => {
    const server = await redisServer(['--cluster-enabled', 'yes'])
    const cluster = { code: 'REDIS_CLUSTER', exit: EXIT.CONFIG }
    expect(await failureOf(checkRedis(server.url))).toMatchObject(cluster)
    // What one says of a key that it does not have, when nobody asked what it is.
    await server.look.call('CLUSTER', 'ADDSLOTSRANGE', '0', '1')
    const refusal = await server.look.get('k').catch((error: unknown) => error)
    expect(redisError('redis://h:1', refusal)).toMatchObject(cluster)
  })

  it.each([
    ['100mb', 'allkeys-lru', 'allkeys-lru'],
    ['100mb', 'volatile-lru', undefined],
    ['100mb', 'noeviction', undefined],
    ['0', 'allkeys-lru', undefined],
  ])('maxmemory %s with %s: the policy that may take a stream is %s', async (memory, policy, evicts) => {
    const server = await redisServer(['--maxmemory', memory, '--maxmemory-policy', policy])
    expect(await checkRedis(server.url)).toMatchObject({ evicts })
  })

  it.each([
    ['1kb', 'noeviction', /^OOM: it uses \d+ of 1024 bytes \(maxmemory\)$/],
    ['1kb', 'allkeys-lru', undefined],
    ['100mb', 'noeviction', undefined],
    ['0', 'noeviction', undefined],
  ])('maxmemory %s with %s: it says why it takes no write', async (memory, policy, why) => {
    const server = await redisServer(['--maxmemory', memory, '--maxmemory-policy', policy])
    const { refusesWrites } = await checkRedis(server.url)
    if (why === undefined) expect(refusesWrites).toBeUndefined()
    else expect(refusesWrites).toMatch(why)
  })

  it('one that could not save says that it may take no write', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'arbees-save-'))
    const server = await redisServer(['--dir', dir])
    rmSync(dir, { recursive: true })
    await server.look.bgsave()
    const refusal = async () => (await checkRedis(server.url)).refusesWrites
    await until(async () => (await refusal()) !== undefined, 'it knows that it failed')
    expect(await refusal()).toMatch(/^MISCONF/)
  })

  it('Redis 5, which knows no HELLO either, is refused', async () => {
    const server = await redisServer(['--rename-command', 'HELLO', ''])
    const proxy = await FaultyProxy.start(server.port)
    cleanups.push(() => proxy.stop())
    proxy.rewrite = (text) => text.replace(/redis_version:\d/, 'redis_version:5')
    const error = await failureOf(checkRedis(proxy.url))
    expect(error).toMatchObject({ code: 'REDIS_TOO_OLD', exit: EXIT.CONFIG })
    expect(error.message).toMatch(/is 5\./)
  })

  it('says up and down once each, not per attempt, and finds a server that comes back', async () => {
    const server = await redisServer()
    const told: string[] = []
    const link = new RedisLink({
      url: server.url,
      name: 'test',
      onUp: ({ runId }) => told.push(`up ${runId}`),
      onDown: ({ code }) => told.push(code),
    })
    cleanups.push(() => link.close())
    const first = await link.ready()
    await server.kill()
    await until(() => !link.isUp, 'the loss is noticed')
    await expect(link.redis.ping()).rejects.toThrow()
    await server.start()
    await until(() => link.isUp, 'it is found again')
    const second = await link.ready()
    expect(second.runId).not.toBe(first.runId)
    expect(told).toEqual([`up ${first.runId}`, 'REDIS_UNREACHABLE', `up ${second.runId}`])
  })

  it('a command without an answer fails instead of hanging, and the link comes back', async () => {
    const server = await redisServer()
    const link = new RedisLink({ url: server.url, name: 'test', commandTimeoutMs: 100 })
    cleanups.push(() => link.close())
    await link.ready()
    process.kill(server.pid, 'SIGSTOP')
    const codeOf = (asking: Promise<unknown>) => asking.then(() => 'answered', redisErrorCode)
    const pipelined = link.redis.pipeline().get('a').get('b').exec()
    const codes = await Promise.all([codeOf(link.redis.ping()), codeOf(firstFailure(pipelined))])
    await until(() => !link.isUp, 'the silent socket is cut')
    expect(codes).toEqual(['TIMEOUT', 'TIMEOUT'])
    // While it is away nothing waits for it.
    const away = link.redis.pipeline().get('a').get('b').exec()
    const refused = await Promise.all([codeOf(link.redis.ping()), codeOf(firstFailure(away))])
    expect(refused).toEqual(['DISCONNECTED', 'DISCONNECTED'])
    process.kill(server.pid, 'SIGCONT')
    await until(() => link.isUp, 'it answers again')
    expect(await link.redis.ping()).toBe('PONG')
  })

  it('commands whose answers are lost fail at once and are not sent again', async () => {
    const server = await redisServer()
    const proxy = await FaultyProxy.start(server.port)
    cleanups.push(() => proxy.stop())
    const link = new RedisLink({ url: proxy.url, name: 'test', commandTimeoutMs: 60_000 })
    cleanups.push(() => link.close())
    await link.ready()
    proxy.loseAnswersTo('once')
    const sent = Array.from({ length: 100 }, (_, n) => link.redis.xadd('s', '*', 'once', String(n)))
    const codes = (await Promise.allSettled(sent)).map((result) =>
      result.status === 'fulfilled' ? 'answered' : redisErrorCode(result.reason),
    )
    expect(new Set(codes)).toEqual(new Set(['DISCONNECTED']))
    await until(() => link.isUp, 'it is connected again')
    expect(await link.redis.xlen('s')).toBe(100)
  })

  it('a script is sent again to a server that has forgotten it', async () => {
    const server = await redisServer()
    const { redis } = await linkTo(server.url)
    const script = new LuaScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    expect(await script.run(redis, ['n'], ['2'])).toBe(2)
    expect(await script.run(redis, ['n'], ['2'])).toBe(4)
    await server.look.script('FLUSH')
    expect(await script.run(redis, ['n'], ['2'])).toBe(6)
  })
})

/** A pipeline hands its errors out as values. */
async function firstFailure(exec: Promise<[Error | null, unknown][] | null>): Promise<void> {
  for (const [error] of (await exec) ?? []) if (error !== null) throw error
}

describe('market map', () => {
  it('keeps the game of each market for 7 days, under the env', async () => {
    const server = await redisServer()
    const { redis } = await linkTo(server.url)
    const entries = Array.from({ length: 1_203 }, (_, i) => ({ marketId: `KX-${i}`, gameId: `40${i}` }))
    await setMarketGames(redis, 'sim', entries)
    expect(await readMarketGame(redis, 'sim', 'KX-1202')).toBe('401202')
    expect(await readMarketGame(redis, 'prod', 'KX-1202')).toBeUndefined()
    expect(server.cli('GET', 'sim:market:KX-7:game_id')).toBe('407')
    expect(Number(server.cli('TTL', 'sim:market:KX-7:game_id'))).toBeGreaterThan(7 * 86_400 - 60)
    expect(await server.look.dbsize()).toBe(1_203)
  })

  it('says why it could not', async () => {
    const server = await redisServer()
    const { redis } = await linkTo(server.url)
    server.cli('CONFIG', 'SET', 'maxmemory', '1')
    const written = setMarketGames(redis, 'sim', [{ marketId: 'm', gameId: 'g' }])
    await expect(written).rejects.toThrow(/OOM/)
  })
})
