import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf } from '../../../src/lib/core/errors.js'
import { redisUsers } from '../../../src/lib/redis/acl.js'
import { checkRedis } from '../../../src/lib/redis/connection.js'
import { TestRedis, loginOf, makeUsers } from './support.js'

type Command = readonly [name: string, ...args: string[]]

let server: TestRedis
const connections = new Map<string, Redis>()
beforeAll(async () => {
  server = await TestRedis.start(['--enable-debug-command', 'yes'])
  await makeUsers(server, redisUsers('prod', true))
  for (const { role, name } of redisUsers('prod', true)) {
    connections.set(
      role,
      new Redis(server.port, '127.0.0.1', { ...loginOf(name), retryStrategy: () => null }),
    )
  }
})
afterAll(async () => {
  for (const connection of connections.values()) connection.disconnect()
  await server.stop()
})

async function answerOf(role: string, [name, ...args]: Command): Promise<string> {
  try {
    await connections.get(role)!.call(name, ...args)
    return 'allowed'
  } catch (error) {
    // In a script the refusal of a command begins otherwise than that of a key.
    return /NOPERM|user executing the script can't/.test(String(error)) ? 'refused' : String(error)
  }
}

/** What nobody of ours may do, whatever keys it has. */
const DESTRUCTIVE: readonly Command[] = [
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['CONFIG', 'GET', '*'],
  ['CONFIG', 'SET', 'maxmemory', '1'],
  ['KEYS', '*'],
  ['SCRIPT', 'FLUSH'],
  ['SHUTDOWN', 'NOSAVE'],
  ['DEBUG', 'SLEEP', '0'],
  ['ACL', 'SETUSER', 'intruder', 'on', 'nopass', '+@all', '~*'],
  ['REPLICAOF', '127.0.0.1', '1'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['DEL', 'prices:kalshi'],
  ['XTRIM', 'prices:kalshi', 'MAXLEN', '0'],
  ['XDEL', 'prices:kalshi', '1-1'],
  ['RENAME', 'prices:kalshi', 'x'],
  ['MONITOR'],
  ['SUBSCRIBE', 'prices:kalshi:T'],
]

const entry = ['topic', 't', 'data', '{}', 'source', 's', 'epoch', '1', 'seq', '1'] as const
const add = (key: string): Command => ['XADD', key, '*', ...entry]
const script = (body: string, key: string): Command => ['EVAL', body, '1', key]

describe('the users of Redis', () => {
  it.each(redisUsers('prod', true).map(({ role }) => role))(
    '%s destroys and controls nothing',
    async (role) => {
      for (const command of DESTRUCTIVE)
        expect([command, await answerOf(role, command)]).toEqual([command, 'refused'])
    },
  )

  it.each<[string, Command]>([
    ['mirror', add('prices:kalshi')],
    ['mirror', add('signals:trades')],
    ['mirror', add('paper:orders:history')],
    ['mirror', add('arbees:gaps')],
    ['mirror', ['HSET', 'arbees:checkpoint:kalshi.prices', 'seq', '1']],
    ['mirror', ['SET', 'games:nba:401', '{}']],
    ['mirror', ['SET', 'arbees:health:shard:3', '{}', 'PX', '5000']],
    ['mirror', script("return redis.call('XADD', KEYS[1], '*', 'a', 'b')", 'trades:history')],
    ['orchestrator', ['SET', 'market:KX-1:game_id', '401', 'EX', '60']],
    ['orchestrator', ['PUBLISH', 'games:nba:401', '{}']],
    ['monitor', ['PUBLISH', 'prices:poly:0xabc', '{}']],
    ['shard', ['XREAD', 'COUNT', '1', 'STREAMS', 'prices:kalshi', 'games:events', '0', '0']],
    ['shard', ['HMGET', 'arbees:checkpoint:kalshi.prices', 'epoch', 'seq']],
    ['shard', ['MGET', 'arbees:health:monitor:kalshi', 'arbees:health:orchestrator:0']],
    ['shard', ['PUBLISH', 'signals:trades', '{}']],
    ['exec', ['XREVRANGE', 'signals:trades', '+', '-', 'COUNT', '1']],
    ['exec', ['GET', 'arbees:halt']],
    ['halt', ['SET', 'arbees:halt', '{}']],
    ['halt', ['DEL', 'arbees:halt']],
    ['operator', ['XLEN', 'arbees:gaps']],
    ['operator', ['XRANGE', 'orders:history', '-', '+', 'COUNT', '1']],
    ['operator', ['XINFO', 'GROUPS', 'prices:kalshi']],
    ['operator', ['GET', 'market:KX-1:game_id']],
    ['up', add('prices:kalshi')],
    ['up', ['SET', 'market:KX-1:game_id', '401']],
    ['up', ['MGET', 'arbees:health:exec:0']],
  ])('%s may %j', async (role, command) => {
    expect(await answerOf(role, command)).toBe('allowed')
  })

  it.each<[string, string, Command]>([
    ['mirror', 'a key that is not of its', ['SET', 'market:KX-1:game_id', '401']],
    ['mirror', 'the halt', ['SET', 'arbees:halt', '1']],
    ['mirror', 'another env', add('sim:prices:kalshi')],
    ['mirror', "another service's key", ['GET', 'session:1']],
    [
      'mirror',
      'a key of others inside a script',
      script("return redis.call('SET', 'session:1', '')", 'arbees:gaps'),
    ],
    ['mirror', 'a command inside a script', script("return redis.call('FLUSHALL')", 'arbees:gaps')],
    ['mirror', 'a channel', ['PUBLISH', 'prices:kalshi:T', '{}']],
    ['orchestrator', 'a stream', add('games:events')],
    ['orchestrator', "a game's newest state", ['SET', 'games:nba:401', '{}']],
    ['orchestrator', 'signals', ['PUBLISH', 'signals:trades', '{}']],
    ['monitor', 'anything but publish', ['GET', 'games:nba:401']],
    ['shard', 'its own stream', add('signals:trades')],
    ['shard', "a mirror's checkpoint", ['HSET', 'arbees:checkpoint:kalshi.prices', 'seq', '1']],
    ['shard', 'a string', ['SET', 'arbees:health:shard:0', '{}']],
    ['shard', 'orders', ['XRANGE', 'orders:history', '-', '+']],
    ['shard', 'a script', script('return 1', 'prices:kalshi')],
    ['exec', 'its own history', add('orders:history')],
    ['exec', 'a signal', add('signals:trades')],
    ['exec', 'the halt', ['SET', 'arbees:halt', '{}']],
    ['halt', 'a stream', ['XLEN', 'arbees:gaps']],
    ['operator', 'the halt', ['SET', 'arbees:halt', '{}']],
    ['operator', 'a stream', add('prices:kalshi')],
    ['operator', 'a checkpoint', ['HSET', 'arbees:checkpoint:kalshi.prices', 'seq', '1']],
    ['operator', "another service's key", ['GET', 'session:1']],
    ['up', "another service's key", ['GET', 'session:1']],
  ])('%s may not touch %s', async (role, _, command) => {
    expect(await answerOf(role, command)).toBe('refused')
  })

  it('a user without a password cannot log in, and lines that are given again keep the one that is set', async () => {
    const [mirror] = redisUsers('demo', false)
    const { name, line } = mirror!
    const apply = (...rule: readonly string[]) => server.look.call('ACL', 'SETUSER', name, ...rule)
    const login = () =>
      checkRedis(`redis://${name}:one@127.0.0.1:${server.port}`).then(
        () => 'in',
        (error: unknown) => codeOf(error),
      )
    await apply(...line.split(' ').slice(3))
    expect(await login()).toBe('REDIS_AUTH')
    await apply('>one')
    expect(await login()).toBe('in')
    await apply(...line.split(' ').slice(3))
    expect(await login()).toBe('in')
  })

  it('nobody publishes, and a monitor needs no user, where that is off', () => {
    const users = redisUsers('prod', false)
    expect(users.map(({ role }) => role)).not.toContain('monitor')
    for (const { line } of users) expect(line).not.toMatch(/publish|&|resetchannels/)
  })

  it('stand in the operations manual as they are', () => {
    const manual = readFileSync('docs/operations.md', 'utf8')
    const missing = redisUsers('prod', false).filter(({ line }) => !manual.includes(`    ${line}\n`))
    expect(missing).toEqual([])
  })
})
