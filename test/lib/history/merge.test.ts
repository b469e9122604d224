import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lastOf, mergeByTime, within } from '../../../src/lib/history/merge.js'
import type { PastItem, PastPages } from '../../../src/lib/history/past.js'
import { all, gap, pagesOf, past, told } from './past-samples.js'

const hole = (from: number, to: number, afterMs: number, timestampMs: number): PastItem => ({
  kind: 'gap',
  gap: gap(from, to),
  afterMs,
  timestampMs,
})
const seqs = (items: readonly PastItem[]) => items.map((item) => (item.kind === 'message' ? item.seq : 'gap'))

describe('pasts merged by time', () => {
  const ofTimes = (source: string, times: readonly number[]) => times.map((ms, i) => past(i + 1, ms, source))

  it('come oldest first, whatever their pages', async () => {
    const times = fc
      .array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 })
      .map((list) => list.sort((a, b) => a - b))
    await fc.assert(
      fc.asyncProperty(
        fc.array(times, { maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        async (lists, size) => {
          const given = lists.map((list, i) => ofTimes(`s${i}.prices`, list))
          const merged = await all(mergeByTime(given.map((list) => pagesOf(list, size))))
          expect(merged.map(({ timestampMs }) => timestampMs)).toEqual(lists.flat().sort((a, b) => a - b))
          for (const list of given) {
            expect(merged.filter((item) => list.includes(item as (typeof list)[number]))).toEqual(list)
          }
        },
      ),
    )
  })

  it('keep the order of each, also where a clock was late', async () => {
    const a = ofTimes('a.prices', [10, 30, 20, 40])
    const b = ofTimes('b.prices', [15, 25, 35])
    const merged = await all(mergeByTime([pagesOf(a), pagesOf(b)]))
    expect(merged.map(({ timestampMs }) => timestampMs)).toEqual([10, 15, 25, 30, 20, 35, 40])
  })

  it('are all let go when nobody wants more, or one fails', async () => {
    let open = 0
    async function* endless(failsAt = Infinity): PastPages {
      open++
      try {
        for (let seq = 1; ; seq++) {
          if (seq >= failsAt) throw new Error('of its own')
          yield [past(seq)]
        }
      } finally {
        open--
      }
    }
    for await (const page of mergeByTime([endless(), endless()])) if (page.length > 0) break
    expect(open).toBe(0)
    await expect(all(mergeByTime([endless(3), endless(5)]))).rejects.toThrow('of its own')
    expect(open).toBe(0)
  })
})

describe('a part of a past', () => {
  const items = [past(1, 10), hole(2, 3, 10, 20), past(4, 20), hole(5, 5, 20, 50), past(6, 50)]

  it.each([
    [10, 50, [1, 'gap', 4, 'gap', 6]],
    [11, 50, ['gap', 4, 'gap', 6]],
    [20, 20, ['gap', 4, 'gap']],
    [21, 49, ['gap']],
    [51, 99, []],
    [0, 9, []],
  ])(
    'from %i to %i has what lies in it, and every gap that may reach into it',
    async (sinceMs, untilMs, expected) => {
      expect(seqs(await all(within(pagesOf(items), { sinceMs, untilMs })))).toEqual(expected)
    },
  )

  it.each([
    [1, [6]],
    [2, [4, 'gap', 6]],
    [3, [1, 'gap', 4, 'gap', 6]],
    [99, [1, 'gap', 4, 'gap', 6]],
  ])('that is its last %i messages has the gaps between them', async (count, expected) => {
    for (const size of [1, 2, 3, 9]) {
      expect(seqs(await all(lastOf(count, () => pagesOf(items, size))))).toEqual(expected)
    }
  })

  it('is never longer than asked for, and never shorter than there is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(30),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (n, count, size) => {
          const messages = Array.from({ length: n }, (_, i) => past(i + 1))
          const found = await all(lastOf(count, () => pagesOf(messages, size)))
          expect(told(found)).toEqual(told(messages.slice(-count)))
        },
      ),
    )
  })
})
