/** A master that dies or hangs under a mirror's load, and another one that Sentinel puts in its place. */

import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../poll.js'
import { MASTER, TestSentinel } from '../redis/sentinels.js'
import { TestRedis, freePort, readGaps, readStream } from '../redis/support.js'
import { channelRig } from './channel-rig.js'
import { JournaledSource, STREAM } from './journaled-source.js'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const CHECKPOINT = 'sim:arbees:checkpoint:kalshi.prices'
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const seqsIn = async (server: TestRedis) => (await readStream(server.look, STREAM)).map(({ seq }) => seq)
const checkpointIn = async (server: TestRedis) => Number(await server.look.hget(CHECKPOINT, 'seq'))

async function redisServer(master?: TestRedis): Promise<TestRedis> {
  const replication = master === undefined ? [] : ['--replicaof', `127.0.0.1 ${master.port}`]
  const server = await TestRedis.start(['--repl-diskless-sync-delay', '0', ...replication])
  cleanups.push(() => server.stop())
  return server
}

describe('a mirror whose Redis is under Sentinel', () => {
  it('goes on with the new master from what that one has, after a kill and after a hang', async () => {
    const first = await redisServer()
    const replicas = [await redisServer(first), await redisServer(first)] as const
    const sentinel = await TestSentinel.start(first.port, { quorum: 1, downAfterMs: 500 })
    cleanups.push(() => sentinel.stop())
    await sentinel.ready(2)

    const source = new JournaledSource()
    // The first of them is not there; the second knows.
    const places = `127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}`
    const { channel, settled, end, linkEvents, counters } = channelRig(
      `redis+sentinel://${places}/${MASTER}`,
      source,
      { timeoutMs: 300 },
    )
    cleanups.push(end)
    source.beat()
    await source.publishSlowly(500)
    await settled()

    // What follows never reaches the replicas: the master is lost with it.
    for (const replica of replicas)
      await until(async () => (await checkpointIn(replica)) === 500, 'it is replicated')
    await first.look.call('ACL', 'SETUSER', 'default', '-psync', '-sync')
    await first.look.call('CLIENT', 'KILL', 'TYPE', 'replica')
    await source.publishSlowly(1_000)
    await settled()
    expect(channel.position?.seq).toBe(1_000)
    for (const replica of replicas) expect(await checkpointIn(replica)).toBe(500)

    const publishing = source.publishSlowly(4_000)
    await first.kill()
    const second = await successor(first)
    await publishing
    await settled(15_000)
    expect(await seqsIn(second)).toEqual(range(1, 4_000))
    expect(counters.get('pulled')).toBeGreaterThanOrEqual(500)

    // A master that hangs closes nothing.
    const third = replicas.find((replica) => replica !== second)!
    await sentinel.ready(1)
    await until(async () => (await checkpointIn(third)) === 4_000, 'the other one follows it')
    const again = source.publishSlowly(6_000)
    process.kill(second.pid, 'SIGSTOP')
    cleanups.push(() => void process.kill(second.pid, 'SIGCONT'))
    expect(await successor(second)).toBe(third)
    await again
    await settled(15_000)
    expect(await seqsIn(third)).toEqual(range(1, 6_000))
    expect(await readGaps(third.look)).toEqual([])
    expect(linkEvents.filter((event) => event === 'up')).toHaveLength(3)

    async function successor(gone: TestRedis): Promise<TestRedis> {
      await until(async () => (await sentinel.masterPort()) !== gone.port, 'another master is named', 15_000)
      const port = await sentinel.masterPort()
      return replicas.find((replica) => replica.port === port)!
    }
  }, 60_000)
})
