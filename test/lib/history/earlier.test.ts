import { describe, expect, it } from 'vitest'
import { withEarlier } from '../../../src/lib/history/earlier.js'
import type { Earlier } from '../../../src/lib/history/earlier.js'
import type { Gap } from '../../../src/lib/bus/gap.js'
import type { PastItem } from '../../../src/lib/history/past.js'
import { all, gap, pagesOf, past, told } from './past-samples.js'

const POLY = 'poly.prices'
const trimmed: PastItem = { kind: 'gap', gap: gap(1, 4, 'trimmed'), afterMs: -Infinity, timestampMs: 1_005 }

/** A journal that has messages 2 to 4 of its first source, and of the other 1 to 2. */
function read(
  items: readonly PastItem[],
  sinceMs: number,
  journal: readonly PastItem[] = [past(2), past(3), past(4)],
) {
  const asked: Parameters<Earlier>[] = []
  const earlier: Earlier = (...wanted) => {
    asked.push(wanted)
    return pagesOf(wanted[0] === POLY ? [past(1, 900, POLY), past(2, 901, POLY)] : journal)
  }
  const pages = withEarlier(pagesOf(items), { begin: ['kalshi.prices', POLY], sinceMs, earlier })
  return { pages, asked }
}

describe('a past that goes further back', () => {
  it('begins each source with what is earlier, in the place of what was trimmed', async () => {
    const { pages, asked } = read([trimmed, past(5), past(6)], 1_000)
    expect(told(await all(pages))).toEqual(['7/2', '7/3', '7/4', '7/5', '7/6', '7/1', '7/2'])
    expect(asked).toEqual([
      ['kalshi.prices', { epoch: 7, seq: 5 }, undefined],
      [POLY, undefined],
    ])
  })

  it('keeps the mark of what was trimmed where nobody has it', async () => {
    const { pages } = read([trimmed, past(5)], 1_000, [])
    expect(told(await all(pages)).slice(0, 2)).toEqual(['7/1..4 trimmed', '7/5'])
  })

  it('asks for nothing that was not asked for', async () => {
    const { pages, asked } = read([trimmed, past(5), past(6, 2_000), past(1, 3_000, POLY)], 1_500)
    expect(told(await all(pages))).toEqual(['7/1..4 trimmed', '7/5', '7/6', '7/1', '7/2', '7/1'])
    expect(asked.map(([source]) => source)).toEqual([POLY])
  })

  it('takes a gap that was recorded for what it is', async () => {
    const lost: PastItem = {
      kind: 'gap',
      gap: gap(3, 4, 'retention'),
      afterMs: -Infinity,
      timestampMs: 1_005,
    }
    const { pages, asked } = read([lost, past(5)], 1_000, [past(2)])
    expect(told(await all(pages)).slice(0, 3)).toEqual(['7/2', '7/3..4 retention', '7/5'])
    expect(asked[0]).toEqual(['kalshi.prices', { epoch: 7, seq: 3 }])
  })

  it('looks in the middle for what may be had elsewhere, and for nothing else', async () => {
    const hole = (reason: Gap['reason']): PastItem => ({
      kind: 'gap',
      gap: gap(2, 4, reason),
      afterMs: 1_001,
      timestampMs: 1_005,
    })
    const filled = read([past(1), hole('trimmed'), past(5)], 1_001)
    expect(told(await all(filled.pages)).slice(3, 8)).toEqual(['7/1', '7/2', '7/3', '7/4', '7/5'])
    expect(filled.asked[1]).toEqual(['kalshi.prices', { epoch: 7, seq: 5 }, { epoch: 7, seq: 1 }])
    const nowhere = read([past(1), hole('retention'), past(5)], 1_001, [])
    expect(told(await all(nowhere.pages)).slice(0, 3)).toEqual(['7/1', '7/2..4 retention', '7/5'])
    expect(nowhere.asked).toHaveLength(2)
  })
})
