import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings, originKind } from '../../../src/lib/core/config.js'
import { parseConfigText } from '../../../src/lib/core/config-file.js'

const entriesOf = (text: string) =>
  parseConfigText(text).entries.map(({ profile, key, value }) => [profile, key, value])

describe('the text of arbees.yaml', () => {
  it.each([
    ['nothing', '', []],
    ['comments alone', '# env: prod\n', []],
    ['an empty section', 'kalshi:\nprofiles:\n', []],
    ['dotted keys', 'kalshi.rest_url: x\n', [[undefined, 'kalshi.rest_url', 'x']]],
    ['a list in lines', 'leagues:\n  - nba\n  - nhl\n', [[undefined, 'leagues', 'nba,nhl']]],
    [
      'an alias',
      'endpoints:\n  exec: &e tcp://a:1\n  replay: *e\n',
      [
        [undefined, 'endpoints.exec', 'tcp://a:1'],
        [undefined, 'endpoints.replay', 'tcp://a:1'],
      ],
    ],
    [
      'profiles',
      'shards: 2\nprofiles:\n  prod:\n    env: prod\n    limits: {order_usd: 5}\n  empty:\n',
      [
        [undefined, 'shards', '2'],
        ['prod', 'env', 'prod'],
        ['prod', 'limits.order_usd', '5'],
      ],
    ],
  ])('may be %s', (_, text, entries) => {
    expect(parseConfigText(text).problems).toEqual([])
    expect(entriesOf(text)).toEqual(entries)
  })

  it.each([
    ['a list', '- env\n', '1:1', 'not `key: value` lines', undefined],
    ['a word', 'env\n', '1:1', 'not `key: value` lines', undefined],
    ['broken YAML', 'env: sim\nleagues: [\n', '3:1', 'not YAML: an opening [', 'close it'],
    ['a key twice', 'env: sim\nenv: demo\n', '2:1', 'env is given twice', undefined],
    [
      'a key twice, once dotted',
      'kalshi: {rest_url: x}\nkalshi.rest_url: y\n',
      '2:1',
      'given twice',
      undefined,
    ],
    [
      'a mistyped key',
      'env: sim\nkalshi:\n  rest_ur: x\n',
      '3:3',
      "named 'kalshi.rest_ur'",
      'near: kalshi.rest_url',
    ],
    ['a mistyped section', 'limit:\n  order_usd: 5\n', '1:1', "no section is named 'limit'", 'near: limits'],
    ['a mistyped profiles', 'profile:\n  prod: {env: prod}\n', '1:1', "named 'profile'", 'near: profiles'],
    ['a value for a section', 'limits: 5\n', '1:1', 'limits is a section', undefined],
    ['a section for a value', 'env: {a: b}\n', '1:1', 'env is neither', undefined],
    [
      'no value',
      'env: sim\nkeys_dir:\n',
      '2:1',
      'keys_dir has no value',
      "write '' for none, or take the line out",
    ],
    ['a list of lists', 'leagues: [[nba]]\n', '1:1', 'leagues is neither', undefined],
    [
      'a profile in a profile',
      'profiles:\n  a:\n    profiles: {b: {}}\n',
      '3:5',
      "named 'profiles'",
      'config show',
    ],
    [
      'a second document',
      'env: sim\n---\nenv: demo\n',
      '2:1',
      'a second document begins',
      'take the --- out',
    ],
    ['a tab', 'limits:\n\torder_usd: 5\n', '2:1', 'a tab', 'spaces'],
    [
      'an indent that fits nothing',
      'kalshi:\n    rest_url: x\n  ws_url: y\n',
      '3:1',
      'not YAML: the indent',
      'same column',
    ],
    ['a merge key', 'profiles:\n  a: &a {env: demo}\n  b:\n    <<: *a\n', '4:5', 'merge keys', 'write its'],
    ['an alias of nothing', 'limits: *none\n', '1:9', '*none stands for nothing', '&none'],
    ['a bad name of a profile', 'profiles:\n  A b: {}\n', '2:3', "'A b'", 'lowercase'],
    [
      'a mistyped key of a profile',
      'profiles:\n  prod:\n    limits:\n      order_uds: 5\n',
      '4:7',
      "'limits.order_uds'",
      'near: limits.order_usd',
    ],
  ])('is refused with %s, by line and column', (_, text, at, message, hint) => {
    const [first] = parseConfigText(text).problems
    expect(`${first?.line}:${first?.column}`).toBe(at)
    expect(first?.message).toContain(message)
    expect(first?.hint ?? '').toContain(hint ?? '')
  })
})

