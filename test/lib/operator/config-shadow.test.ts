import { describe, expect, it } from 'vitest'
import { parseConfigText } from '../../../src/lib/core/config-file.js'
import { shadowOf } from '../../../src/lib/operator/config-shadow.js'

const FILE = parseConfigText('shards: 2\nprofiles: {a: {shards: 3}, b: {env: demo}, c: {shards: 4}}\n')

describe('a value that was set', () => {
  it.each([
    ['environment ARBEES_SHARDS', undefined, 'environment ARBEES_SHARDS comes before it'],
    ['.env ARBEES_SHARDS', 'a', '.env ARBEES_SHARDS comes before it'],
    ['up.json', 'a', 'the running up goes on with what it was started with; start it again'],
    ['default', undefined, 'ARBEES_CONFIG is empty, so no settings file is read'],
    ['arbees.yaml', undefined, 'not with --profile a or c, which has a value of its own'],
    ['arbees.yaml profile a', 'a', undefined],
  ])('is not the one in force when that comes from %s', (origin, profile, told) => {
    expect(shadowOf({ key: 'shards', value: '2', profile }, origin, FILE)).toBe(told)
  })

  it('is in force where no profile has it', () => {
    const change = { key: 'env', value: 'sim', profile: undefined } as const
    expect(shadowOf(change, 'arbees.yaml', parseConfigText('env: sim\n'))).toBeUndefined()
  })
})
