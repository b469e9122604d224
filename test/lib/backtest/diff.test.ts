import { describe, expect, it } from 'vitest'
import { diffMerged, diffOfShards } from '../../../src/lib/backtest/diff.js'
import type { Rerun } from '../../../src/lib/roles/shard-rerun.js'

const signal = (id: string, size = 1) => ({ id, text: JSON.stringify({ id, size, age_us: size }) })

/** What a shard published and decided again. */
const rerun = (change: Partial<Rerun['report']>): Rerun => ({
  ...{ decided: [signal('a'), signal('b', 2)], published: [signal('a'), signal('b')] },
  ...{ firstMs: 1, lastMs: 2, isPartial: false },
  report: {
    ...{ shard: 0, epoch: 1, turns: 1, inputs: 1, turns_before: 0, turns_missing: 0, messages_missing: {} },
    ...{ clock_differs: 0, decided: 2, published: 2, same: 2, different: [], unpublished: [] },
    ...{ unpublished_tail: 0, unexplained: [], signals_on_disk: true, ok: true },
    ...change,
  },
})

describe('signals decided again by shards', () => {
  it('are clean where those of every shard are', () => {
    expect(diffOfShards([rerun({}), rerun({ unpublished_tail: 1 })])).toMatchObject({
      ...{ clean: true, recorded: 4, same: 4, unpublished_tail: 1, fields: [] },
    })
  })

  it('are not where one found something missing, or different, which is shown', () => {
    const found = diffOfShards([rerun({}), rerun({ ok: false, different: ['b'], unpublished: ['c'] })])
    expect(found).toMatchObject({ clean: false, different: ['b'], unpublished: ['c'] })
    expect(found.fields).toEqual([
      {
        id: 'b',
        fields: [
          { field: 'size', recorded: 1, decided: 2 },
          { field: 'age_us', recorded: 1, decided: 2 },
        ],
      },
    ])
  })
})

describe('signals decided again by time', () => {
  const of = (ids: string) => [...ids].map((id) => signal(id))

  it.each<[string, ReturnType<typeof of>, ReturnType<typeof of>, object]>([
    ['the same in another order', of('ab'), of('ba'), { clean: true, same: 2 }],
    [
      'the same but for ages',
      of('a'),
      [{ id: 'a', text: signal('a').text.replace('us":1', 'us":9') }],
      { clean: true },
    ],
    ['of another size', of('ab'), [signal('a'), signal('b', 3)], { clean: false, different: ['b'] }],
    ['not published', of('a'), of('ab'), { clean: false, unpublished: ['b'], unpublished_tail: 0 }],
    ['not published at all', [], of('ab'), { clean: false, unpublished: ['a', 'b'], unpublished_tail: 0 }],
    ['not decided again', of('ab'), of('b'), { clean: false, unexplained: ['a'] }],
  ])('are %s', (_, published, decided, expected) => {
    expect(diffMerged(published, decided)).toMatchObject(expected)
  })
})
