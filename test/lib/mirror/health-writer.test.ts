import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import { parseHeartbeat } from '../../../src/lib/messages/heartbeat.js'
import { HealthWriter } from '../../../src/lib/mirror/health-writer.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { Counters } from '../../../src/lib/telemetry/counters.js'
import { TestRedis } from '../redis/support.js'

let server: TestRedis
beforeAll(async () => {
  server = await TestRedis.start()
})
afterAll(() => server.stop())

const keys = redisKeys('sim')
const beat = (closing: boolean): Heartbeat => ({
  ...{ v: 1, publisher: 'mirror', env: 'sim', host: 'h/1', pid: 1, timestamp_ms: 1, mono_us: 1 },
  ...{ channels: [], feeds: [], counts: {}, hops: {}, closing },
})

it('the last word of a mirror waits for the one on its way, and is written', async () => {
  const counters = new Counters()
  const writer = new HealthWriter(server.look, keys, counters)
  const before = writer.write(beat(false))
  await writer.writeLast(beat(true))
  await before
  expect(parseHeartbeat((await server.look.get(keys.health('mirror')))!)).toMatchObject({ closing: true })
  expect(counters.snapshot()).toEqual({})
})
