import fc from 'fast-check'
import * as hdr from 'hdr-histogram-js'
import { describe, expect, it } from 'vitest'
import { Counters, sumCounts, totalOf } from '../../../src/lib/telemetry/counters.js'
import { Histogram } from '../../../src/lib/telemetry/histogram.js'
import { createLogger } from '../../../src/lib/telemetry/logger.js'

describe('histogram', () => {
  const values = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 400 })

  it('agrees with HdrHistogram within its bucket width', () => {
    fc.assert(
      fc.property(values, (list) => {
        const ours = new Histogram()
        const oracle = hdr.build({ numberOfSignificantValueDigits: 4 })
        for (const value of list) {
          ours.record(value)
          oracle.recordValue(value)
        }
        for (const percent of [50, 90, 99, 99.9, 100]) {
          const expected = oracle.getValueAtPercentile(percent)
          expect(ours.percentile(percent)).toBeGreaterThanOrEqual(expected * 0.999 - 1)
          expect(ours.percentile(percent)).toBeLessThanOrEqual(expected * 1.017 + 1)
        }
        expect(ours.summary()).toMatchObject({
          min: Math.min(...list),
          max: Math.max(...list),
          n: list.length,
        })
      }),
    )
  })

  it('merges into what recording all values would give', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const [a, b, all] = [new Histogram(), new Histogram(), new Histogram()]
        for (const value of first) a.record(value)
        for (const value of second) b.record(value)
        for (const value of [...first, ...second]) all.record(value)
        a.merge(b)
        expect(a.summary()).toEqual(all.summary())
      }),
    )
  })

  it('is zero when empty and counts a negative latency as zero', () => {
    const histogram = new Histogram()
    expect(histogram.summary()).toEqual({ min: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0, n: 0 })
    histogram.record(-5)
    expect(histogram.summary()).toMatchObject({ max: 0, n: 1 })
  })
})

describe('counters', () => {
  it('sum a name over its reasons', () => {
    const counters = new Counters()
    counters.add('parse_errors', 'not_json')
    counters.add('parse_errors', 'oversize', 2)
    counters.add('parse_errors_of_others')
    expect(counters.total('parse_errors')).toBe(3)
    expect(totalOf(sumCounts(counters.snapshot(), counters.snapshot()), 'parse_errors')).toBe(6)
  })

  it('stay bounded when the reasons come from outside', () => {
    const counters = new Counters()
    for (let i = 0; i < 5000; i++) counters.add('unknown_frames', `kind-${i}`)
    expect(Object.keys(counters.snapshot()).length).toBeLessThan(50)
    expect(counters.total('unknown_frames')).toBe(5000)
    counters.add('quotes')
    counters.add('parse_errors', 'not_json')
    expect(counters.get('quotes')).toBe(1)
    expect(counters.get('parse_errors:not_json')).toBe(1)
  })
})

describe('logger', () => {
  it('writes one safe line, whatever the text holds', () => {
    const lines: string[] = []
    const log = createLogger({
      name: 'x',
      level: 'info',
      format: 'pretty',
      write: (line) => lines.push(line),
    })
    log.warn('title \u001b[2J\nforged', { market: 'a\u202eb', n: 1 })
    log.debug('not shown')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}title \\u001b\[2J\\u000aforged market=a\\u202eb n=1\n$/,
    )
  })

  it('writes JSON in a pipe', () => {
    const lines: string[] = []
    createLogger({ name: 'x', level: 'info', format: 'json', write: (line) => lines.push(line) }).info(
      'hello',
      { a: 1 },
    )
    expect(JSON.parse(lines[0]!)).toMatchObject({ name: 'x', msg: 'hello', a: 1, level: 30 })
  })
})
