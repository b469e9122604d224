/**
 * No signal ever from a quote that is not LIVE, from a game that has ended, beyond age or skew: random feeds with faults
 * through the real decider, and beside it books of our own that say of each signal whether it may be. A run is 200 events.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GATES } from '../../../src/lib/strategy/gates.js'
import type { Gate, GateReason } from '../../../src/lib/strategy/gates.js'
import { GatesWorld } from './gates-world.js'

const EVENTS = 200

/** What the signals of each kind are complained of, when a gate is off. */
const COMPLAINTS: Readonly<Record<GateReason, RegExp>> = {
  game_over: /the game is over/,
  game_stale: /nobody spoke of the game|scoreboard was read long ago/,
  silent_orchestrator: /orchestrator is silent/,
  selection_mismatch: /another team/,
  silent_monitor: /silent monitor/,
  broken_channel: /something is missing/,
  not_live: /not LIVE/,
  book_seq_differs: /two changes/,
  crossed_book: /crossed/,
  old_quote: /old quote/,
  leg_skew: /far apart/,
}

const seen = { events: 0, signals: 0, kinds: new Set<string>() }

/** The complaints about a run, and how many signals it had. */
function run(seed: number, events: number, gates?: readonly Gate[]): GatesWorld {
  const world = new GatesWorld(seed, gates)
  for (let i = 0; i < events; i++) world.step()
  return world
}

const nothingWrong = fc.property(fc.nat(), fc.integer({ min: 1, max: EVENTS }), (seed, short) => {
  // Mostly whole runs; short ones are what a counterexample is shrunk to.
  const events = short % 10 === 0 ? short : EVENTS
  const { complaints, signals, kinds } = run(seed, events)
  seen.events += events
  seen.signals += signals
  for (const kind of kinds.keys()) seen.kinds.add(kind)
  return complaints.length === 0
})

describe('a signal of random feeds with faults', () => {
  it('comes of LIVE quotes alone, whole, young, near one another, of a game that goes on', () => {
    fc.assert(nothingWrong, { numRuns: 30 })
    // Not for want of signals, and of every kind.
    expect(seen.signals).toBeGreaterThan(seen.events / 100)
    expect([...seen.kinds].sort()).toEqual(['cross-venue', 'same-venue', 'three-way'])
  })

  it.each(GATES.map(({ reason }) => reason))('control: with the gate %s off it does not', (reason) => {
    const others = GATES.filter((gate) => gate.reason !== reason)
    const isRed = (seed: number) =>
      run(seed, EVENTS, others).complaints.some((each) => COMPLAINTS[reason].test(each))
    const seeds = Array.from({ length: 300 }, (_, seed) => seed)
    expect(seeds.some(isRed)).toBe(true)
  })
})
