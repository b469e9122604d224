import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SequenceTracker } from '../../../src/lib/bus/sequence-tracker.js'
import type { Gap } from '../../../src/lib/bus/gap.js'

const SOURCE = 'kalshi.prices'

/** A tracker with its gaps on record. */
function tracked(wholeChannel = true) {
  const gaps: Gap[] = []
  const tracker = new SequenceTracker(() => wholeChannel)
  return {
    gaps,
    see: (seq: number, { epoch = 1, topic = 'a', prev = 0 } = {}) =>
      tracker.observe({ source: SOURCE, epoch, seq, prev }, topic, (gap) => gaps.push(gap)),
    beat: (last_seq: number, { epoch = 1, closing = false } = {}) =>
      tracker.beat({ source: SOURCE, epoch, last_seq }, closing, (gap) => gaps.push(gap)),
    position: () => tracker.position(SOURCE),
  }
}

describe('sequence of a whole channel', () => {
  it('joins anywhere without an alarm, then wants every seq', () => {
    const { see, gaps } = tracked()
    expect(see(500)).toEqual({ kind: 'next' })
    expect(see(501)).toEqual({ kind: 'next' })
    expect(see(505)).toEqual({
      kind: 'gap',
      gap: { source: SOURCE, epoch: 1, from: 502, to: 504, reason: 'missed' },
    })
    expect(see(505)).toEqual({ kind: 'duplicate' })
    expect(see(502)).toEqual({ kind: 'duplicate' })
    expect(gaps).toEqual([])
  })

  it('misses what was sent between a heartbeat and the first message', () => {
    const { see, beat } = tracked()
    beat(10)
    expect(see(12)).toMatchObject({ kind: 'gap', gap: { from: 11, to: 11 } })
  })

  it('sees a lost tail by the heartbeat after it, once', () => {
    const { see, beat, gaps } = tracked()
    see(1)
    beat(4)
    beat(4)
    expect(gaps).toEqual([{ source: SOURCE, epoch: 1, from: 2, to: 4, reason: 'tail_missed' }])
    expect(see(5)).toEqual({ kind: 'next' })
  })

  it('calls a restart after a clean stop no gap', () => {
    const { see, beat, gaps } = tracked()
    see(1)
    beat(1, { closing: true })
    beat(0, { epoch: 2 })
    expect(see(1, { epoch: 2 })).toEqual({ kind: 'next' })
    expect(gaps).toEqual([])
  })

  it('does not know where a killed life ended, and misses the head of the next', () => {
    const { see, gaps } = tracked()
    see(7)
    expect(see(3, { epoch: 2 })).toMatchObject({ kind: 'gap', gap: { epoch: 2, from: 1, to: 2 } })
    expect(gaps).toEqual([{ source: SOURCE, epoch: 1, from: 8, to: null, reason: 'epoch_end_unknown' }])
  })

  it('refuses what an earlier life sends after a later one was heard', () => {
    const { see } = tracked()
    see(7)
    see(1, { epoch: 2 })
    expect(see(8)).toEqual({ kind: 'old_epoch', epoch: 1 })
  })

  it('accounts for every seq: seen once or in exactly one gap', () => {
    const dropped = fc.array(fc.boolean(), { minLength: 1, maxLength: 100 })
    fc.assert(
      fc.property(dropped, fc.array(fc.nat(99)), (drops, duplicates) => {
        const { see, beat, gaps } = tracked()
        beat(0)
        const seen: number[] = []
        drops.forEach((drop, index) => {
          if (!drop) {
            const verdict = see(index + 1)
            seen.push(index + 1)
            if (verdict.kind === 'gap') gaps.push(verdict.gap)
          }
          if (duplicates.includes(index) && seen.length > 0)
            expect(see(seen.at(-1)!)).toEqual({ kind: 'duplicate' })
        })
        beat(drops.length)
        const missing = gaps.flatMap(({ from, to }) =>
          Array.from({ length: to! - from + 1 }, (_, i) => from + i),
        )
        expect([...seen, ...missing].sort((a, b) => a - b)).toEqual(drops.map((_, index) => index + 1))
      }),
    )
  })
})

describe('sequence behind a narrow prefix', () => {
  it('takes the holes of the channel as they are', () => {
    const { see, beat, gaps } = tracked(false)
    beat(100)
    expect(see(120, { prev: 90 })).toEqual({ kind: 'next' })
    expect(see(150, { prev: 120 })).toEqual({ kind: 'next' })
    beat(400)
    expect(see(420, { prev: 150 })).toEqual({ kind: 'next' })
    expect(gaps).toEqual([])
  })

  it('sees a hole within a topic by prev', () => {
    const { see } = tracked(false)
    see(10, { topic: 'a' })
    see(11, { topic: 'b' })
    expect(see(20, { topic: 'a', prev: 15 })).toMatchObject({
      kind: 'gap',
      gap: { from: 11, to: 15, topic: 'a' },
    })
    expect(see(20, { topic: 'a', prev: 15 })).toEqual({ kind: 'duplicate' })
    expect(see(21, { topic: 'b', prev: 11 })).toEqual({ kind: 'next' })
  })
})
