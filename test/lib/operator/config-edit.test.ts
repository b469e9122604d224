import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SETTINGS, SETTING_KEYS } from '../../../src/lib/core/config.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { parseConfigText } from '../../../src/lib/core/config-file.js'
import { setInConfigText } from '../../../src/lib/operator/config-edit.js'
import { configTemplate } from '../../../src/lib/operator/config-template.js'

const FILE = `# head

env:   sim   # of this host
leagues: [nba,   nhl] # two
kalshi:
    # indented by four
    rest_url: "http://a"   # why

# tail
`

describe('one value of a settings file', () => {
  it.each<[string, SettingKey, string, string | undefined, string, string]>([
    ['on its line', 'env', 'prod', undefined, FILE, FILE.replace('sim', 'prod')],
    ['as a list', 'leagues', 'mlb', undefined, FILE, FILE.replace('[nba,   nhl]', '[mlb]')],
    ['in quotes', 'kalshi.rest_url', 'http://b', undefined, FILE, FILE.replace('"http://a"', 'http://b')],
    [
      'under a dotted key',
      'kalshi.rest_url',
      'http://b',
      undefined,
      'kalshi.rest_url: x\n',
      'kalshi.rest_url: http://b\n',
    ],
    ['into an empty file', 'limits.order_usd', '5', undefined, '', 'limits:\n  order_usd: 5\n'],
    ['below comments', 'env', 'demo', 'a', '# env: sim\n', '# env: sim\n\nprofiles:\n  a:\n    env: demo\n'],
    ['into an empty section', 'limits.order_usd', '5', undefined, 'limits:\n', 'limits:\n  order_usd: 5\n'],
    [
      'beside others',
      'limits.game_usd',
      '9',
      undefined,
      'limits: {order_usd: 5}\n',
      'limits: {order_usd: 5, game_usd: 9}\n',
    ],
    [
      'into a profile',
      'env',
      'demo',
      'b',
      'profiles:\n  a: {}\n',
      'profiles:\n  a: {}\n  b:\n    env: demo\n',
    ],
    ['as text', 'strategy.valid', '2s', undefined, 'strategy: {valid: 1s}\n', 'strategy: {valid: 2s}\n'],
  ])('is set %s, and nothing else changes', (_, key, value, profile, before, after) => {
    expect(setInConfigText(before, key, value, profile)).toBe(after)
  })

  it('keeps every comment of a file whose section grows', () => {
    const after = setInConfigText(FILE, 'kalshi.ws_url', 'wss://b', undefined)
    for (const comment of ['# head', '# of this host', '# two', '# indented by four', '# why', '# tail'])
      expect(after).toContain(comment)
    expect(parseConfigText(after).entries).toHaveLength(4)
  })

  it.each<[string, SettingKey, string, string | undefined, string, RegExp]>([
    [
      'a limit that another one repeats',
      'limits.order_usd',
      '1000',
      undefined,
      'limits:\n  order_usd: &x 50\n  game_usd: *x\n',
      /limits\.game_usd would change, too/,
    ],
    [
      'a profile that another one repeats',
      'env',
      'sim',
      'prod',
      'profiles:\n  prod: &p {env: prod}\n  demo: *p\n',
      /profile demo: env would change, too/,
    ],
    [
      'a new value of a profile that another one repeats',
      'shards',
      '2',
      'prod',
      'profiles:\n  prod: &p {env: prod}\n  demo: *p\n',
      /profile demo: shards would change, too/,
    ],
    [
      'a section that a profile repeats',
      'limits.order_usd',
      '5',
      undefined,
      'limits: &l {game_usd: 9}\nprofiles: {prod: {limits: *l}}\n',
      /profile prod: limits\.order_usd would change, too/,
    ],
    [
      'a profile that is an alias',
      'env',
      'sim',
      'demo',
      'profiles:\n  prod: &p {env: prod}\n  demo: *p\n',
      /profile demo: env cannot be set/,
    ],
    [
      'a section that is an alias',
      'kalshi.ws_url',
      'wss://b',
      'demo',
      'kalshi: &k {rest_url: "http://a"}\nprofiles: {demo: {kalshi: *k}}\n',
      /profile demo: kalshi\.ws_url cannot be set/,
    ],
  ])('is refused as %s', (_, key, value, profile, before, message) => {
    const set = () => setInConfigText(before, key, value, profile)
    expect(set).toThrowError(message)
    expect(set).toThrowError(
      expect.objectContaining({
        ...{ code: 'BAD_CONFIG', exit: 4 },
        hint: expect.stringContaining('&') as string,
      }),
    )
  })

  it('takes the place of an alias, and leaves what that stood for', () => {
    const before = 'limits:\n  order_usd: &x 50\n  game_usd: *x\n'
    expect(setInConfigText(before, 'limits.game_usd', '1000', undefined)).toBe(
      'limits:\n  order_usd: &x 50\n  game_usd: 1000\n',
    )
  })

  it('reads back as it was given, whatever stood there before', () => {
    const values: Partial<Record<SettingKey, string[]>> = {
      data_dir: ['a, b', "it's", 'x: y', '# z', 'true', '10', '[a]', 'null', '- a'],
      'kalshi.credentials_file': ['/a,b', '{x}', '&a', '*b', '~'],
      leagues: ['nba', 'nba,nhl', ''],
      env: ['sim', 'prod'],
      metrics_port: ['', '0', '9100'],
      'journal.retain': ['64MiB', '1024'],
      redis_publish: ['true', 'false'],
    }
    const pairs = Object.entries(values).flatMap(([key, texts]) =>
      texts.map((text) => [key as SettingKey, text] as const),
    )
    const change = fc.tuple(fc.constantFrom(...pairs), fc.constantFrom(undefined, 'prod', 'demo'))
    const starts = fc.constantFrom('', '# c\n', FILE, 'kalshi: {credentials_file: a}\n', configTemplate())
    fc.assert(
      fc.property(starts, fc.array(change, { minLength: 1, maxLength: 8 }), (start, changes) => {
        let text = start
        const wanted = new Map<string, string>()
        for (const [[key, value], profile] of changes) {
          text = setInConfigText(text, key, value, profile)
          wanted.set(`${profile ?? ''} ${key}`, value)
        }
        const { entries, problems } = parseConfigText(text)
        expect(problems).toEqual([])
        const found = new Map(entries.map(({ profile, key, value }) => [`${profile ?? ''} ${key}`, value]))
        for (const [key, value] of wanted) expect([key, found.get(key)]).toEqual([key, value])
      }),
      { numRuns: 150 },
    )
  })
})

describe('the commented file', () => {
  it('changes nothing as it is', () => {
    expect(parseConfigText(configTemplate())).toMatchObject({ entries: [], problems: [], profiles: [] })
  })

  it('shows every setting at its default, and two profiles, once its # are taken away', () => {
    const { entries, problems, profiles } = parseConfigText(
      configTemplate().replace(/^#(?! [^ ]|$| {5})/gm, ''),
    )
    expect(problems).toEqual([])
    expect(profiles).toEqual(['demo', 'prod'])
    const own = entries.filter(({ profile }) => profile === undefined)
    expect(own.map(({ key }) => key).sort()).toEqual([...SETTING_KEYS].sort())
    for (const { key, value } of entries) expect(() => SETTINGS[key].parse(value)).not.toThrow()
    for (const { key, value } of own) expect(SETTINGS[key].parse(value)).toEqual(SETTINGS[key].fallback)
  })

  it('keeps to 120 columns', () => {
    expect(
      configTemplate()
        .split('\n')
        .filter((line) => line.length > 120),
    ).toEqual([])
  })
})
