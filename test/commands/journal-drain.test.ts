import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { openJournalReader } from '../../src/lib/bus/journal/reader.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import type { DrainReport } from '../../src/lib/operator/journal-drain.js'
import { createPlace, launch } from '../e2e/launch.js'
import { until } from '../lib/poll.js'
import { TestRedis, readStream } from '../lib/redis/support.js'

const SOURCE = 'kalshi.prices'
const LIB = resolve(import.meta.dirname, '../lib')

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

it('arbees journal drain writes what a killed publisher left, once, and nothing while it lives', async () => {
  const redis = await TestRedis.start()
  cleanups.push(() => redis.stop())
  const place = await createPlace()
  cleanups.push(() => place.remove())
  const root = join(place.dir, 'journal', 'sim')
  const child = fork(join(LIB, 'bus', 'publisher-child.ts'), [root], {
    execArgv: ['--import', join(LIB, 'run-typescript.mjs')],
  })
  cleanups.push(() => child.kill('SIGKILL'))
  const [{ epoch }] = (await once(child, 'message')) as [{ epoch: number }]
  const drain = async (...args: string[]) => {
    const run = launch(['journal', 'drain', ...args, '--redis-url', redis.url], place.environment)
    return { code: await run.ended, stdout: run.stdout(), stderr: run.stderr() }
  }
  child.send('go')
  const journaled = () => openJournalReader(new FileStorage(join(root, SOURCE))).epochs.at(-1)?.last
  await until(() => journaled() === 40, 'four bursts are journaled')

  const alive = await drain(root)
  expect([alive.code, alive.stdout]).toEqual([7, ''])
  expect(alive.stderr).toContain(`process ${child.pid}`)
  expect(await redis.look.dbsize()).toBe(0)

  child.send('die')
  expect((await once(child, 'exit'))[1]).toBe('SIGKILL')
  const first = await drain(root)
  expect(first.code).toBe(0)
  const report = JSON.parse(first.stdout) as DrainReport
  expect(report).toMatchObject({ written: 50, gaps: 0, too_late: 0 })
  expect(report.channels).toMatchObject([{ source: SOURCE, written: 50, epoch, seq: 50, end_known: true }])
  const stream = await readStream(redis.look, 'sim:prices:kalshi')
  expect(stream.map((entry) => [entry.epoch, entry.seq])).toEqual(
    Array.from({ length: 50 }, (_, i) => [epoch, i + 1]),
  )

  const again = await drain(join(root, SOURCE))
  expect([again.code, JSON.parse(again.stdout)]).toMatchObject([0, { written: 0, gaps: 0, too_late: 0 }])
  expect(await redis.look.xlen('sim:prices:kalshi')).toBe(50)
}, 60_000)
