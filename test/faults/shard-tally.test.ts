import { describe, expect, it } from 'vitest'
import { tallyShards } from './shard-tally.js'
import type { Played, SignalSeen } from './shard-tally.js'

const quote = (seq: number, atMs: number, isOpen: boolean) => ({ market: 'A', seq, atMs, isOpen })
const signal = (shard: number, seq: number, ms: number): SignalSeen => ({
  ...{ shard, market: 'A', seq },
  ...{ atMs: ms + 1, triggerMs: ms },
})
/** One opportunity from 1,000 to 2,000, a second from 3,000 to 4,000, and a move between them. */
const played = (change: Partial<Played> = {}): Played => ({
  quotes: [
    quote(1, 0, false),
    quote(2, 1_000, true),
    quote(3, 1_500, true),
    quote(4, 2_000, false),
    quote(5, 3_000, true),
    quote(6, 4_000, false),
    quote(7, 9_000, false),
  ],
  words: [
    { market: 'A', atMs: 0, shard: 0, handover: { from: 0, atMs: 100 } },
    { market: 'A', atMs: 1_200, shard: 1, handover: { from: 0, atMs: 2_500 } },
  ],
  signals: [signal(0, 2, 1_000), signal(1, 5, 3_000)],
  outages: [],
  fromMs: 500,
  untilMs: 9_000,
  isNaive: false,
  ...change,
})
const outcome = (change: Partial<Played>) => {
  const { tally, moves } = tallyShards(played(change))
  const { sent, received, lost, duplicated, foreign } = tally
  return { sent, received, lost, duplicated, foreign, moves }
}
const CLEAN = { sent: 2, received: 2, lost: 0, duplicated: 0, foreign: 0, moves: 1 }

describe('what became of opportunities', () => {
  it('is clean when the owner of each signaled it once', () => {
    expect(outcome({})).toEqual(CLEAN)
  })

  it('shows a second signal, of either shard', () => {
    for (const shard of [0, 1]) {
      const signals = [signal(0, 2, 1_000), signal(shard, 3, 1_500), signal(1, 5, 3_000)]
      expect(outcome({ signals })).toMatchObject({ duplicated: 1, foreign: shard })
    }
  })

  it('shows one that nobody signaled', () => {
    expect(outcome({ signals: [signal(0, 2, 1_000)] })).toEqual({ ...CLEAN, received: 1, lost: 1 })
  })

  it('does not ask for what was there while nobody could trade', () => {
    const outages = [{ shard: 1, fromMs: 2_500, untilMs: 3_100 }] as const
    expect(outcome({ signals: [signal(0, 2, 1_000)], outages })).toEqual({ ...CLEAN, sent: 1, received: 1 })
  })

  it("shows a signal on a quote that was the other shard's", () => {
    expect(outcome({ signals: [signal(0, 2, 1_000), signal(0, 5, 3_000)] })).toMatchObject({ foreign: 1 })
  })

  it('shows a signal from a book that had long been another', () => {
    const late = { ...signal(0, 2, 1_000), atMs: 2_600 }
    expect(outcome({ signals: [late, signal(1, 5, 3_000)] })).toMatchObject({ foreign: 1 })
  })

  it('shows a signal on no opportunity at all', () => {
    const signals = [signal(0, 2, 1_000), signal(1, 4, 2_600), signal(1, 5, 3_000)]
    expect(outcome({ signals })).toMatchObject({ foreign: 1, duplicated: 0 })
  })
})
