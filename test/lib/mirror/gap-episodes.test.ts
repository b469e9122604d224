import { describe, expect, it } from 'vitest'
import { GapEpisodes } from '../../../src/lib/mirror/gap-episodes.js'
import type { GapStep } from '../../../src/lib/mirror/item.js'

const gap = (from: number, to = from): GapStep => ({ kind: 'gap', epoch: 1, from, to, reason: 'retention' })
const END_UNKNOWN: GapStep = { kind: 'epoch', from: 1, to: 2, reason: 'epoch_end_unknown' }

describe('episodes of gaps', () => {
  it('alarm once for a storm, and sum it up when it is over', () => {
    const episodes = new GapEpisodes()
    const alarms = Array.from({ length: 1_000 }, (_, i) => episodes.note('a', gap(2 * i), i * 10))
    expect(alarms.filter(Boolean)).toHaveLength(1)
    expect(alarms[0]).toBe(true)
    expect(episodes.takeEnded(9_990 + 4_999)).toEqual([])
    expect(episodes.takeEnded(9_990 + 5_000)).toEqual([
      { source: 'a', gaps: 1_000, messages: 1_000, isExact: true, lastedMs: 9_990 },
    ])
    expect(episodes.takeEnded(1e9)).toEqual([])
  })

  it('alarm again for a gap after a quiet time', () => {
    const episodes = new GapEpisodes()
    expect(episodes.note('a', gap(1, 10), 0)).toBe(true)
    expect(episodes.takeEnded(5_000)).toMatchObject([{ gaps: 1, messages: 10, lastedMs: 0 }])
    expect(episodes.note('a', gap(20), 5_001)).toBe(true)
  })

  it('keep channels apart, and say when nobody knows how much is missing', () => {
    const episodes = new GapEpisodes()
    expect(episodes.note('a', gap(1, 3), 0)).toBe(true)
    expect(episodes.note('b', END_UNKNOWN, 1_000)).toBe(true)
    expect(episodes.note('a', END_UNKNOWN, 2_000)).toBe(false)
    expect(episodes.takeEnded(6_500)).toEqual([
      { source: 'b', gaps: 1, messages: 0, isExact: false, lastedMs: 0 },
    ])
    expect(episodes.takeEnded(Infinity)).toEqual([
      { source: 'a', gaps: 2, messages: 3, isExact: false, lastedMs: 2_000 },
    ])
  })
})
