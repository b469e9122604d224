import { describe, expect, it } from 'vitest'
import { renderBacktest } from '../../../src/lib/backtest/backtest-view.js'
import { Channels } from '../../../src/lib/backtest/channels.js'
import { isWholeRead } from '../../../src/lib/backtest/report.js'
import type { BacktestReport, MergedRead } from '../../../src/lib/backtest/report.js'

const ALL = ['kalshi.prices', 'kalshi.orderbook', 'poly.prices', 'poly.orderbook']
const message = (source: string, timestampMs: number, seq = 1) =>
  ({ kind: 'message', source, topic: 'x', epoch: 1, seq, timestampMs, data: Buffer.from('') }) as const

function noted(sources: readonly string[]): Channels {
  const channels = new Channels()
  for (const source of sources) channels.note(message(source, 5))
  return channels
}

const read = (change: Partial<MergedRead>): MergedRead => ({
  ...{ messages: 4, gaps: 0, missing: 0, refused: 0, channels: [], absent: [] },
  ...change,
})

describe('the channels of a merged past', () => {
  it('are each told with their first and their last message, without what nothing numbers', () => {
    const channels = noted(['poly.prices', 'kalshi.prices'])
    channels.note(message('poly.prices', 9))
    channels.note(message('poly.orderbook', 9, 0))
    expect(channels.read).toEqual([
      { source: 'kalshi.prices', messages: 1, first_ms: 5, last_ms: 5 },
      { source: 'poly.prices', messages: 2, first_ms: 5, last_ms: 9 },
    ])
  })

  it.each(ALL)('are missed where nothing is of %s', (missing) => {
    expect(noted(ALL.filter((source) => source !== missing)).absent).toEqual([missing])
    expect(noted(ALL).absent).toEqual([])
  })

  it.each<[string, Partial<MergedRead>, boolean]>([
    ['with all of it', {}, true],
    ['without a channel', { absent: ['poly.prices'] }, false],
    ['with a gap', { gaps: 1 }, false],
    ['with what is no message', { refused: 1 }, false],
  ])('make a whole of it, or say that they do not: %s', (_, change, isWhole) => {
    expect(isWholeRead(read(change))).toBe(isWhole)
    const report: BacktestReport = {
      ...{ order: 'merged by time', partial: false, read: read(change), first_ms: 1, last_ms: 2 },
      ...{ max_size: null, signals: { decided: 0, sha256: '' }, diff: null },
      ...{ opportunities: [], capture: [], assumed: [], not_known: [] },
    }
    const text = renderBacktest(report, { width: 100, color: false })
    expect(text.includes('not all there')).toBe(!isWhole)
    expect(text.includes('nothing of poly.prices')).toBe(change.absent !== undefined)
  })
})
