import { describe, expect, it } from 'vitest'
import { LastWanted } from '../../../src/lib/operator/last-wanted.js'
import type { PastItem } from '../../../src/lib/history/past.js'
import { all, gap, pagesOf, past, told } from '../history/past-samples.js'

const hole: PastItem = { kind: 'gap', gap: gap(15, 17), afterMs: 0, timestampMs: 1_017 }
const many = [...Array.from({ length: 14 }, (_, i) => past(i + 1)), hole, past(18), past(19)]

async function last(count: number, items: readonly PastItem[], journal: readonly PastItem[] = []) {
  const talk: string[] = []
  const asked: unknown[] = []
  const wanted = new LastWanted({
    count,
    sources: ['kalshi.prices'],
    selection: { prefixes: ['prices.kalshi.'] },
    talk: (line) => talk.push(line),
  })
  const pages = wanted.of(pagesOf(items), (_source, before) => {
    asked.push(before)
    return pagesOf(journal)
  })
  return { got: told(await all(pages)), talk, asked }
}

describe('the last so many that are wanted', () => {
  it.each([
    [1, ['7/19']],
    [2, ['7/18', '7/19']],
    [3, ['7/14', '7/15..17 missed', '7/18', '7/19']],
  ])('%i of them come with the gaps between', async (count, expected) => {
    const { got, asked, talk } = await last(count, many)
    expect(got).toEqual(expected)
    expect([asked, talk]).toEqual([[], []])
  })

  it('are looked for further back where there are too few', async () => {
    const { got, asked, talk } = await last(5, [past(18), past(19)], [past(13), past(14), past(16), past(17)])
    expect(got).toEqual(['7/14', '7/16', '7/17', '7/18', '7/19'])
    expect(asked).toMatchObject([{ epoch: 7, seq: 18 }])
    expect(talk).toEqual([])
  })

  it('are as many as there are, and it is said', async () => {
    const { got, talk } = await last(5, [past(18), past(19)])
    expect(got).toEqual(['7/18', '7/19'])
    expect(talk).toEqual(['2 messages found of the last 5'])
  })

  it('are those that are wanted', async () => {
    const other = { ...past(20), topic: 'prices.poly.0x1' }
    expect((await last(1, [past(18), past(19), other])).got).toEqual(['7/19'])
  })
})
