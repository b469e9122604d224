import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPlace, launch } from '../e2e/launch.js'
import type { Place, Run } from '../e2e/launch.js'
import { parsePrometheusText } from '../lib/telemetry/prometheus-text.js'
import { until } from '../lib/poll.js'
import { TestRedis, freePort } from '../lib/redis/support.js'
import { FakePublisher } from '../lib/roles/role-harness.js'
import { CommandProcess } from './command-process.js'

let place: Place
let redis: TestRedis
let mirror: Run
let metricsUrl: string
/** In turns: most of what a check does is to wait. */
let processes: readonly CommandProcess[]
let turn = 0
const publishers: FakePublisher[] = []

beforeAll(async () => {
  place = await createPlace()
  redis = await TestRedis.start()
  for (const [name, port] of [
    ['kalshi', 'kalshi'],
    ['poly', 'poly'],
    ['orchestrator', 'orchestrator'],
    ['shard-0', 'shard'],
    ['exec', 'exec'],
  ] as const) {
    publishers.push(await FakePublisher.bind(name, `tcp://127.0.0.1:${place.ports[port]}`))
  }
  const port = await freePort()
  metricsUrl = `http://127.0.0.1:${port}/metrics`
  processes = [new CommandProcess(), new CommandProcess(), new CommandProcess()]
  mirror = launch(['mirror', '--metrics-port', String(port)], environment())
  const hears = () => redis.look.hexists('sim:arbees:checkpoint:exec.trades', 'epoch').then(Boolean)
  await until(hears, 'the mirror hears', 20_000)
}, 30_000)
afterAll(async () => {
  expect(await Promise.all(processes.map((each) => each.end()))).toEqual(processes.map(() => 0))
  mirror.child.kill('SIGKILL')
  for (const publisher of publishers) publisher.close()
  await redis.stop()
  place.remove()
})

const environment = () => ({ ...place.environment, ARBEES_REDIS_URL: redis.url })
/** A slow machine is not what is judged here. */
const LIMITS = ['--warn', '5s', '--critical', '20s']
const run = (words: readonly string[]) => processes[turn++ % processes.length]!.launch(words, environment())
const check = (...words: string[]) => run(['check', 'mirror', ...LIMITS, ...words])
/** Exit codes of the same state as text and for Nagios. */
async function exits(): Promise<readonly number[]> {
  const runs = [check(), check('--format', 'nagios')]
  return Promise.all(runs.map(({ ended }) => ended))
}

describe('arbees check mirror', () => {
  it('without traffic is well', async () => {
    const runs = [check('--json'), check('--format', 'nagios')]
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0])
    const [json, nagios] = runs.map((run) => run.stdout())
    expect(json!.trim()).not.toContain('\n')
    expect(JSON.parse(json!)).toMatchObject({ check: 'mirror', state: 'ok', warn_ms: 5_000, problems: [] })
    expect(nagios).toMatch(/^MIRROR OK - [^\n|]+ \| 'lag_seconds:kalshi\.orderbook'=0s;5;20;0 [^\n]+\n$/)
    for (const run of runs) expect(run.stderr()).toBe('')
  })

  it('the mirror tells its metrics, as many as its heartbeat has counts', async () => {
    const response = await fetch(metricsUrl)
    const families = parsePrometheusText(await response.text())
    expect(response.headers.get('content-type')).toContain('version=0.0.4')
    expect(families.get('arbees_redis_up')?.samples).toEqual([{ labels: { role: 'mirror' }, value: 1 }])
    const sources = families.get('arbees_lag_seconds')?.samples.map(({ labels }) => labels['source'])
    expect(sources).toContain('kalshi.prices')
    const started = families.get('process_start_time_seconds')?.samples[0]?.value ?? 0
    expect(Math.abs(started - Date.now() / 1000)).toBeLessThan(120)
  })

  it('what cannot be checked exits as its cause, for Nagios with UNKNOWN', async () => {
    const runs = [
      run(['check', 'mirror', '--warn', '2s', '--critical', '1s']),
      run(['check', 'mirror', '--warn', 'soon', '--format', 'nagios']),
      check('--redis-url', 'nonsense', '--format=nagios'),
      check('--redis-url', 'nonsense', '--format', 'json'),
      check('--redis-url', 'nonsense', '--format', 'prometheus'),
    ]
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([2, 3, 3, 4, 4])
    const [order, unit, redisUrl, json, prometheus] = runs
    expect(JSON.parse(json!.stdout())).toMatchObject({ check: 'mirror', state: 'unknown', exit: 4 })
    const [state] = parsePrometheusText(prometheus!.stdout()).get('arbees_check_state')!.samples
    expect(state).toEqual({ labels: { check: 'mirror' }, value: 3 })
    expect(order!.stderr()).toMatch(
      /^error: a warning from 2\.0s on is later .*\n {2}give --warn the shorter time/,
    )
    expect(unit!.stdout()).toMatch(/^MIRROR UNKNOWN - [^\n]*soon[^\n]*\n$/)
    expect(redisUrl!.stdout()).toMatch(/^MIRROR UNKNOWN - redis_url \(flag\) is not redis/)
  })

  it('of a role, the halt, Redis and the clocks has one line for Nagios and its codes', async () => {
    const words = [['role', 'kalshi'], ['role', 'nobody'], ['halt'], ['redis'], ['clock']]
    const runs = words.map((each) => run(['check', ...each, '--format', 'nagios']))
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 3, 0, 1, 0])
    const [kalshi, nobody, halt, server, clock] = runs.map((run) => run.stdout())
    expect(kalshi).toMatch(
      /^ROLE OK - kalshi is up, pid \d+ \| 'heartbeat_age_seconds:kalshi'=[\d.]+s;;;0\n$/,
    )
    expect(nobody).toMatch(/^ROLE UNKNOWN - no role 'nobody'/)
    expect(halt).toMatch(/^HALT OK - not halted/)
    expect(server).toMatch(/^REDIS WARNING - no append-only file/)
    expect(clock).toMatch(/^CLOCK OK - 6 clocks within \d+ ms of ours/)
  })

  it('a dead publisher, a dead mirror, no Redis: each has its codes', async () => {
    publishers[0]!.fallSilent()
    // What was heard of it before is of no interest to a check that begins now.
    expect(await exits()).toEqual([3, 1])
    publishers[0]!.resume()
    mirror.child.kill('SIGKILL')
    await mirror.ended
    // As it goes by itself, 5 s later.
    await redis.look.del('sim:arbees:health:mirror:0')
    expect(await exits()).toEqual([3, 2])
    await redis.kill()
    expect(await exits()).toEqual([6, 2])
  })
})
