import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SourcePast } from '../../../src/lib/history/past.js'
import type { PastItem } from '../../../src/lib/history/past.js'
import { SOURCE, gap, past, told } from './past-samples.js'

type Step = { readonly m: number; readonly e?: number } | { readonly g: ReturnType<typeof gap> }

function run(steps: readonly Step[], asksBefore?: 'trimmed') {
  const source = new SourcePast(SOURCE, asksBefore)
  const items: PastItem[] = []
  for (const step of steps) {
    if ('g' in step) source.gap(step.g, 'missed')
    else source.message(past(step.m, (step.e ?? 7) * 1_000 + step.m, SOURCE, step.e), 'missed', items)
  }
  source.end(items)
  return items
}

describe('a source as it is read', () => {
  it.each<[string, readonly Step[], readonly string[]]>([
    ['in order', [{ m: 4 }, { m: 5 }], ['7/4', '7/5']],
    ['with a hole nobody told of', [{ m: 4 }, { m: 7 }], ['7/4', '7/5..6 missed', '7/7']],
    ['read again from before', [{ m: 4 }, { m: 5 }, { m: 3 }, { m: 5 }, { m: 6 }], ['7/4', '7/5', '7/6']],
    [
      'with a gap on record',
      [{ m: 4 }, { g: gap(5, 6, 'retention') }, { m: 7 }],
      ['7/4', '7/5..6 retention', '7/7'],
    ],
    [
      'with a gap shorter than the hole',
      [{ m: 4 }, { g: gap(5, 5, 'corrupt') }, { m: 7 }],
      ['7/4', '7/5..5 corrupt', '7/6..6 missed', '7/7'],
    ],
    [
      'with a gap longer than the hole',
      [{ m: 4 }, { g: gap(2, 6, 'corrupt') }, { m: 7 }],
      ['7/4', '7/5..6 corrupt', '7/7'],
    ],
    ['with a gap that it had', [{ m: 4 }, { g: gap(2, 3, 'corrupt') }, { m: 5 }], ['7/4', '7/5']],
    ['in a new epoch', [{ m: 4 }, { m: 1, e: 8 }], ['7/4', '8/1']],
    ['in a new epoch that begins late', [{ m: 4 }, { m: 3, e: 8 }], ['7/4', '8/1..2 missed', '8/3']],
    [
      'after an end nobody knows',
      [{ m: 4 }, { g: gap(5, null, 'epoch_end_unknown') }, { m: 1, e: 8 }],
      ['7/4', '7/5.. epoch_end_unknown', '8/1'],
    ],
    [
      'after an end that was told twice',
      [{ m: 4 }, { g: gap(5, null) }, { g: gap(5, null) }, { m: 1, e: 8 }],
      ['7/4', '7/5.. missed', '8/1'],
    ],
    ['that ends in a gap', [{ m: 4 }, { g: gap(5, 9, 'retention') }], ['7/4', '7/5..9 retention']],
    ['that begins with a gap', [{ g: gap(1, 3, 'retention') }, { m: 4 }], ['7/1..3 retention', '7/4']],
    ['from an old epoch', [{ m: 1, e: 8 }, { m: 9 }, { g: gap(10, 12) }, { m: 2, e: 8 }], ['8/1', '8/2']],
  ])('%s', (_, steps, expected) => {
    expect(told(run(steps))).toEqual(expected)
  })

  it('begins with what was asked for and is gone', () => {
    expect(told(run([{ m: 4 }], 'trimmed'))).toEqual(['7/1..3 trimmed', '7/4'])
    expect(told(run([{ m: 1 }], 'trimmed'))).toEqual(['7/1'])
  })

  it('says between which times a gap lies', () => {
    expect(run([{ m: 4 }, { m: 7 }])[1]).toMatchObject({ afterMs: 7_004, timestampMs: 7_007 })
    expect(run([{ g: gap(1, 3) }, { m: 4 }])[0]).toMatchObject({ afterMs: -Infinity, timestampMs: 7_004 })
    expect(run([{ m: 4 }, { g: gap(5, 6) }])[1]).toMatchObject({ afterMs: 7_004, timestampMs: 7_004 })
  })

  it('gives every place from the first to the last once, as a message or as missing', () => {
    const steps = fc.array(
      fc.oneof(
        fc.integer({ min: 1, max: 30 }).map((m): Step => ({ m })),
        fc
          .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 5 }))
          .map(([from, more]): Step => ({ g: gap(from, from + more) })),
      ),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(steps, (given) => {
        const places = run(given).flatMap((item) => {
          if (item.kind === 'message') return [item.seq]
          const { from, to } = item.gap
          return Array.from({ length: to! - from + 1 }, (_, i) => from + i)
        })
        const first = places[0] ?? 1
        expect(places).toEqual(places.map((_, i) => first + i))
      }),
    )
  })
})
