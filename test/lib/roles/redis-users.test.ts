/** Every role beside every other one, each under its own user of Redis: all of it works, and nothing was refused. */

import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { readStatus } from '../../../src/lib/operator/status.js'
import { redisUsers } from '../../../src/lib/redis/acl.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { MarketGameWriter } from '../../../src/lib/roles/market-game-writer.js'
import { openRedisPublish } from '../../../src/lib/roles/redis-publish.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'
import { loginOf, makeUsers } from '../redis/support.js'
import { LiveWorld } from './live-world.js'
import { testRole } from './role-harness.js'

let world: LiveWorld
afterEach(() => world.end())

it('each role does its work as its own user of Redis', async () => {
  world = await LiveWorld.create('demo')
  const users = redisUsers('demo', true)
  await makeUsers(world.redis, users)
  const { look, port } = world.redis
  const urlOf = (role: string) => {
    const { username, password } = loginOf(users.find((user) => user.role === role)!.name)
    return { redis_url: `redis://${username}:${password}@127.0.0.1:${port}` }
  }
  const roleOf = (name: string, user: string) => {
    const { context } = testRole(name, {
      ...world.flags,
      ...urlOf(user),
      transport: 'redis',
      redis_publish: 'true',
    })
    world.defer(() => context.lifecycle.close())
    return context
  }
  // A service of somebody else's, that has not acknowledged what it took.
  await look.xadd('demo:orders:history', '*', 'topic', 't')
  await look.call('XGROUP', 'CREATE', 'demo:orders:history', 'cold', '0')
  await look.call('XREADGROUP', 'GROUP', 'cold', 'reader', 'STREAMS', 'demo:orders:history', '>')
  await world.market()
  await world.startMirror(urlOf('mirror'))

  const shard = roleOf('shard-0', 'shard')
  await runShard(shard, 0)
  const exec = roleOf('exec', 'exec')
  await runExec(exec)
  await until(
    () => exec.counters.get('signals') > 0,
    'exec takes signals of the shard by way of Redis',
    20_000,
  )
  await until(async () => (await look.xlen('demo:paper:orders:history')) > 0, 'what it does is mirrored')
  await until(async () => (await look.exists('demo:games:nba:401')) === 1, 'the game is there')
  await until(() => shard.counters.get('redis_published') > 0, 'the shard publishes')
  const groupsAreWatched = async () => /cmdstat_xpending:/.test(await look.info('commandstats'))
  await until(groupsAreWatched, 'the mirror looks at the consumer group', 20_000)

  const orchestrator = roleOf('orchestrator', 'orchestrator')
  const markets = new MarketGameWriter(orchestrator)
  world.defer(() => markets.close())
  markets.write([{ marketId: 'KX-1', gameId: '401' }])
  await until(() => orchestrator.counters.get('market_games') === 1, 'the market map is written')
  const monitor = roleOf('kalshi', 'monitor')
  for (const [context, publish] of [
    [monitor, (to: NonNullable<ReturnType<typeof openRedisPublish>>) => to.price(samples.prices)],
    [orchestrator, (to: NonNullable<ReturnType<typeof openRedisPublish>>) => to.game(samples.games)],
  ] as const) {
    const to = openRedisPublish(context)!
    await until(() => {
      publish(to)
      return context.counters.get('redis_published') > 0
    }, `${context.name} publishes`)
  }

  const status = await readStatus({ settings: roleOf('status', 'operator').settings, clock: systemClock })
  expect(status.redis).toMatchObject({ version: expect.any(String) as string })

  const clients = (await look.call('CLIENT', 'LIST')) as string
  const logins = [...clients.matchAll(/name=(\S+) .* user=(\S+)/g)].map(
    ([, name, user]) => `${name} as ${user}`,
  )
  expect(logins).toEqual(
    expect.arrayContaining([
      'arbees-mirror as arbees-demo-mirror',
      'arbees-shard-0-streams as arbees-demo-shard',
      'arbees-exec-signals-streams as arbees-demo-exec',
      'arbees-orchestrator as arbees-demo-orchestrator',
      'arbees-kalshi-publish as arbees-demo-monitor',
    ]),
  )
  // What the server refused to anybody since it started.
  expect(await look.call('ACL', 'LOG')).toEqual([])
}, 60_000)