it('of broken YAML is told the first error alone, in words of ours', () => {
  const text = `limits:\n    order_usd: 5\n  game_usd: 6\n${'   x: [\n'.repeat(100)}`
  const { problems, entries } = parseConfigText(text)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatchObject({ line: 3, column: 1 })
  expect(entries).toEqual([])
})

it.each([
  'a: [',
  'a: "x',
  "a: 'x",
  'a: {b',
  '- a\nb',
  'a: b: c',
  '@x',
  '`x',
  'a: &x &y 1',
  '%BAD\n---\na: 1',
  'a: !<x',
  'a: "\\q"',
  'a: 1\n---\nb: 2',
  'a:\n\tb: 1',
  'a: |x\n b',
  '"a\n b": 1',
  '? a\n: - b\n c',
  'a: b\n c: d',
  '*x : 1',
  'a: *x y',
  '{a, b]',
  'a: }',
  'a: !!int x',
  '[a: b\n c: d]',
])('says nothing in the words of a parser: %j', (text) => {
  for (const { message } of parseConfigText(text).problems)
    expect(message).not.toMatch(/YAML\.|parse|[Tt]oken|node|implicit|[Ff]low|[Ss]calar/)
})

describe('a profile', () => {
  let dir: string
  let path: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'arbees-profile-'))
    path = join(dir, 'arbees.yaml')
    writeFileSync(
      path,
      'env: demo\nshards: 2\nlimits:\n  order_usd: 50\nprofiles:\n  prod:\n    env: prod\n    limits:\n      order_usd: 5\n  bad:\n    shards: many\n',
    )
  })
  afterEach(() => rmSync(dir, { recursive: true }))
  const load = (profile?: string, more: Parameters<typeof loadSettings>[0] = {}) =>
    loadSettings({ file: { path, required: false }, profile, ...more })

  it("overrides the file's own values, below up.json, .env and the environment", () => {
    const { settings, origins, profile } = load('prod')
    expect([settings.env, settings.shards, settings['limits.order_usd'], profile]).toEqual([
      'prod',
      2,
      5,
      'prod',
    ])
    expect([origins.env, origins.shards]).toEqual([`${path} profile prod`, path])
    expect(load().settings['limits.order_usd']).toBe(50)
    expect(load('prod', { up: { env: 'sim' } }).origins.env).toBe('up.json')
    expect(load('prod', { environment: { ARBEES_ENV: 'sim' } }).settings.env).toBe('sim')
  })

  it('that is not there is refused, with the names of those that are', () => {
    expect(() => load('pord')).toThrowError(expect.objectContaining({ code: 'UNKNOWN_PROFILE', exit: 4 }))
    expect(() => load('pord')).toThrowError(/no profile 'pord': it has prod, bad/)
    expect(() =>
      loadSettings({ file: { path: join(dir, 'none.yaml'), required: false }, profile: 'prod' }),
    ).toThrowError(expect.objectContaining({ code: 'NO_CONFIG' }))
  })

  it('with a bad value is refused with its line when it is chosen', () => {
    expect(() => load('bad')).toThrowError(/shards is 'many' \(.*arbees\.yaml:11:13\)/)
  })

  it('with a misspelled key is refused, chosen or not', () => {
    writeFileSync(path, 'profiles:\n  prod:\n    evn: prod\n')
    expect(() => load()).toThrowError(/arbees\.yaml:3:5: no setting is named 'evn'/)
  })

  it('keeps a password from others, as the whole file does', () => {
    writeFileSync(path, 'profiles:\n  prod:\n    redis_url: redis://:hunter2@10.0.0.5\n')
    chmodSync(path, 0o644)
    expect(() => load()).toThrowError(
      expect.objectContaining({ code: 'OPEN_SECRET', hint: `chmod 600 ${path}` }),
    )
    chmodSync(path, 0o600)
    expect(load('prod').settings.redis_url).toContain('hunter2')
  })
})

it.each([
  ['flag', 'flag'],
  ['environment ARBEES_ENV', 'environment'],
  ['.env ARBEES_ENV', '.env'],
  ['up.json', 'up.json'],
  ['arbees.yaml', 'file'],
  ['/a b/arbees.yaml profile prod', 'profile'],
  ['default', 'default'],
])('an origin %s is of kind %s', (origin, kind) => {
  expect(originKind(origin)).toBe(kind)
})
