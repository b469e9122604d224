import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEAD_AFTER_MS, Link } from '../../../src/lib/history/link-state.js'
import type { LinkState } from '../../../src/lib/history/link-state.js'
import { SUSPECT_MS } from '../../../src/lib/messages/heartbeat.js'

interface Step {
  /** Since the step before. */
  readonly afterMs: number
  readonly heard?: boolean
  readonly storeMoved?: boolean
  readonly isWhole?: boolean
}

/** The states after each step. */
function walk(steps: readonly Step[]): LinkState[] {
  const link = new Link(0)
  let nowMs = 0
  return steps.map(({ afterMs, heard = false, storeMoved = false, isWhole = true }) => {
    nowMs += afterMs
    if (heard) link.heard(nowMs)
    return link.step({ nowMs, storeMoved, isWhole })
  })
}

describe('the link to a publisher', () => {
  it.each<[string, readonly Step[], readonly LinkState[]]>([
    [
      'stays live while heartbeats come, whatever Redis does',
      [
        { afterMs: 500, heard: true, storeMoved: true },
        { afterMs: SUSPECT_MS - 1, storeMoved: true },
      ],
      ['LIVE', 'LIVE'],
    ],
    ['is suspect after 600 ms of silence', [{ afterMs: SUSPECT_MS }], ['SUSPECT']],
    [
      'reads Redis once that goes on without it',
      [{ afterMs: SUSPECT_MS }, { afterMs: 100 }, { afterMs: 100, storeMoved: true }],
      ['SUSPECT', 'SUSPECT', 'FALLBACK'],
    ],
    [
      'is dead when Redis stands still too',
      [{ afterMs: SUSPECT_MS }, { afterMs: DEAD_AFTER_MS - 1 }, { afterMs: 1 }],
      ['SUSPECT', 'SUSPECT', 'DEAD'],
    ],
    [
      'stays in fallback while Redis moves, and is dead when that ends',
      [
        { afterMs: SUSPECT_MS },
        { afterMs: 1, storeMoved: true },
        { afterMs: DEAD_AFTER_MS - 1, storeMoved: true },
        { afterMs: DEAD_AFTER_MS - 1 },
        { afterMs: 1 },
      ],
      ['SUSPECT', 'FALLBACK', 'FALLBACK', 'FALLBACK', 'DEAD'],
    ],
    [
      'that was called dead is read from Redis when something comes there after all',
      [{ afterMs: SUSPECT_MS }, { afterMs: DEAD_AFTER_MS }, { afterMs: 5_000, storeMoved: true }],
      ['SUSPECT', 'DEAD', 'FALLBACK'],
    ],
    [
      'heard again is merged before it is live',
      [
        { afterMs: SUSPECT_MS },
        { afterMs: 1, storeMoved: true },
        { afterMs: 1, heard: true, storeMoved: true, isWhole: false },
        { afterMs: 1, isWhole: false },
        { afterMs: 1 },
      ],
      ['SUSPECT', 'FALLBACK', 'REJOIN', 'REJOIN', 'LIVE'],
    ],
    [
      'comes back from the dead through the merge',
      [{ afterMs: SUSPECT_MS }, { afterMs: DEAD_AFTER_MS }, { afterMs: 1, heard: true }, { afterMs: 1 }],
      ['SUSPECT', 'DEAD', 'REJOIN', 'LIVE'],
    ],
    [
      'falls silent again before it was whole',
      [
        { afterMs: SUSPECT_MS },
        { afterMs: 1, heard: true },
        { afterMs: SUSPECT_MS, isWhole: false },
        { afterMs: DEAD_AFTER_MS - 1 },
        { afterMs: 1 },
      ],
      ['SUSPECT', 'REJOIN', 'SUSPECT', 'SUSPECT', 'DEAD'],
    ],
  ])('%s', (_, steps, states) => {
    expect(walk(steps)).toEqual(states)
  })

  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 1_500 }),
    heard: fc.boolean(),
    storeMoved: fc.boolean(),
    isWhole: fc.boolean(),
  })

  it('never believes a silent one, never reads Redis for one that is heard or without news there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const states = walk(steps)
        let silentMs = 0
        states.forEach((state, i) => {
          const { afterMs, heard, storeMoved, isWhole } = steps[i]!
          const before = states[i - 1] ?? 'LIVE'
          silentMs = heard ? 0 : silentMs + afterMs
          const isSilent = silentMs >= SUSPECT_MS
          if (isSilent) expect(state).not.toBe('LIVE')
          if (!isSilent) expect(['LIVE', 'REJOIN']).toContain(state)
          if (state === 'FALLBACK' && before !== 'FALLBACK') expect(storeMoved).toBe(true)
          if (state === 'LIVE' && before !== 'LIVE') expect([before, isWhole]).toEqual(['REJOIN', true])
          if (state === 'DEAD') expect(storeMoved).toBe(false)
        })
      }),
    )
  })

  it('always ends live once it is heard and whole, dead once nobody hears it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const healed: Step = { afterMs: 200, heard: true, isWhole: true }
        expect(walk([...steps, healed, healed]).at(-1)).toBe('LIVE')
        const gone: Step = { afterMs: DEAD_AFTER_MS }
        expect(walk([...steps, gone, gone, gone]).at(-1)).toBe('DEAD')
      }),
    )
  })
})
