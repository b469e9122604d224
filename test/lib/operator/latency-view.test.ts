import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parseThreshold } from '../../../src/lib/operator/latency-assert.js'
import { readEarlier } from '../../../src/lib/operator/latency-compare.js'
import type { Hop } from '../../../src/lib/operator/latency-hops.js'
import { LIVE_HOPS } from '../../../src/lib/operator/latency-hops.js'
import { CSV_HEAD, HistoryTable, csvLines } from '../../../src/lib/operator/latency-lines.js'
import { reportOf } from '../../../src/lib/operator/latency-report.js'
import type { ReportOptions } from '../../../src/lib/operator/latency-report.js'
import { HopTotals } from '../../../src/lib/operator/latency-totals.js'
import type { Grouping } from '../../../src/lib/operator/latency-totals.js'
import { renderLatency } from '../../../src/lib/operator/latency-view.js'
import type { LatencyRun } from '../../../src/lib/operator/latency.js'
import { textWidth } from '../../../src/lib/view/text-width.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

const FROM_MS = Date.UTC(2026, 0, 27, 20, 14, 7)

/** Every hop, `n` times: 1 ms, and its number in us more. */
function runOf(grouping: Grouping = 'hop', n = 1_500): LatencyRun {
  const totals = new HopTotals(grouping)
  LIVE_HOPS.forEach((hop, index) => {
    for (let i = 0; i < n; i++) {
      const clock = hop === 'venue_monitor' ? 'venue' : 'monotonic'
      const reading = { us: hop === 'venue_monitor' && i === 0 ? -5 : 1_000 + index, clock } as const
      totals.record({ hop, reading, source: 'kalshi.prices', topic: 'prices.kalshi.K,"X"' })
    }
  })
  return {
    ended: 'for',
    fromMs: FROM_MS,
    toMs: FROM_MS + 10_000,
    messages: n,
    gaps: 0,
    missing: 0,
    problems: {},
    rows: totals.rows(),
    channels: [],
    backwards: 0,
    unmatched: 0,
    unmirrored: 0,
    skews: [],
    reported: [{ role: 'shard-0', hop: 'monitor_shard', p50_us: 1, p99_us: 2, n: 3 }],
  }
}

const OPTIONS: ReportOptions = {
  mode: 'live',
  env: 'sim',
  prefixes: ['prices.'],
  monotonic: { error_us: 1.2, rounds: 600 },
  machine: {},
  dist: false,
  thresholds: [],
  earlier: undefined,
}

const render = (run: LatencyRun, options: Partial<ReportOptions> = {}, width = 80, trend = new Map()) =>
  renderLatency(reportOf(run, { ...OPTIONS, ...options }), trend as Map<Hop, number[]>, {
    width,
    color: false,
  })

