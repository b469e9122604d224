import Database from 'libsql'
import { afterEach, describe, expect, it } from 'vitest'
import { ledgerPath } from '../../../src/lib/execution/ledger.js'
import { signalsPayload } from '../../../src/lib/messages/convert.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import type { RoleContext } from '../../../src/lib/roles/role.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import { until } from '../poll.js'
import { readGaps, readStream } from '../redis/support.js'
import { signal } from '../risk/samples.js'
import { LiveWorld, again } from './live-world.js'
import { testRole } from './role-harness.js'

/** The setting, life after life. */
const LIVES = ['zmq', 'redis', 'zmq', 'redis', 'zmq'] as const

let world: LiveWorld
afterEach(() => world.end())

/** One life of a role after another, each with its own transport, while the world goes on. What each has counted. */
async function rollThrough(
  name: string,
  run: (context: RoleContext) => Promise<void>,
  live: (context: RoleContext) => Promise<void>,
) {
  const counts: Readonly<Record<string, number>>[] = []
  for (const transport of LIVES) {
    const context = await again(async () => {
      const role = testRole(name, { ...world.flags, transport })
      try {
        await run(role.context)
      } catch (error) {
        await role.context.lifecycle.close()
        throw error
      }
      return role.context
    })
    world.defer(() => context.lifecycle.close())
    await live(context)
    expect(await context.lifecycle.close()).toEqual([])
    counts.push(context.counters.snapshot())
  }
  return (count: string) => counts.reduce((total, each) => total + (each[count] ?? 0), 0)
}

describe('a role that is rolled to Redis and back under load', { timeout: 60_000 }, () => {
  it('exec: every signal is seen once, in order', async () => {
    world = await LiveWorld.create('demo')
    const channel = (await world.bind('shard-0')).channel('shard-0.signals')
    await world.startMirror()
    const published: string[] = []
    const load = setInterval(() => {
      const plan = signal({ id: `id-${published.length}` })
      channel.publish(`signals.trade.${plan.id}`, signalsPayload(plan))
      published.push(plan.id)
    }, 5)
    world.defer(() => clearInterval(load))

    const total = await rollThrough(
      'exec',
      (context) => runExec(context),
      ({ counters }) => until(() => counters.get('signals') > 150, 'signals are seen'),
    )
    const ledger = new Database(ledgerPath({ dataDir: world.dir, env: 'demo', mode: 'paper' }))
    world.defer(() => ledger.close())
    const rows = ledger.prepare("select signal_id from event where kind = 'seen' order by id").all()
    const ids = (rows as { signal_id: string }[]).map((row) => row.signal_id)
    const first = published.indexOf(ids[0]!)
    expect(ids).toEqual(published.slice(first, first + ids.length))
    expect(ids.length).toBeGreaterThan(150 * LIVES.length)
    expect([total('gaps'), total('duplicates'), total('parse_errors')]).toEqual([0, 0, 0])
  })

  it('shard: each life knows the books that it never heard change, and its signals are whole', async () => {
    world = await LiveWorld.create('sim')
    await world.market()
    await world.startMirror()
    const total = await rollThrough(
      'shard-0',
      (context) => runShard(context, 0),
      ({ counters }) =>
        until(() => counters.get('signals') >= 2, 'it trades on what it did not hear', 12_000),
    )
    expect([total('gaps'), total('duplicates'), total('parse_errors')]).toEqual([0, 0, 0])
    const stored = () => readStream(world.redis.look, 'sim:signals:trades')
    await until(async () => (await stored()).length === total('signals'), 'every signal is in Redis')
    const places = await stored()
    places.forEach(({ epoch, seq }, i) => {
      const before = places[i - 1]
      expect(seq).toBe(before?.epoch === epoch ? before.seq + 1 : 1)
    })
    expect(await readGaps(world.redis.look)).toEqual([])
  })
})
