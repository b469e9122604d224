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

  it('exits by its verdict, not by its reader, whose pipe is closed', async () => {
    const place = await createPlace()
    const run = launch(['status'], { ...place.environment, ARBEES_REDIS_URL: 'redis://127.0.0.1:1' })
    run.child.stdout!.destroy()
    expect(await run.ended).toBe(3)
    place.remove()
  })

  it('exits 2 for a flag without its value', async () => {
    const run = launch(['status', '--data-dir', '--json'], {})
    const last = launch(['status', '--data-dir'], {})
    expect(await Promise.all([run.ended, last.ended])).toEqual([2, 2])
    expect(last.stderr()).toContain('data-dir')
  })
})
