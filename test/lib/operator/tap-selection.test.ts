import { describe, expect, it } from 'vitest'
import {
  isWhole,
  selected,
  wantsGap,
  wantsItem,
  wantsSource,
} from '../../../src/lib/operator/tap-selection.js'
import { parseWhere } from '../../../src/lib/operator/where.js'
import { all, gap, pagesOf, past, told } from '../history/past-samples.js'

const kalshi = { prefixes: ['prices.kalshi.'] }
const narrow = { prefixes: ['prices.kalshi.KXNBA'] }
const without = { prefixes: ['prices.'], exclude: ['prices.kalshi.'] }

describe('what a tap selects', () => {
  it.each([
    [kalshi, 'prices.kalshi.KX', true],
    [kalshi, 'prices.poly.0x1', false],
    [narrow, 'prices.kalshi.KXNBA-1', true],
    [narrow, 'prices.kalshi.KXNHL-1', false],
    [without, 'prices.poly.0x1', true],
    [without, 'prices.kalshi.KX', false],
    [{ ...kalshi, where: parseWhere('a = 1') }, 'prices.kalshi.KX', true],
    [{ ...kalshi, where: parseWhere('a = 2') }, 'prices.kalshi.KX', false],
  ])('of %j takes %s: %s', (selection, topic, expected) => {
    expect(wantsItem(selection, { topic, source: 's', text: '{"payload":{"a":1}}' })).toBe(expected)
  })

  it.each([
    [kalshi, 'kalshi.prices', true, true],
    [kalshi, 'poly.prices', false, false],
    [narrow, 'kalshi.prices', true, false],
    [without, 'kalshi.prices', false, false],
    [without, 'poly.prices', true, false],
    [{ ...kalshi, where: parseWhere('a = 1') }, 'kalshi.prices', true, false],
    [{ prefixes: ['signals.'] }, 'shard-3.signals', true, true],
  ])('of %j %s: something %s, all of it %s', (selection, source, some, whole) => {
    expect(wantsSource(selection, source)).toBe(some)
    expect(wantsGap(selection, { ...gap(1, 2), source })).toBe(some)
    expect(some && isWhole(selection, [source])).toBe(whole)
  })

  it('takes a gap of a topic only with the topic', () => {
    expect(wantsGap(narrow, { ...gap(1, 2), topic: 'prices.kalshi.KXNHL-1' })).toBe(false)
    expect(wantsGap(narrow, { ...gap(1, 2), topic: 'prices.kalshi.KXNBA-1' })).toBe(true)
  })

  it('takes of a past what it takes live', async () => {
    const items = [past(1), past(2, 1, 'poly.prices'), { ...past(3), topic: 'prices.poly.0x1' }]
    expect(told(await all(selected(pagesOf(items), kalshi)))).toEqual(['7/1', '7/2'])
  })
})
