import { describe, expect, it } from 'vitest'
import { NOTHING, tally } from './tally.js'
import type { GapSighting, Sighting } from './tally.js'
import { lineOf, hopProblems } from './verdict.js'
import type { Expectation, Outcome } from './verdict.js'

const EXPECTED: Expectation = { control: 'must_lose', atLeastSent: 10, gapped: 0 }
const GOOD: Outcome = {
  ours: { ...NOTHING, sent: 10, received: 10 },
  control: { ...NOTHING, sent: 10, received: 8, lost: 2 },
  recoveryMs: 5,
  problems: [],
}
const line = (...outcomes: readonly Outcome[]) => lineOf('bus/case', outcomes, EXPECTED, 1.6)

describe('a line of several rounds', () => {
  it('adds their counts and tells the slowest recovery', () => {
    expect(line(GOOD, { ...GOOD, recoveryMs: 9, details: { epochs: [1] } })).toEqual({
      case: 'bus/case',
      ok: true,
      ...{ sent: 20, received: 20, lost: 0, gapped: 0, duplicated: 0, out_of_order: 0 },
      ...{ recovery_ms: 9, rounds: 2, took_ms: 2, epochs: [1] },
      control: { expect: 'must_lose', received: 16, lost: 4, duplicated: 0, out_of_order: 0 },
      failures: [],
    })
  })

  it('fails when one of them does, and names it: no round makes up for another', () => {
    const blind = { ...GOOD, control: { ...NOTHING, sent: 10, received: 10 } }
    const failing = line(GOOD, blind, { ...GOOD, recoveryMs: null, problems: ['the kill missed'] })
    expect(failing).toMatchObject({ ok: false, recovery_ms: null, control: { lost: 4 } })
    expect(failing.failures).toEqual([
      'round 2: the control lost nothing: this harness is blind to the fault',
      'round 3: the kill missed',
      'round 3: never equal to the publisher again',
    ])
  })
})

describe('what a publisher sent and did not live to note', () => {
  const sent: readonly Sighting[] = [{ epoch: 7, seq: 1, n: 1 }]
  const gap = (epoch: number, from: number, to: number | null): GapSighting => ({
    ...{ epoch, from, to, reason: 'out_of_reach' },
  })
  const counts = (messages: readonly Sighting[], ...gaps: readonly GapSighting[]) => {
    const { foreign, overclaimed, lost } = tally(sent, { messages: [...sent, ...messages], gaps })
    return { foreign, overclaimed, lost }
  }
  const NONE = { foreign: 0, overclaimed: 0, lost: 0 }

  it.each([
    ['some that arrived', counts([{ epoch: 7, seq: 513, n: 9 }]), NONE],
    ['more than it can have', counts([{ epoch: 7, seq: 514, n: 9 }]), { ...NONE, foreign: 1 }],
    ['some that are told to be missing', counts([], gap(7, 2, 513)), NONE],
    ['more that are told', counts([], gap(7, 2, 514)), { ...NONE, overclaimed: 1 }],
    ['what lies before every epoch', counts([], gap(0, 1, 99)), NONE],
    ['an end that nobody knows, of an epoch that never was', counts([], gap(8, 1, null)), NONE],
  ])('%s', (_what, found, expected) => {
    expect(found).toEqual(expected)
  })
})

describe('the hot path during an outage of Redis', () => {
  const hops = { p50_us: 400, p99_us: 6_000, n: 150_000 }
  it.each([
    ['is as it was', hops, hops, 0],
    ['is quicker', hops, { ...hops, p50_us: 300, p99_us: 800 }, 0],
    ['has a slower median', hops, { ...hops, p50_us: 900 }, 1],
    ['has a hundredfold tail', hops, { ...hops, p99_us: 600_000 }, 1],
    ['was not measured', hops, { ...hops, n: 0 }, 1],
    ['was measured at no time', { ...hops, n: NaN }, { ...hops, n: NaN }, 2],
  ])('%s', (_, before, during, problems) => {
    expect(hopProblems(before, during)).toHaveLength(problems)
  })
})
