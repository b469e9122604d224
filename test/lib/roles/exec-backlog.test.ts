import { rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, describe, expect, it } from 'vitest'
import type { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { ledgerPath } from '../../../src/lib/execution/ledger.js'
import { gamesPayload, signalsPayload } from '../../../src/lib/messages/convert.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { until } from '../poll.js'
import { readStream } from '../redis/support.js'
import { GAME_ID, kalshiMarket, polyMarket, signal } from '../risk/samples.js'
import { LiveWorld, again } from './live-world.js'
import { testRole } from './role-harness.js'

const SOURCE = 'shard-0.signals'
const STREAM = 'demo:signals:trades'
const TEAM = { code: 'MIA', name: 'Miami', score: 0 }

let world: LiveWorld
let shard: Publisher
let orchestrator: Publisher
let stopMirror: () => Promise<unknown>
afterEach(() => world.end())

let serial = 0
function send(count: number, ageUs = 5_000_000): void {
  for (let i = 0; i < count; i++) {
    const plan = signal({ id: `signal-${++serial}` })
    const shardOut = systemClock.monoUs() - ageUs
    const stamps = { recv: shardOut, shard_in: shardOut, shard_out: shardOut }
    shard.channel(SOURCE).publish(`signals.trade.${plan.id}`, signalsPayload(plan), { stamps, trace: 't' })
  }
}

/** The game that the signals are of: a fresh one would be traded. */
function tellGame(): void {
  const payload = gamesPayload({
    ...{ league: 'nba', gameId: GAME_ID, home: TEAM, away: { ...TEAM, code: 'BOS' }, status: 'live' },
    ...{ period: 1, startMs: 0, provider: 'test', fetchedMs: 0, shard: 0 },
    markets: [kalshiMarket(), polyMarket()],
  })
  orchestrator.channel('orchestrator.games').publish(`games.nba.${GAME_ID}`, payload)
}

type Transport = 'zmq' | 'redis'

async function live(transport: Transport) {
  const { context } = testRole('exec', { ...world.flags, transport })
  world.defer(() => context.lifecycle.close())
  await runExec(context)
  const { counters } = context
  await until(() => (tellGame(), counters.get('markets') === 2), 'exec knows the game')
  return context
}

/** Everything that is published is in Redis. */
const mirrored = () =>
  until(async () => {
    const last = (await readStream(world.redis.look, STREAM)).at(-1)
    const { epoch, lastSeq } = shard.channel(SOURCE)
    return last?.epoch === epoch && last.seq === lastSeq
  }, 'the mirror has it')

/** A life of exec; returns the last signal that it saw, whose number is its place too. */
async function firstLife(transport: Transport, retainBytes?: number): Promise<number> {
  serial = 0
  world = await LiveWorld.create('demo')
  stopMirror = await world.startMirror()
  orchestrator = await world.bind('orchestrator')
  shard = await world.bind('shard-0', retainBytes)
  const context = await live(transport)
  await until(() => (send(1), context.counters.get('stale') > 0), 'exec hears signals')
  await context.lifecycle.close()
  return seen().at(-1)!
}

function rows(sql: string): Record<string, unknown>[] {
  const db = new Database(ledgerPath({ dataDir: world.dir, env: 'demo', mode: 'paper' }))
  try {
    return db.prepare(sql).all() as Record<string, unknown>[]
  } finally {
    db.close()
  }
}

/** Numbers of the signals on record, in order. */
const seen = () =>
  rows("select signal_id as name from event where kind = 'seen' order by id").map(({ name }) =>
    Number(String(name).split('-')[1]),
  )
const gapsOnRecord = () =>
  rows("select detail from event where kind = 'gap' order by id").map(
    ({ detail }) => JSON.parse(String(detail)) as Record<string, unknown>,
  )
const span = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** The shard ends, its disk is lost, and it begins anew on an empty one. */
async function loseJournal(): Promise<void> {
  shard.close()
  rmSync(join(world.dir, 'journal-of-shard-0'), { recursive: true })
  shard = await again(() => world.bind('shard-0'))
}

/** All of the old ones stale, each once and in order; a fresh one is traded on, so nothing else kept them from it. */
async function audits(transport: Transport, first: number, last: number): Promise<void> {
  const { counters, lifecycle } = await live(transport)
  await until(() => counters.get('signals') === last - first + 1, 'what came meanwhile')
  expect([counters.get('stale'), counters.get('plans'), counters.get('duplicates')]).toEqual([
    last - first + 1,
    0,
    0,
  ])
  await until(() => (send(1, 0), counters.get('plans') > 0), 'a fresh one is a plan')
  await lifecycle.close()
  expect(seen().filter((id) => id >= first && id <= last)).toEqual(span(first, last))
  const ends = rows(`select distinct kind from event where kind in ('denied', 'stale', 'intent')
    and cast(substr(signal_id, 8) as integer) between ${first} and ${last}`)
  expect(ends).toEqual([{ kind: 'stale' }])
}

describe.each<Transport>(['zmq', 'redis'])(
  'exec that was away for long, by %s',
  { timeout: 60_000 },
  (transport) => {
    it('has from Redis what the shard has lost with its disk', async () => {
      const before = await firstLife(transport)
      send(40)
      await mirrored()
      await loseJournal()
      send(10)
      await mirrored()
      await audits(transport, before + 1, serial)
      expect(gapsOnRecord()).toEqual([])
    })

    it('has on record, once, what nobody has any more', async () => {
      const before = await firstLife(transport)
      const { epoch } = shard.channel(SOURCE)
      send(40)
      await mirrored()
      await loseJournal()
      await world.redis.look.del(STREAM)
      send(10)
      await mirrored()
      await audits(transport, serial - 9, serial)
      const gap = { at: { source: SOURCE, epoch, seq: before }, from: before + 1, to: null }
      expect(gapsOnRecord()).toMatchObject([gap])
    })
  },
)

describe('exec that was away for long', { timeout: 60_000 }, () => {
  it('takes each once where both the shard and Redis have them', async () => {
    const before = await firstLife('zmq')
    send(300)
    await mirrored()
    await audits('zmq', before + 1, serial)
    expect(gapsOnRecord()).toEqual([])
  })

  it('has from Redis what the journal is too short for, and from the journal what Redis has not', async () => {
    const before = await firstLife('zmq', 64 * 1024)
    send(200)
    await mirrored()
    await stopMirror()
    send(20)
    await audits('zmq', before + 1, serial)
    expect(gapsOnRecord()).toEqual([])
  })

  it('names exactly what lies before the window of Redis and before the journal', async () => {
    const before = await firstLife('zmq', 64 * 1024)
    const { epoch } = shard.channel(SOURCE)
    send(200)
    await mirrored()
    const first = before + 51
    await world.redis.look.xtrim(STREAM, 'MAXLEN', serial - first + 1)
    await audits('zmq', first, serial)
    const [gap, ...more] = gapsOnRecord()
    const [from, to] = [before + 1, before + 50]
    expect([gap, more]).toEqual([
      { at: { source: SOURCE, epoch, seq: to }, from, to, reason: 'retention' },
      [],
    ])
  })

  it('does not wait for a Redis that hangs', async () => {
    const before = await firstLife('zmq')
    send(30)
    await mirrored()
    process.kill(world.redis.pid, 'SIGSTOP')
    world.defer(() => process.kill(world.redis.pid, 'SIGCONT'))
    await audits('zmq', before + 1, serial)
  })
})
