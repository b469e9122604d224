import { describe, expect, it } from 'vitest'
import { statsJson, statsText } from '../../../src/lib/operator/tap-stats-view.js'
import { TapStats } from '../../../src/lib/operator/tap-stats.js'
import { textWidth } from '../../../src/lib/view/text-width.js'

const item = (topic: string, source: string, text = '{"a":1}') => ({ topic, source, epoch: 1, seq: 1, text })
const SECOND_US = 1_000_000

describe("a tap's counts", () => {
  it('are totals, and rates since the report before', () => {
    const stats = new TapStats(0, 0)
    for (let i = 0; i < 10; i++) stats.item(item('prices.kalshi.A', 'kalshi.prices'))
    stats.item(item('games.nba.1', 'orchestrator.games', '{"é":1}'))
    stats.gap({ source: 'kalshi.prices', epoch: 1, from: 3, to: 7, reason: 'missed' })
    stats.gap({ source: 'kalshi.prices', epoch: 1, from: 9, to: null, reason: 'retention' })
    const first = stats.report(2 * SECOND_US)
    expect(first).toMatchObject({
      elapsedMs: 2_000,
      intervalMs: 2_000,
      messages: 11,
      bytes: 78,
      perSecond: 5.5,
      gaps: 2,
      missing: 5,
    })
    expect(first.sources.map(({ source }) => source)).toEqual(['orchestrator.games', 'kalshi.prices'])
    expect(first.sources[1]).toMatchObject({ messages: 10, bytes: 70, perSecond: 5, gaps: 2, missing: 5 })
    stats.item(item('prices.kalshi.A', 'kalshi.prices'))
    const second = stats.report(3 * SECOND_US)
    expect(second.sources[1]).toMatchObject({ messages: 11, perSecond: 1, bytesPerSecond: 7 })
    const last = stats.report(4 * SECOND_US, { isLast: true })
    expect(last).toMatchObject({ intervalMs: 4_000, messages: 12, perSecond: 3 })
    expect(last.sources[1]).toMatchObject({ perSecond: 2.75 })
  })

  it('name the topics that are busiest now', () => {
    const stats = new TapStats(2, 0)
    for (let i = 0; i < 100; i++) stats.item(item('prices.kalshi.OLD', 'kalshi.prices'))
    stats.report(SECOND_US)
    for (let i = 0; i < 3; i++) stats.item(item('prices.kalshi.NEW', 'kalshi.prices'))
    stats.item(item('prices.kalshi.OTHER', 'kalshi.prices'))
    const { topics, busiest } = stats.report(2 * SECOND_US)
    expect(topics).toBe(3)
    expect(busiest.map(({ topic, perSecond }) => [topic, perSecond])).toEqual([
      ['prices.kalshi.NEW', 3],
      ['prices.kalshi.OTHER', 1],
    ])
  })

  it('remember so many topics and no more, and count the rest by their source', () => {
    const stats = new TapStats(1, 0)
    for (let i = 0; i < 25_000; i++) stats.item(item(`prices.kalshi.${i}`, 'kalshi.prices'))
    expect(stats.report(SECOND_US)).toMatchObject({ topics: 20_000, messages: 25_000 })
  })

  it('count what nobody numbers under the family of its topic', () => {
    const stats = new TapStats(0, 0)
    stats.item({ topic: 'health.kalshi', source: 'kalshi', text: '{}' })
    stats.item({ topic: 'prices.kalshi.A', source: 'legacy.127.0.0.1-5', text: '{}' })
    expect(stats.report(SECOND_US).sources.map(({ family, source }) => [family, source])).toEqual([
      ['health', 'kalshi'],
      ['prices', 'legacy.127.0.0.1-5'],
    ])
  })

  it('are one object of JSON, and tables that fit', () => {
    const stats = new TapStats(5, 0)
    stats.item(item('prices.kalshi.\u001b[2J' + 'X'.repeat(100), 'kalshi.prices'))
    const report = stats.report(SECOND_US)
    expect(JSON.parse(statsJson(report, { sources: true, topics: false }))).toEqual({
      stats: {
        elapsed_ms: 1_000,
        interval_ms: 1_000,
        messages: 1,
        bytes: 7,
        per_second: 1,
        bytes_per_second: 7,
        gaps: 0,
        missing: 0,
        sources: [
          {
            source: 'kalshi.prices',
            family: 'prices',
            messages: 1,
            bytes: 7,
            per_second: 1,
            bytes_per_second: 7,
            gaps: 0,
            missing: 0,
          },
        ],
      },
    })
    expect(JSON.parse(statsJson(report, { sources: false, topics: true }))).toMatchObject({
      stats: { topics: 1, top: [{ messages: 1, per_second: 1 }] },
    })
    for (const width of [40, 80, 140]) {
      const text = statsText(report, { sources: true, topics: true }, { width, color: false })
      expect(text.split('\n')[0]).toMatch(/^1\.0s, 1\.0\/s, 7 B\/s, 1 message, 7 B, 0 gaps, 1 topic$/)
      for (const line of text.split('\n').slice(1)) expect(textWidth(line)).toBeLessThanOrEqual(width)
      expect(text).not.toContain('\u001b')
    }
  })
})
