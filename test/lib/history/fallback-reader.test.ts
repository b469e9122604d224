import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import type { Gap } from '../../../src/lib/bus/gap.js'
import type { Position } from '../../../src/lib/bus/position.js'
import type { Problem, Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { FallbackReader } from '../../../src/lib/history/fallback-reader.js'
import type { LinkState } from '../../../src/lib/history/link-state.js'
import { runMirror } from '../../../src/lib/roles/mirror.js'
import { TcpProxy } from '../../faults/tcp-proxy.js'
import { until } from '../poll.js'
import { TestRedis, freePort, readGaps, readStream } from '../redis/support.js'
import { testRole } from '../roles/role-harness.js'
import type { SignalsChild } from './signals-child.js'

const STREAM = 'sim:signals:trades'
const HOST = '127.0.0.1'
const LOADER = resolve(import.meta.dirname, '../run-typescript.mjs')
const CHILD = resolve(import.meta.dirname, 'signals-child.ts')

const cleanups: (() => unknown)[] = []
let redis: TestRedis
beforeEach(async () => {
  redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A publisher that can be killed and started again where it was. */
async function startPublisher() {
  const root = mkdtempSync(join(tmpdir(), 'arbees-fallback-'))
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
  const [port, recoveryPort] = [await freePort(), await freePort()]
  const config: SignalsChild = {
    url: `tcp://${HOST}:${port}`,
    recoveryUrl: `tcp://${HOST}:${recoveryPort}`,
    root,
    perSecond: 200,
  }
  let child: ChildProcess | undefined
  let last: Position = { epoch: 0, seq: 0 }
  const start = async () => {
    child = spawn(process.execPath, ['--import', LOADER, CHILD, JSON.stringify(config)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const before = last
    child.on('message', (position) => (last = position as Position))
    await until(() => last.epoch > before.epoch && last.seq > 0, 'the publisher publishes')
  }
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((done) => child?.once('exit', done))
    child?.kill('SIGKILL')
    await ended
  }
  cleanups.push(kill)
  await start()
  /** Publishes no more, and lives on. */
  const hush = async () => {
    child?.send('quiet')
    let before = -1
    await until(async () => {
      const same = before === last.seq
      before = last.seq
      await new Promise((done) => setTimeout(done, 50))
      return same
    }, 'the publisher is quiet')
  }
  return { port, recoveryPort, start, kill, hush, last: () => last, config }
}

/** The mirror hears the publisher directly; our reader only through wires that can be cut. */
async function stage() {
  const publisher = await startPublisher()
  const mirror = testRole('mirror', {
    redis_url: redis.url,
    ...{ 'endpoints.shards': publisher.config.url, 'recovery.shards': publisher.config.recoveryUrl },
    ...{ 'endpoints.kalshi': `tcp://${HOST}:1`, 'endpoints.poly': `tcp://${HOST}:1` },
    ...{ 'endpoints.orchestrator': `tcp://${HOST}:1`, 'endpoints.exec': `tcp://${HOST}:1` },
    'mirror.signals_maxlen': '1000000',
  })
  await runMirror(mirror.context)
  cleanups.push(() => mirror.context.lifecycle.close())
  const wires = await Promise.all(
    [publisher.port, publisher.recoveryPort].map(async (port) => {
      const at = { host: HOST, port: await freePort() }
      return { at, proxy: await TcpProxy.listen(at, { host: HOST, port }) }
    }),
  )
  for (const { proxy } of wires) cleanups.push(() => proxy.close())
  const cut = () => wires.forEach(({ proxy }) => proxy.blackhole())
  const heal = () => wires.forEach(({ proxy }) => proxy.heal())

  const got: Received[] = []
  const gaps: Gap[] = []
  const problems: Problem[] = []
  const links: LinkState[] = []
  const states: string[] = []
  const [url, recoveryUrl] = wires.map(({ at }) => `tcp://${at.host}:${at.port}`)
  const reader = new FallbackReader({
    name: 'test',
    redisUrl: redis.url,
    endpoints: [
      { publisher: 'shard-0', url: url!, recoveryUrl: recoveryUrl!, sources: sourcesOf('shard-0') },
    ],
    prefixes: ['signals.trade.'],
    env: 'sim',
    clock: systemClock,
    keys: undefined,
    outOfReachMs: 1_000,
    mode: 'gap-filled',
    startAt: () => 'live',
    onMessage: (received) => got.push(received),
    onGap: (gap) => gaps.push(gap),
    onState: (_, state) => states.push(state),
    onHeartbeat: () => undefined,
    onProblem: (problem) => problems.push(problem),
    onLink: (_, state) => links.push(state),
    onRedisDown: () => undefined,
  })
  cleanups.push(() => reader.close())
  await until(() => got.length > 20 && states.at(-1) === 'LIVE', 'the reader reads')
  const places = () => got.map(({ message: { header } }) => ({ epoch: header.epoch, seq: header.seq }))
  const reached = (link: LinkState) => until(() => links.at(-1) === link, `the link is ${link}`)
  /** More came than there was now. */
  const more = async (count: number) => {
    const before = got.length
    await until(() => got.length > before + count, `${count} more came`)
  }
  /** What the mirror wrote from our first message on is what we got: nothing missing, nothing twice, in order. */
  const expectWhole = async () => {
    await publisher.hush()
    const last = publisher.last()
    const stored = async () =>
      (await readStream(redis.look, STREAM)).map(({ epoch, seq }) => ({ epoch, seq }))
    const isLast = (at: Position | undefined) => at?.epoch === last.epoch && at.seq === last.seq
    await until(async () => isLast((await stored()).at(-1)), 'the mirror has everything')
    await until(() => isLast(places().at(-1)), 'the reader has everything')
    const whole = await stored()
    const first = places()[0]!
    const begin = whole.findIndex(({ epoch, seq }) => epoch === first.epoch && seq === first.seq)
    expect(places()).toEqual(whole.slice(begin))
    expect(gaps).toEqual([])
    expect(await readGaps(redis.look)).toEqual([])
  }
  return { publisher, reader, got, gaps, problems, links, states, cut, heal, reached, more, expectWhole }
}

describe('a reader whose own link is cut', () => {
  it('goes on from Redis, says that it is not live, and merges without loss or doubles', async () => {
    const { links, states, cut, heal, reached, more, expectWhole } = await stage()
    cut()
    await reached('FALLBACK')
    expect(states.at(-1)).toBe('GAP')
    await more(100)
    expect(states.at(-1)).toBe('GAP')
    heal()
    await reached('LIVE')
    await until(() => states.at(-1) === 'LIVE', 'the channel is live')
    await more(50)
    expect(links).toEqual(['SUSPECT', 'FALLBACK', 'REJOIN', 'LIVE'])
    await expectWhole()
  })

  it('follows the publisher into a new life that it has never heard', async () => {
    const { publisher, cut, heal, reached, more, expectWhole } = await stage()
    cut()
    await reached('FALLBACK')
    await publisher.kill()
    await publisher.start()
    await more(150)
    heal()
    await reached('LIVE')
    await expectWhole()
  })

  it('is told that the publisher is dead while Redis is away, and reads on when it is back', async () => {
    const { cut, heal, reached, more, expectWhole, links } = await stage()
    await redis.kill()
    cut()
    await reached('DEAD')
    expect(links).toEqual(['SUSPECT', 'DEAD'])
    await redis.start()
    await reached('FALLBACK')
    await more(50)
    heal()
    await reached('LIVE')
    await expectWhole()
  })
})

describe('a reader whose publisher died', () => {
  it('knows it from Redis, which stands still too, and goes on when it is back', async () => {
    const { publisher, states, reached, more, expectWhole } = await stage()
    await publisher.kill()
    await reached('DEAD')
    expect(states.at(-1)).toBe('GAP')
    await publisher.start()
    await reached('LIVE')
    await more(50)
    await expectWhole()
  })

  it('gets from Redis what it did not hear before the end', async () => {
    const { publisher, got, links, cut, reached } = await stage()
    cut()
    // What is sent now reaches the mirror alone.
    const before = publisher.last().seq
    await until(() => publisher.last().seq > before + 20, 'some more was published')
    await publisher.kill()
    await reached('DEAD')
    const newest = (await readStream(redis.look, STREAM)).at(-1)!
    expect(got.at(-1)!.message.header.seq).toBe(newest.seq)
    expect(links).toContain('FALLBACK')
  })
})