describe('the report of latency', () => {
  it.each([40, 80, 140])('fits %i columns, with every part of it', (width) => {
    const trend = new Map(LIVE_HOPS.map((hop) => [hop, [1, 2, 3]]))
    const thresholds = ['p99<1ms', 'decision.n>1'].map(parseThreshold)
    const earlier = [{ hop: 'decision', by: null, clock: 'monotonic', p50_us: 500, p99_us: 0, n: 9 }]
    const text = render(runOf(), { dist: true, thresholds, earlier }, width, trend)
    for (const line of text.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(width)
    for (const hop of LIVE_HOPS) expect(text).toContain(hop)
    expect(text).toMatch(/missed {2}p99<1ms: /)
    expect(text).toMatch(/ok {2}decision.n>1: /)
    expect(text).toContain('2.01x')
  })

  it('tells what its clocks are worth', () => {
    const text = render(runOf(), {}, 200)
    expect(text).toContain('at most 1.2 us apart (600 comparisons)')
    expect(text).toContain('1 of 1,500 below zero')
    expect(render(runOf(), { monotonic: { error_us: null, rounds: 0 } }, 200)).toContain(
      'could not be measured',
    )
  })

  it('shows no percentile that there are too few samples for', () => {
    const [row] = render(runOf('hop', 50))
      .split('\n')
      .filter((line) => line.startsWith('decision'))
    expect(row?.split(/\s+/)).toEqual(['decision', '1.00ms', '1.00ms', '1.00ms', '-', '-', '1.00ms', '50'])
    expect(render(runOf('hop', 50))).toContain('too few samples')
  })

  it('by role shows what the roles say of themselves', () => {
    expect(render(runOf('role'))).toMatch(/shard-0 +monitor_shard +1us +2us +3/)
    expect(render(runOf('hop'))).not.toContain('shard-0')
  })

  it('keeps its own part away from the hops', () => {
    const report = reportOf(runOf(), OPTIONS)
    expect(report.hops.map(({ hop }) => hop)).toEqual(LIVE_HOPS.filter((hop) => hop !== 'receive'))
    expect(report.receive.map(({ hop }) => hop)).toEqual(['receive'])
  })
})

describe('many topics', () => {
  it('show the busiest of each hop, cut in the middle where columns are few, and say what is left', () => {
    const totals = new HopTotals('topic')
    for (let i = 0; i < 20; i++) {
      for (let n = 0; n <= i; n++) {
        const topic = `prices.kalshi.KXNBAGAME-26NOV23NYKSAS-${i}`
        const reading = { us: 1_000, clock: 'monotonic' } as const
        totals.record({ hop: 'frame_to_quote', reading, source: 'kalshi.prices', topic })
        totals.record({ hop: 'receive', reading, source: 'kalshi.prices', topic })
      }
    }
    const text = render({ ...runOf(), rows: totals.rows() }, {}, 80)
    const rows = text.split('\n').filter((line) => line.startsWith('frame_to_quote'))
    expect(rows).toHaveLength(8)
    expect(rows[0]).toMatch(/^frame_to_quote +prices\.ka…\S*SAS-19 .* 20$/)
    expect(text).toContain('… 24 more rows')
  })
})

describe('its lines', () => {
  it.each([20, 80, 140])('of a history fit %i columns, the most telling hops first', (width) => {
    const table = new HistoryTable(width, LIVE_HOPS)
    const { rows, messages } = runOf()
    const lines = [table.head(), table.line({ fromMs: FROM_MS, toMs: FROM_MS + 1_000, messages, rows })]
    if (width > 32) for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
    expect(lines[0]).toContain('tick_to_order')
    expect(lines[1]).toMatch(/^20:14:08 +1,500 /)
    expect(lines[1]).toContain('1.01ms/1.01ms')
  })

  it('of CSV have as many fields as their head, and quote what could break them', () => {
    const { hops } = reportOf(runOf('topic'), OPTIONS)
    const [line] = csvLines(1, 2, hops)
    expect(line).toContain(',"prices.kalshi.K,""X""",')
    const fields = line!.replace(/"([^"]|"")*"/, 'quoted').split(',')
    expect(fields).toHaveLength(CSV_HEAD.split(',').length)
    expect(fields.slice(0, 6)).toEqual(['1', '2', 'venue_monitor', 'quoted', 'venue', '1500'])
  })
})

describe('an earlier run', () => {
  const write = (text: string) => {
    const dir = mkdtempSync(join(tmpdir(), 'arbees-latency-'))
    closers.push(() => rmSync(dir, { recursive: true, force: true }))
    const path = join(dir, 'before.json')
    writeFileSync(path, text)
    return path
  }

  it('is the last line of what --json printed', () => {
    const report = reportOf(runOf(), OPTIONS)
    const path = write(`{"interval":{}}\n${JSON.stringify(report)}\n`)
    const { compared } = reportOf(runOf(), { ...OPTIONS, earlier: readEarlier(path) })
    expect(compared).toHaveLength(report.hops.length)
    expect(compared[1]).toMatchObject({ hop: 'frame_to_quote', p50_ratio: 1, p99_ratio: 1 })
  })

  it.each([
    ['', 'Unexpected end'],
    ['{"hops":[]}', 'no hops'],
    ['{"summary":{}}', 'no hops'],
    ['{"hops":[{"hop":"decision"}]}', 'no hops'],
    ['[]', 'no hops'],
  ])('that is none is refused: %s', (text, message) => {
    const path = write(text)
    expect(() => readEarlier(path)).toThrowError(
      expect.objectContaining({ code: 'BAD_COMPARE', exit: 2, message: expect.stringContaining(message) }),
    )
    expect(() => readEarlier(path)).toThrowError(
      expect.objectContaining({ message: expect.stringContaining(path) }),
    )
  })

  it('that is not there is refused', () => {
    expect(() => readEarlier('/nonexistent/before.json')).toThrowError(
      expect.objectContaining({ code: 'BAD_COMPARE', message: expect.stringContaining('ENOENT') }),
    )
  })
})
