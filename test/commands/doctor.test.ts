import { describe, expect, it } from 'vitest'
import type { DoctorReport } from '../../src/lib/operator/doctor-report.js'
import { createPlace, launch } from '../e2e/launch.js'
import { TestRedis } from '../lib/redis/support.js'

describe('arbees doctor', () => {
  it('exits 0 where nothing is broken and 3 where something is, with one object', async () => {
    const place = await createPlace()
    const redis = await TestRedis.start([])
    const urls = [redis.url, 'redis://127.0.0.1:1']
    const runs = urls.map((url) =>
      launch(['doctor', '--json'], { ...place.environment, ARBEES_REDIS_URL: url }),
    )
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 3])
    const reports = runs.map((run) => JSON.parse(run.stdout()) as DoctorReport)
    expect(reports.map(({ healthy }) => healthy)).toEqual([true, false])
    expect(reports[1]!.checks.filter(({ state }) => state === 'failed').map(({ name }) => name)).toEqual([
      'redis',
    ])
    await redis.stop()
    place.remove()
  })
})
