import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPlace } from '../e2e/launch.js'
import type { Place } from '../e2e/launch.js'
import { CommandProcess } from './command-process.js'

let place: Place
let commands: CommandProcess
beforeAll(async () => {
  place = await createPlace()
  commands = new CommandProcess()
})
afterAll(async () => {
  expect(await commands.end()).toBe(0)
  place.remove()
})

async function arbees(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { exit, stdout, stderr } = await commands.run({ argv, environment, cwd: place.dir })
  return { exit, err: stderr, json: JSON.parse(stdout) as Record<string, unknown> }
}

describe('the settings file by command', () => {
  it('is written once, set value by value, and checked; .env and a profile are in force', async () => {
    const file = join(place.dir, 'arbees.yaml')
    expect(await arbees(['config', 'init', '--json'])).toMatchObject({
      exit: 0,
      json: { file: 'arbees.yaml' },
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const commented = readFileSync(file, 'utf8')
    expect(await arbees(['config', 'init', '--json'])).toMatchObject({
      exit: 4,
      json: { error: { code: 'CONFIG_EXISTS' } },
    })

    const set = await arbees(['config', 'set', 'env', 'demo', '--profile', 'staging', '--json'])
    expect(set).toMatchObject({ exit: 0, json: { key: 'env', profile: 'staging' } })
    expect(readFileSync(file, 'utf8')).toBe(`${commented}\nprofiles:\n  staging:\n    env: demo\n`)
    const typed = await arbees(['config', 'set', 'redis_url', 'redis://:hunter2@h', '--json'])
    expect(typed).toMatchObject({ exit: 2, json: { error: { code: 'SECRET_IN_FLAG' } } })
    const wrong = await arbees(['config', 'set', 'shards', 'many', '--json'])
    expect(wrong).toMatchObject({ exit: 2, json: { error: { code: 'BAD_CONFIG' } } })
    expect(readdirSync(place.dir).filter((name) => name.endsWith('.new'))).toEqual([])

    writeFileSync(join(place.dir, '.env'), 'ARBEES_PROFILE=staging\nARBEES_SHARDS=3\nOTHER=1\n')
    const shown = await arbees(['config', 'show', '--origin', 'profile', '--origin', '.env', '--json'])
    expect(shown.json['settings']).toEqual([
      expect.objectContaining({ key: 'env', value: 'demo', origin: 'arbees.yaml profile staging' }),
      expect.objectContaining({ key: 'shards', value: '3', origin: '.env ARBEES_SHARDS' }),
    ])
    const other = await arbees(['config', 'show', '--profile', 'prod', '--json'])
    expect(other).toMatchObject({ exit: 4, json: { error: { code: 'UNKNOWN_PROFILE' } } })
    const unknown = await arbees(['config', 'validate', '--profile', 'prod', '--json'])
    expect(unknown).toMatchObject({
      exit: 4,
      json: { valid: false, problems: [{ code: 'UNKNOWN_PROFILE' }] },
    })

    const hidden = await arbees(['config', 'set', 'shards', '2', '--json'])
    expect(hidden).toMatchObject({ exit: 0, json: { profile: 'staging' } })
    expect(hidden.err).toBe('shards is set, but not in force: .env ARBEES_SHARDS comes before it\n')
    writeFileSync(join(place.dir, '.env'), 'ARBEES_CONFIG=other.yaml\nARBEES_SHARDS=many\nARBEES_NO 1\n')
    const broken = await arbees(['config', 'set', 'shards', '2', '--json'])
    expect(broken).toMatchObject({ exit: 0, json: { file: 'other.yaml' } })
    expect(broken.err).toMatch(/^shards is set, but not in force: .*\.env:3: ARBEES_NO is not followed by =/)
    expect(await arbees(['config', 'validate', '--json'])).toMatchObject({
      exit: 0,
      json: { file: 'other.yaml', valid: true },
    })
  })

  it('is all told what is wrong with it, and left as it is by what would not mend it', async () => {
    const file = join(place.dir, 'broken.yaml')
    const text = 'data_dri: x\nprofiles:\n  p:\n    shards: many\n'
    writeFileSync(file, text)
    const report = await arbees(['config', 'validate', file, '--json'])
    expect(report).toMatchObject({
      exit: 4,
      json: {
        valid: false,
        problems: [
          { line: 1, hint: 'near: data_dir' },
          { line: 4, column: 13, profile: 'p' },
        ],
      },
    })
    const set = await arbees(['config', 'set', 'env', 'demo', '--config', file, '--json'])
    expect(set).toMatchObject({ exit: 4, json: { error: { code: 'BAD_CONFIG' } } })
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('is not read at all, nor .env, where ARBEES_CONFIG is empty: so up starts its roles', async () => {
    writeFileSync(join(place.dir, '.env'), 'ARBEES_NOTHING=1\n')
    const refused = await arbees(['config', 'show', '--json'])
    expect(refused).toMatchObject({ exit: 4, json: { error: { code: 'UNKNOWN_SETTING' } } })
    const alone = { ARBEES_CONFIG: '', ARBEES_PROFILE: '', ARBEES_SHARDS: '2' }
    const shown = await arbees(['config', 'show', '--origin', 'environment', '--json'], alone)
    expect(shown.json['settings']).toEqual([expect.objectContaining({ key: 'shards', value: '2' })])
    expect(existsSync(join(place.dir, '.arbees'))).toBe(false)
  })
})
