import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STATES, metricsOfRole } from '../../../src/lib/telemetry/metrics-of-role.js'
import type { RoleFigures } from '../../../src/lib/telemetry/metrics-of-role.js'
import { renderMetrics } from '../../../src/lib/telemetry/metrics.js'
import { parsePrometheusText } from './prometheus-text.js'

const process = { cpuSeconds: 1.5, residentBytes: 70e6, startedSeconds: 1_769_500_000.25 }
const read = (role: string, figures: Partial<RoleFigures>) =>
  parsePrometheusText(renderMetrics(metricsOfRole(role, { counts: {}, hops: {}, ...figures }, process)))

const TEXT = fc.string({
  unit: fc.constantFrom('a', '"', '\\', '\n', 'n', '{', '}', ',', '=', ' ', '\r', 'é', '\0'),
})

describe('the text format', () => {
  it('is what Prometheus describes, byte for byte', () => {
    const text = renderMetrics([
      {
        name: 'arbees_x_total',
        type: 'counter',
        help: 'With a \\ and\na line.',
        samples: [
          { labels: {}, value: 3 },
          { labels: { role: 'a', reason: 'say "no"\\\n' }, value: 1e21 },
        ],
      },
      { name: 'arbees_empty', type: 'gauge', help: '-', samples: [] },
    ])
    expect(text).toBe(
      '# HELP arbees_x_total With a \\\\ and\\na line.\n' +
        '# TYPE arbees_x_total counter\n' +
        'arbees_x_total 3\n' +
        'arbees_x_total{role="a",reason="say \\"no\\"\\\\\\n"} 1e+21\n',
    )
  })

  it('carries any label and any number there and back', () => {
    const sample = fc.record({
      labels: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/), TEXT, {
        maxKeys: 3,
      }),
      value: fc.double(),
    })
    const distinct = fc.uniqueArray(sample, {
      minLength: 1,
      maxLength: 5,
      selector: ({ labels }) => JSON.stringify(Object.entries(labels).sort()),
    })
    fc.assert(
      fc.property(distinct, fc.string(), (samples, help) => {
        const text = renderMetrics([{ name: 'arbees_x', type: 'gauge', help, samples }])
        const family = parsePrometheusText(text).get('arbees_x')
        expect(family?.help).toBe(help)
        const plain = (list: typeof samples = []) =>
          list.map(({ labels, value }) => [Object.entries(labels), `${value}`])
        expect(JSON.stringify(plain(family?.samples))).toBe(JSON.stringify(plain(samples)))
      }),
      { numRuns: 100 },
    )
  })
})

describe('the metrics of a role', () => {
  it('are counters with their reasons, states, hops, channels and feeds', () => {
    const families = read('kalshi', {
      counts: { quotes: 12, 'parse_errors:not_json': 2, 'parse_errors:oversize': 1, markets: 8, 'journal_errors:kalshi.prices': 1 }, // prettier-ignore
      hops: { frame_to_quote: { p50_us: 120, p99_us: 900, n: 12 } },
      channels: [{ source: 'kalshi.prices', epoch: 1_769_500_000_123, last_seq: 12, journal: 'degraded' }],
      feeds: [{ name: 'kalshi', state: 'BROKEN', proved_ago_us: 2_500_000, markets: 8 }],
    })
    const of = (name: string) => {
      const { type, samples } = families.get(name)!
      return [type, ...samples.map(({ labels: { role, ...labels }, value }) => [role, labels, value])]
    }
    expect(of('arbees_quotes_total')).toEqual(['counter', ['kalshi', {}, 12]])
    expect(of('arbees_parse_errors_total')).toEqual([
      'counter',
      ['kalshi', { reason: 'not_json' }, 2],
      ['kalshi', { reason: 'oversize' }, 1],
    ])
    expect(of('arbees_journal_errors_total')).toEqual(['counter', ['kalshi', { source: 'kalshi.prices' }, 1]])
    expect(of('arbees_markets')).toEqual(['gauge', ['kalshi', {}, 8]])
    expect(of('arbees_hop_p99_seconds')).toEqual(['gauge', ['kalshi', { hop: 'frame_to_quote' }, 0.0009]])
    expect(of('arbees_hop_measured_total')).toEqual(['counter', ['kalshi', { hop: 'frame_to_quote' }, 12]])
    expect(of('arbees_channel_seq')).toEqual(['gauge', ['kalshi', { source: 'kalshi.prices' }, 12]])
    expect(of('arbees_journal_degraded')).toEqual(['gauge', ['kalshi', { source: 'kalshi.prices' }, 1]])
    expect(of('arbees_feed_live')).toEqual(['gauge', ['kalshi', { feed: 'kalshi' }, 0]])
    expect(of('arbees_feed_proved_seconds')).toEqual(['gauge', ['kalshi', { feed: 'kalshi' }, 2.5]])
    expect(of('process_start_time_seconds')).toEqual(['gauge', ['kalshi', {}, 1_769_500_000.25]])
  })

  it("are in base units, and a state's reason is named for what it is", () => {
    const families = read('mirror', {
      counts: { 'lag_ms:kalshi.prices': 250, 'groups_close:sim:prices:kalshi/my "group"': 91 },
    })
    expect(families.get('arbees_lag_seconds')?.samples).toEqual([
      { labels: { role: 'mirror', source: 'kalshi.prices' }, value: 0.25 },
    ])
    expect(families.get('arbees_group_behind_percent')?.samples).toEqual([
      { labels: { role: 'mirror', group: 'sim:prices:kalshi/my "group"' }, value: 91 },
    ])
  })

  it('tell what one role adds to from what another sets under the same name', () => {
    expect(read('shard-3', { counts: { books: 9 } }).get('arbees_books_total')?.type).toBe('counter')
    expect(read('exec', { counts: { books: 9 } }).get('arbees_books')?.type).toBe('gauge')
  })

  it('are readable whatever a count is called', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.nat()), (counts) => {
        // Two foreign names may become one; names of ours never do.
        const names = Object.keys(counts).map((key) => key.split(':')[0]!.replace(/[^a-zA-Z0-9_]/g, '_'))
        fc.pre(new Set(names).size === names.length)
        expect(() => read('x', { counts })).not.toThrow()
      }),
    )
  })

  it('know every count that is set instead of added to', () => {
    const root = resolve(import.meta.dirname, '../../../src/lib')
    const files = readdirSync(root, { recursive: true }).map(String)
    const sources = files
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, name), 'utf8'))
    const set = sources.flatMap((text) =>
      [...text.matchAll(/counters\.set\(['`]([a-z_]+)/g)].map(([, name]) => name!),
    )
    expect(set.length).toBeGreaterThan(10)
    // Set once to what is on record, then added to.
    const sums = ['orders', 'fills']
    const known = new Set([...Object.keys(STATES).map((name) => name.split('.').at(-1)), ...sums])
    expect(set.filter((name) => !known.has(name))).toEqual([])
  })
})
