import { describe, expect, it } from 'vitest'
import { MirrorWindow } from '../../../src/lib/bench/mirror-window.js'

const windowOf = (measured: number, ...sources: readonly string[]) =>
  new MirrorWindow({ firstMeasured: Object.fromEntries(sources.map((source) => [source, 11])), measured })

describe('what a mirror notes of a stretch', () => {
  it('is each lag once, whatever comes of the warm-up, of others or again', () => {
    const window = windowOf(2, 'a', 'b')
    window.record('a', 10, 0, 9_000)
    window.record('c', 11, 0, 9_000)
    window.record('a', 11, 1_000, 1_010)
    window.record('a', 11, 1_000, 9_000)
    window.record('b', 12, 1_000, 1_040)
    window.record('b', 11, 1_000, 1_030)
    window.record('a', 13, 0, 9_000)
    expect(window.complete).toBe(false)
    window.record('a', 12, 1_000, 1_050)
    expect(window.complete).toBe(true)
    expect(window.written()).toMatchObject({
      count: 4,
      lags: { p50_us: 30, p90_us: 50, p99_us: 50, max_us: 50 },
      lastReplyUs: 1_050,
      rate: (3 * 1e6) / 40,
    })
  })

  it('counts what was never written as later than everything', () => {
    const window = windowOf(10, 'a')
    for (let seq = 11; seq < 17; seq++) window.record('a', seq, 0, seq)
    expect(window.written()).toMatchObject({
      count: 6,
      lags: { p50_us: 15, p90_us: null, p99_us: null, max_us: null },
    })
    expect(windowOf(1, 'a').written()).toMatchObject({ count: 0, rate: 0, cpuUs: 0, lastReplyUs: null })
  })
})
