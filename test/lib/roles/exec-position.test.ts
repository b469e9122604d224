import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { ledgerPath } from '../../../src/lib/execution/ledger.js'
import { signalsPayload } from '../../../src/lib/messages/convert.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { until } from '../poll.js'
import { signal } from '../risk/samples.js'
import { testRole } from './role-harness.js'

const SOURCE = 'shard-0.signals'

const cleanups: (() => unknown)[] = []
let dir: string
let shard: Publisher
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-exec-position-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  shard = await bindShard()
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function bindShard(): Promise<Publisher> {
  const publisher = await Publisher.bind({
    name: 'shard-0',
    url: 'tcp://127.0.0.1:*',
    recoveryUrl: 'tcp://127.0.0.1:*',
    journal: { root: join(dir, 'journal'), retainBytes: 64 * 1024 * 1024 },
    env: 'demo',
    clock: systemClock,
    sources: sourcesOf('shard-0'),
  })
  cleanups.push(() => publisher.close())
  return publisher
}

let serial = 0
/** Signals of a market that nobody knows: each is denied or stale, on record. */
function publish(count: number): void {
  for (let i = 0; i < count; i++) {
    const plan = signal({ id: `signal-${++serial}` })
    const shardOut = systemClock.monoUs() - 5_000_000
    const stamps = { recv: shardOut, shard_in: shardOut, shard_out: shardOut }
    shard.channel(SOURCE).publish(`signals.trade.${plan.id}`, signalsPayload(plan), { stamps, trace: 't' })
  }
}

/** A life of exec on the same ledger. */
async function live() {
  const role = testRole('exec', {
    env: 'demo',
    data_dir: dir,
    'endpoints.kalshi': 'tcp://127.0.0.1:1',
    'endpoints.poly': 'tcp://127.0.0.1:1',
    'endpoints.orchestrator': 'tcp://127.0.0.1:1',
    'endpoints.shards': shard.url,
    'recovery.shards': shard.recoveryUrl!,
    'endpoints.exec': 'tcp://127.0.0.1:*',
    'recovery.exec': 'tcp://127.0.0.1:*',
  })
  cleanups.push(() => role.context.lifecycle.close())
  await runExec(role.context)
  return role
}

/** Of every signal on record, its place; each with what became of it. */
function onRecord(): { seqs: number[]; ends: string[] } {
  const db = new Database(ledgerPath({ dataDir: dir, env: 'demo', mode: 'paper' }))
  const rows = (sql: string) => db.prepare(sql).all() as Record<string, unknown>[]
  const seqs = rows(
    "select json_extract(detail, '$.at.seq') as seq from event where kind = 'seen' order by id",
  )
  const ends = rows(
    "select distinct kind from event where kind in ('denied', 'stale', 'duplicate', 'intent')",
  )
  db.close()
  return { seqs: seqs.map(({ seq }) => Number(seq)), ends: ends.map(({ kind }) => String(kind)) }
}

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** A first life that has all that was published since it first heard something; returns the last seq. */
async function firstLife(): Promise<number> {
  const { lifecycle, counters } = (await live()).context
  await until(() => (publish(1), counters.get('signals') > 0), 'it hears signals')
  let before = 0
  await until(async () => {
    const now = counters.get('stale')
    const isSettled = now > 0 && now === before
    before = now
    // Longer than until the next heartbeat, which tells of what is still missing.
    await new Promise((resolve) => setTimeout(resolve, 300))
    return isSettled && counters.get('stale') === now
  }, 'it has the last one')
  await lifecycle.close()
  return serial
}

describe('signals that came while exec was away', () => {
  beforeEach(() => (serial = 0))

  it('are put on record as stale, each once and in order, behind those that it had', async () => {
    const heard = await firstLife()
    publish(300)
    const next = await live()
    await until(() => next.context.counters.get('signals') === 300, 'all that were missed')
    publish(5)
    await until(() => next.context.counters.get('signals') === 305, 'and what comes live')
    expect(next.context.counters.get('gaps')).toBe(0)
    expect(next.context.counters.get('stale')).toBe(305)
    await next.context.lifecycle.close()
    const { seqs, ends } = onRecord()
    expect(seqs.slice(-305)).toEqual(from(heard + 1, heard + 305))
    expect(new Set(seqs).size).toBe(seqs.length)
    expect(ends).toEqual(['stale'])
  })

  it('are followed into a new life of the shard', async () => {
    const heard = await firstLife()
    publish(20)
    shard.close()
    shard = await bindShard()
    publish(10)
    const next = await live()
    await until(() => next.context.counters.get('signals') === 30, 'those of both lives')
    expect(next.context.counters.get('gaps')).toBe(0)
    await next.context.lifecycle.close()
    expect(onRecord().seqs.slice(-30)).toEqual([...from(heard + 1, heard + 20), ...from(1, 10)])
  })

  it('further back than a stream of Redis goes are one gap, and said so', async () => {
    const heard = await firstLife()
    publish(1_200)
    const next = await live()
    await until(() => next.context.counters.get('signals') === 1_000, 'the last thousand')
    expect(next.context.counters.get('gaps')).toBe(1)
    const gap = `gap on ${SOURCE}: ${heard + 1} to ${heard + 200} (trimmed)`
    expect(next.lines).toContain(gap)
    await next.context.lifecycle.close()
    expect(onRecord().seqs.slice(-1_000)).toEqual(from(heard + 201, heard + 1_200))
  })
})
