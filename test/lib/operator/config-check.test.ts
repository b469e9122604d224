import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { SETTING_KEYS } from '../../../src/lib/core/config.js'
import { checkConfigText, renderConfigReport } from '../../../src/lib/operator/config-check.js'
import { checkConfigFile } from '../../../src/lib/operator/config-host-check.js'
import { configSchema } from '../../../src/lib/operator/config-schema.js'

const problemsOf = (text: string) =>
  checkConfigText(text, 'f').problems.map(({ line, column, profile, code, message }) => ({
    at: line === null ? '' : `${line}:${column}`,
    ...{ profile, code, message },
  }))

describe('a settings file', () => {
  it('is told all that is wrong with it at once, where, and what was meant', () => {
    const report = checkConfigText(
      'env: production\nlimits:\n  order_uds: 5\nprofiles:\n  prod:\n    shards: many\n    endpoints: {exec: localhost}\n',
      'arbees.yaml',
    )
    expect(report.valid).toBe(false)
    expect(renderConfigReport(report).split('\n')).toEqual([
      "arbees.yaml:1:6: env is 'production', not one of sim, demo, prod",
      '  env: where the data come from',
      "arbees.yaml:3:3: no setting is named 'limits.order_uds'",
      '  near: limits.order_usd',
      "arbees.yaml:6:13: profile prod: shards is 'many', not a whole number from 1 to 64",
      '  shards: how many shards there are',
      expect.stringMatching(/^arbees\.yaml:7:23: profile prod: endpoints\.exec is 'localhost', not tcp:/),
      "  endpoints.exec: exec's publisher",
    ])
  })

  it.each([
    ['leagues: [nba, cricket]\n', '1:10', null, /cricket/],
    ['redis_url: redis://a/x\n', '1:12', null, /redis_url has something else/],
    ['endpoints: {exec: "tcp://a:65000"}\n', '', null, /no port 1000 above/],
    ['profiles: {s: {endpoints: {exec: "tcp://a:65000"}}}\n', '', 's', /no port 1000 above/],
    ['profiles:\n  p:\n    leagues: [cricket]\n', '3:14', 'p', /cricket/],
    [
      'endpoints:\n  exec: tcp://127.0.0.1:5556\n',
      '2:9',
      null,
      /^poly and exec would both bind tcp:\/\/127\.0\.0\.1:5556$/,
    ],
    ['recovery: {kalshi: "tcp://127.0.0.1:5558"}\n', '1:20', null, /kalshi's recovery socket and shard-0 /],
    ['shards: 2\nendpoints:\n  poly: tcp://127.0.0.1:5571\n', '3:9', null, /^poly and shard-1 /],
    ['profiles: {p: {endpoints: {exec: "tcp://127.0.0.1:5557"}}}\n', '1:34', 'p', /^orchestrator and exec /],
  ])('is told what a role would refuse: %j', (text, at, profile, message) => {
    expect(problemsOf(text)).toEqual([
      { at, profile, code: expect.any(String) as string, message: expect.stringMatching(message) as string },
    ])
  })

  it.each([
    'endpoints: {exec: "tcp://10.0.0.2:5556"}\n',
    'endpoints: {poly: "tcp://127.0.0.1:*", exec: "tcp://127.0.0.1:*"}\nrecovery: {poly: "tcp://127.0.0.1:*", exec: "tcp://127.0.0.1:*"}\n',
    'keys_dir: /nowhere\n',
  ])('is not told what no role refuses, or another host has: %j', (text) => {
    expect(problemsOf(text)).toEqual([])
  })

  it('is warned of a limit that never holds, and stays valid: to lower the total is always allowed', () => {
    const text = 'limits: {order_usd: 50, game_usd: 40}\nprofiles:\n  p:\n    limits: {total_usd: 30}\n'
    const report = checkConfigText(text, 'f')
    expect(report).toMatchObject({ valid: true, problems: [] })
    expect(report.warnings.map(({ line, profile, message }) => [line, profile, message])).toEqual([
      [1, null, 'limits.order_usd is 50, more than limits.game_usd (40) lets through'],
      [4, 'p', 'limits.order_usd is 50, more than limits.total_usd (30) lets through'],
    ])
    expect(renderConfigReport(report).split('\n')).toEqual([
      'f is valid, profiles: p',
      'f:1:35: warning: limits.order_usd is 50, more than limits.game_usd (40) lets through',
      expect.stringContaining('  ') as string,
      'f:4:25: warning: profile p: limits.order_usd is 50, more than limits.total_usd (30) lets through',
      expect.stringContaining('  ') as string,
    ])
    expect(checkConfigText('', 'f').warnings).toEqual([])
  })

  it('is told as a file of this host which keys cannot be read, and which profile it lacks', () => {
    const dir = mkdtempSync(join(tmpdir(), 'arbees-config-check-'))
    const path = join(dir, 'arbees.yaml')
    writeFileSync(path, `profiles: {p: {keys_dir: ${dir}/none}, q: {keys_dir: ${dir}/keys}}\n`)
    new KeyFolder(join(dir, 'keys')).generate('exec')
    const told = (profile?: string) =>
      checkConfigFile(path, profile).problems.map(({ line, column, profile, code }) => ({
        ...{ line, column, profile, code },
      }))
    const noKeys = { line: 1, column: 26, profile: 'p', code: 'NO_KEY' }
    expect(told()).toEqual([noKeys])
    expect(told('q')).toEqual([noKeys])
    expect(told('nope')).toEqual([
      noKeys,
      { line: null, column: null, profile: null, code: 'UNKNOWN_PROFILE' },
    ])
    expect(checkConfigFile(path, 'nope').valid).toBe(false)
    rmSync(dir, { recursive: true })
  })

  it('says a mistake of its own part once, not for each profile', () => {
    const profiles = 'profiles: {a: {env: demo}, b: {env: prod}}\n'
    expect(problemsOf(`leagues: [cricket]\n${profiles}`)).toHaveLength(1)
    expect(problemsOf(`endpoints: {exec: "tcp://a:65000"}\n${profiles}`)).toHaveLength(1)
  })

  it('repeats no password', () => {
    const text = 'redis_url: "redis://:hunter2@a b"\nprofiles: {a: {redis_url: "redis://:hunter2@a/x"}}\n'
    expect(JSON.stringify(checkConfigText(text, 'f'))).not.toContain('hunter2')
  })
})

describe('the JSON Schema of arbees.yaml', () => {
  it('has every setting in its section, with doc and default, in profiles too, and nothing else', () => {
    interface Node {
      readonly properties?: Readonly<Record<string, Node>>
      readonly description?: string
      readonly default?: unknown
      readonly additionalProperties?: unknown
    }
    const schema = configSchema() as unknown as Node & { readonly $defs: { readonly profile: Node } }
    const leaves = (node: Node, prefix = ''): string[] =>
      Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
        if (name === 'profiles') return []
        if (child.properties === undefined) {
          expect([name, typeof child.description, 'default' in child]).toEqual([name, 'string', true])
          return [`${prefix}${name}`]
        }
        expect(child.additionalProperties).toBe(false)
        return leaves(child, `${name}.`)
      })
    expect(leaves(schema).sort()).toEqual([...SETTING_KEYS].sort())
    expect(leaves(schema.$defs.profile).sort()).toEqual([...SETTING_KEYS].sort())
    expect(schema.additionalProperties).toBe(false)
  })
})
