import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../src/lib/operator/status-report.js'
import type { TopFrame } from '../../src/lib/operator/top.js'
import { createPlace, launch } from '../e2e/launch.js'
import type { Place } from '../e2e/launch.js'
import { TestRedis } from '../lib/redis/support.js'
import { FakePublisher } from '../lib/roles/role-harness.js'

let place: Place
let redis: TestRedis
let kalshi: FakePublisher
beforeAll(async () => {
  place = await createPlace()
  redis = await TestRedis.start([])
  kalshi = await FakePublisher.bind('kalshi', `tcp://127.0.0.1:${place.ports['kalshi']}`)
})
afterAll(async () => {
  kalshi.close()
  await redis.stop()
  place.remove()
})

const start = (...args: string[]) => launch(args, { ...place.environment, ARBEES_REDIS_URL: redis.url })
const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TopFrame & StatusReport)

describe('arbees top', () => {
  it('is one object with --once, a line a frame in a pipe, and exits 3 where something is wrong', async () => {
    const runs = [
      start('top', '--once', '--every', '200ms', '--json'),
      start('top', '-n', '3', '--every', '200ms'),
    ]
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([3, 3])
    const [once, many] = runs.map((run) => linesOf(run.stdout()))
    expect(once).toHaveLength(1)
    expect(many).toHaveLength(3)
    const heard = once![0]!.roles.find(({ role }) => role === 'kalshi')!
    expect(heard).toMatchObject({ state: 'up', per_s: 0 })
    expect(once![0]!.problems.map(({ role }) => role)).toContain('exec')
  })

  it('ends by a signal and by a closed pipe', async () => {
    const asked = start('top', '--every', '200ms')
    await new Promise<void>((done) => asked.child.stdout!.once('data', () => done()))
    asked.child.kill('SIGINT')
    expect(await asked.ended).toBe(3)
    const piped = start('top', '--every', '200ms')
    await new Promise<void>((done) => piped.child.stdout!.once('data', () => done()))
    piped.child.stdout!.destroy()
    expect(await piped.ended).toBe(3)
  })
})

describe('arbees status --watch', () => {
  it('is a line a look in a pipe, until its time is over', async () => {
    const run = start('status', '--watch', '--for', '2500ms')
    expect(await run.ended).toBe(3)
    const reports = linesOf(run.stdout())
    expect(reports.length).toBeGreaterThanOrEqual(2)
    for (const { roles } of reports) expect(roles.find(({ role }) => role === 'kalshi')!.state).toBe('up')
  })
})
