import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { hostId } from '../../../src/lib/core/ids.js'
import { signalsPayload } from '../../../src/lib/messages/convert.js'
import { sealSignal, wrongSeal } from '../../../src/lib/messages/signal-seal.js'
import type { SignalsPayload } from '../../../src/lib/messages/payloads.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import { signal } from '../risk/samples.js'
import { until } from '../poll.js'
import { testRole } from './role-harness.js'
import { CHEAP_HERE, COND, HOU, RICH_THERE, stageShard } from './shard-stage.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-seal-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function keysDir(): { dir: string; key: Buffer } {
  const keys = new KeyFolder(join(folder(), 'keys'))
  keys.generateSignalKey()
  return { dir: keys.dir, key: keys.readSignalKey()! }
}

/** A real exec on demo data with a shard that the test plays. */
async function stageExec(keys_dir: string) {
  const shard = await Publisher.bind({
    name: 'shard-0',
    url: 'tcp://127.0.0.1:*',
    env: 'demo',
    clock: systemClock,
    sources: sourcesOf('shard-0'),
  })
  cleanups.push(() => shard.close())
  const nobody = 'tcp://127.0.0.1:1'
  const role = testRole('exec', {
    env: 'demo',
    data_dir: folder(),
    keys_dir,
    'endpoints.kalshi': nobody,
    'endpoints.poly': nobody,
    'endpoints.orchestrator': nobody,
    'endpoints.shards': shard.url,
    'endpoints.exec': 'tcp://127.0.0.1:*',
  })
  cleanups.push(() => role.context.lifecycle.close())
  await runExec(role.context)
  const shardOutUs = systemClock.monoUs()
  let plans = 0
  /** Publishes one more plan, sealed with `key` as if at `seqsAhead` of where it is. */
  const send = (key: Buffer | undefined, seqsAhead = 0) => {
    const payload = signalsPayload(signal({ id: `signal-${++plans}` }))
    const channel = shard.channel('shard-0.signals')
    channel.publish(
      `signals.trade.${payload.id}`,
      (identity) => {
        if (key === undefined) return payload
        const seq = identity.seq + seqsAhead
        const header = { ...identity, seq, env: 'demo', host: hostId(), shardOutUs } as const
        return sealSignal(key, header, payload)
      },
      { stamps: { shard_out: shardOutUs } },
    )
  }
  return { ...role, counters: role.context.counters, send }
}

describe('exec with a signal key', () => {
  it('takes what is sealed with it and nothing else, and counts the rest', async () => {
    const { dir, key } = keysDir()
    const exec = await stageExec(dir)
    const { counters, send } = exec
    await until(() => (send(key), counters.get('signals') > 0), 'a sealed signal is taken')
    await until(() => (send(undefined), counters.get('bad_hmac:missing') > 0), 'one without a seal is not')
    await until(() => (send(randomBytes(32)), counters.get('bad_hmac:wrong') > 0), 'nor one of another key')
    const { 'bad_hmac:wrong': before } = counters.snapshot()
    await until(() => (send(key, 1), counters.get('bad_hmac:wrong') > before!), 'nor one of another place')
    const denied = () => counters.total('denied') + counters.get('stale') + counters.get('plans')
    await until(() => denied() === counters.get('signals'), 'every signal that was taken is judged')
    const taken = counters.get('signals')
    send(undefined)
    send(randomBytes(32))
    send(key)
    await until(() => counters.get('signals') > taken, 'the next sealed one')
    expect(counters.get('signals')).toBe(taken + 1)
    expect(exec.lines.filter((line) => line.includes('its seal is')).length).toBe(1)
  }, 20_000)
})

describe('a shard with a signal key', () => {
  it('seals what it publishes', async () => {
    const { dir, key } = keysDir()
    const { signals, payloads, quote } = await stageShard(cleanups, { keys_dir: dir })
    quote('poly', COND, RICH_THERE)
    await until(() => (quote('kalshi', HOU, CHEAP_HERE), signals.length > 0), 'the signal')
    const { header, payload } = signals[0]!.message
    expect(payloads()[0]!.hmac).toMatch(/^[0-9a-f]{64}$/)
    expect(wrongSeal(key, header, payload as SignalsPayload)).toBeUndefined()
    expect(wrongSeal(randomBytes(32), header, payload as SignalsPayload)).toBe('wrong')
  }, 20_000)
})

describe('on prod data', () => {
  it.each([
    ['exec', (context: Parameters<typeof runExec>[0]) => runExec(context)],
    ['shard-0', (context: Parameters<typeof runShard>[0]) => runShard(context, 0)],
  ])('%s does not start without a signal key, nor with one that others can read', async (name, run) => {
    const bare = testRole(name, { env: 'prod', data_dir: folder() })
    await expect(run(bare.context)).rejects.toMatchObject({ code: 'NO_SIGNAL_KEY', exit: 4 })
    await bare.context.lifecycle.close()
    const { dir } = keysDir()
    chmodSync(join(dir, 'signals.hmac'), 0o644)
    const open = testRole(name, { env: 'prod', data_dir: folder(), keys_dir: dir })
    await expect(run(open.context)).rejects.toMatchObject({ code: 'OPEN_SECRET', exit: 4 })
    await open.context.lifecycle.close()
  })
})
