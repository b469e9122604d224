import { describe, expect, it } from 'vitest'
import { createPlace, launch } from '../e2e/launch.js'

describe('arbees status', () => {
  it('exits 3 and says what to do when nothing runs; with --no-fail 0', async () => {
    const place = await createPlace()
    const environment = { ...place.environment, ARBEES_REDIS_URL: 'redis://127.0.0.1:1' }
    const runs = [
      ['status', '--json'],
      ['status', '--no-fail'],
    ].map((words) => launch(words, environment))
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([3, 0])
    for (const run of runs) {
      const report = JSON.parse(run.stdout()) as { healthy: boolean; problems: unknown[] }
      expect(run.stdout().trim()).not.toContain('\n')
      expect(report.healthy).toBe(false)
      expect(report.problems).toEqual([
        { role: 'arbees', problem: 'nothing runs', hint: 'start everything with: arbees up' },
      ])
    }
    place.remove()
  })
})
