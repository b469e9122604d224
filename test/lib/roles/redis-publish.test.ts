import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLegacyPrice } from '../../../src/lib/messages/legacy.js'
import { wrongPayloadField } from '../../../src/lib/messages/checks.js'
import type { JsonObject } from '../../../src/lib/messages/checks.js'
import { runMonitor } from '../../../src/lib/roles/monitor.js'
import { runOrchestrator } from '../../../src/lib/roles/orchestrator.js'
import { createSimAccounts } from '../../../src/lib/sim/accounts.js'
import { startSimulator } from '../../../src/lib/sim/simulator.js'
import { until } from '../poll.js'
import { TestRedis } from '../redis/support.js'
import { testRole } from './role-harness.js'
import { CHEAP_HERE, COND, HOU, RICH_THERE, stageShard } from './shard-stage.js'

const cleanups: (() => unknown)[] = []
let redis: TestRedis
let heard: { readonly channel: string; readonly body: JsonObject }[]
beforeEach(async () => {
  redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
  heard = []
  const listener = new Redis(redis.port, '127.0.0.1')
  cleanups.push(() => listener.disconnect())
  listener.on('pmessage', (_, channel: string, body: string) =>
    heard.push({ channel, body: JSON.parse(body) as JsonObject }),
  )
  await listener.psubscribe('*')
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function simulator() {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-publish-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  const accountsDir = join(dir, 'account')
  await createSimAccounts(accountsDir)
  const ports = { kalshi: 0, poly: 0, gamma: 0, espn: 0 }
  const sim = await startSimulator({ seed: 1, speed: 1, ports, accountsDir, onNotice: () => undefined })
  cleanups.push(() => sim.close())
  const { kalshiRest, kalshiWs, gamma, espn } = sim.urls
  return {
    data_dir: dir,
    redis_url: redis.url,
    'kalshi.rest_url': kalshiRest,
    'kalshi.ws_url': kalshiWs,
    'polymarket.gamma_url': gamma,
    'espn.url': espn,
  }
}

describe('the dual mode of the first design', () => {
  it('publishes prices as that design has them', async () => {
    const settings = await simulator()
    const role = testRole('kalshi', {
      ...settings,
      redis_publish: 'true',
      'endpoints.kalshi': 'tcp://127.0.0.1:*',
    })
    cleanups.push(() => role.context.lifecycle.close())
    void runMonitor(role.context, 'kalshi')
    await until(() => heard.length >= 20, 'bare prices come')
    for (const { channel, body } of heard) {
      const price = readLegacyPrice(body)
      expect(price).not.toHaveProperty('reason')
      expect(channel).toBe(`sim:prices:kalshi:${String(body['ticker'])}`)
      expect(Object.keys(body)).toEqual(['ticker', 'yes_bid', 'yes_ask', 'timestamp_ms'])
    }
    expect(role.context.counters.get('redis_published')).toBeGreaterThan(0)
  })

  it("publishes games' whole states", async () => {
    const settings = await simulator()
    const role = testRole('orchestrator', {
      ...settings,
      redis_publish: 'true',
      'endpoints.orchestrator': 'tcp://127.0.0.1:*',
    })
    cleanups.push(() => role.context.lifecycle.close())
    void runOrchestrator(role.context)
    await until(() => heard.length > 0, 'bare games come')
    const { channel, body } = heard[0]!
    expect(channel).toBe(`sim:games:${String(body['league'])}:${String(body['game_id'])}`)
    expect(wrongPayloadField('games', body, false)).toBeUndefined()
  })

  it('publishes signals, the same as on the bus', async () => {
    const stage = await stageShard(cleanups, { redis_url: redis.url, redis_publish: 'true' })
    await until(() => {
      stage.quote('poly', COND, RICH_THERE)
      stage.quote('kalshi', HOU, CHEAP_HERE)
      return heard.length > 0 && stage.signals.length > 0
    }, 'a bare signal comes')
    expect(heard[0]!.channel).toBe('sim:signals:trades')
    const { hmac: _, ...onTheBus } = stage.payloads()[0]!
    expect(heard[0]!.body).toEqual(onTheBus)
  })

  it('is off unless it was asked for', async () => {
    const settings = await simulator()
    const role = testRole('kalshi', { ...settings, 'endpoints.kalshi': 'tcp://127.0.0.1:*' })
    cleanups.push(() => role.context.lifecycle.close())
    void runMonitor(role.context, 'kalshi')
    await until(() => role.context.counters.get('quotes') > 20, 'quotes are published')
    expect(heard).toEqual([])
  })
})
