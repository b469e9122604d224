import { describe, expect, it } from 'vitest'
import { NOTHING, tally } from './tally.js'
import type { Arrivals, GapSighting, Sighting, Tally } from './tally.js'
import { lineOf } from './verdict.js'
import type { ControlExpectation } from './verdict.js'

/** Ten messages in epoch 7, then five in epoch 9. */
const SENT: readonly Sighting[] = [
  ...Array.from({ length: 10 }, (_, index) => ({ epoch: 7, seq: index + 1, n: index + 1 })),
  ...Array.from({ length: 5 }, (_, index) => ({ epoch: 9, seq: index + 1, n: index + 11 })),
]
const WHOLE = { ...NOTHING, sent: 15, received: 15 }
const at = (n: number): Sighting => SENT[n - 1]!
const without = (...numbers: readonly number[]) => SENT.filter(({ n }) => !numbers.includes(n))
const gap = (epoch: number, from: number, to: number | null): GapSighting => ({
  ...{ epoch, from, to },
  reason: 'retention',
})
const arrivals = (messages: readonly Sighting[], ...gaps: readonly GapSighting[]): Arrivals => ({
  messages,
  gaps,
})

describe('what was sent against what arrived', () => {
  it.each<[string, Arrivals, Partial<Tally>]>([
    ['all of it', arrivals(SENT), {}],
    ['two missing', arrivals(without(4, 12)), { received: 13, lost: 2 }],
    ['two missing, and told', arrivals(without(4, 5), gap(7, 4, 5)), { received: 13, gapped: 2 }],
    [
      'the end of an epoch, told as unknown',
      arrivals(without(9, 10), gap(7, 9, null)),
      { received: 13, gapped: 2 },
    ],
    ['one twice', arrivals([...SENT, at(3)]), { duplicated: 1 }],
    ['two swapped', arrivals([at(2), at(1), ...SENT.slice(2)]), { outOfOrder: 1 }],
    [
      'one with other contents',
      arrivals([{ ...at(1), n: 99 }, ...without(1)]),
      { received: 14, lost: 1, foreign: 1 },
    ],
    ['one of an epoch that never was', arrivals([...SENT, { epoch: 8, seq: 1, n: 1 }]), { foreign: 1 }],
    [
      'one that nobody had noted yet',
      arrivals([...SENT, { epoch: 9, seq: 6, n: 16 }]),
      { sent: 16, received: 16 },
    ],
    [
      'a gap record over what arrived',
      arrivals(without(4), gap(7, 4, 5)),
      { received: 14, gapped: 1, overclaimed: 1 },
    ],
    ['a gap record of nothing', arrivals(SENT, gap(8, 1, 3)), { overclaimed: 3 }],
    ['nothing', arrivals([]), { received: 0, lost: 15 }],
  ])('%s', (_what, found, changes) => {
    expect(tally(SENT, found)).toEqual({ ...WHOLE, ...changes })
  })

  it('does not count what was sent before a late joiner came', () => {
    expect(tally(SENT, arrivals(without(1, 2, 3)), at(4))).toEqual({ ...WHOLE, sent: 12, received: 12 })
  })
})

describe('the verdict of a case', () => {
  const outcome = {
    ours: WHOLE,
    control: { ...WHOLE, received: 10, lost: 5 },
    recoveryMs: 4,
    problems: [],
  }
  const failures = (changes: object, control: ControlExpectation = 'must_lose', gapped: number | 'any' = 0) =>
    lineOf('bus/case', [{ ...outcome, ...changes }], { control, atLeastSent: 15, gapped }, 1).failures
  const ours = (changes: Partial<Tally>) => ({ ours: { ...WHOLE, ...changes } })

  it('passes what lost nothing beside a control that did', () => {
    expect(failures({})).toEqual([])
    expect(failures({ control: { ...WHOLE, duplicated: 1 } })).toEqual([])
    expect(failures({ control: WHOLE }, 'may_lose')).toEqual([])
    expect(failures(ours({ received: 13, gapped: 2 }), 'must_lose', 2)).toEqual([])
  })

  it.each<[string, object]>([
    ['1 lost', ours({ lost: 1 })],
    ['1 duplicated', ours({ duplicated: 1 })],
    ['1 out of order', ours({ outOfOrder: 1 })],
    ['1 arrived that nobody sent', ours({ foreign: 1 })],
    ['1 in gap records that were not missing', ours({ overclaimed: 1 })],
    ['2 in gap records instead of 0', ours({ received: 13, gapped: 2 })],
    ['only 14 sent of 15', ours({ sent: 14, received: 14 })],
    ['received 14 of 15', ours({ received: 14 })],
    ['nothing received: nothing compared', ours({ received: 0 })],
    ['never equal to the publisher again', { recoveryMs: null }],
    ['the control received nothing: it is no control', { control: { ...NOTHING, lost: 15 } }],
    ['the control lost nothing: this harness is blind to the fault', { control: WHOLE }],
    ['the fault missed its moment', { problems: ['the fault missed its moment'] }],
  ])('fails: %s', (told, changes) => {
    expect(failures(changes)).toContain(told)
  })
})
