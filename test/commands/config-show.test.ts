import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createPlace, launch } from '../e2e/launch.js'

describe('arbees config show', () => {
  it('tells a typed flag from the environment, the file and the default', async () => {
    const place = await createPlace()
    const file = join(place.dir, 'arbees.yaml')
    writeFileSync(file, 'shards: 2\nkalshi:\n  credentials_file: /run/secrets/kalshi\n')
    const environment = { ...place.environment, ARBEES_REDIS_URL: 'redis://:secret@10.0.0.5' }
    const run = launch(['config', 'show', '--config', file, '--env', 'demo', '--json'], environment)
    expect(await run.ended).toBe(0)
    const { settings } = JSON.parse(run.stdout()) as {
      settings: { key: string; value: string; origin: string }[]
    }
    const shown = Object.fromEntries(settings.map(({ key, value, origin }) => [key, [value, origin]]))
    expect(shown).toMatchObject({
      env: ['demo', 'flag'],
      redis_url: ['redis://:****@10.0.0.5', 'environment ARBEES_REDIS_URL'],
      shards: ['2', file],
      'kalshi.credentials_file': ['/run/secrets/kalshi', file],
      log_level: ['info', 'default'],
    })
    expect(run.stdout()).not.toContain('secret@')
    place.remove()
  })
})
