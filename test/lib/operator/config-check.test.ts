import { describe, expect, it } from 'vitest'
import { SETTING_KEYS } from '../../../src/lib/core/config.js'
import { checkConfigText, renderConfigReport } from '../../../src/lib/operator/config-check.js'
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
  ])('is told what a role would refuse: %j', (text, at, profile, message) => {
    expect(problemsOf(text)).toEqual([
      { at, profile, code: expect.any(String) as string, message: expect.stringMatching(message) as string },
    ])
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
