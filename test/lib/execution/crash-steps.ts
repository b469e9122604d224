/** What kills exec, and the venue that it meets: for the crash test and the fault harness. */

import type { Behavior } from './http-venue.js'

export const SIGNALS = 6
/** The signal whose orders the venue refuses. */
export const REFUSED = 'signal-5'

/** How the venue treats the orders of each signal: every kind within one run. */
const BEHAVIORS: readonly Behavior[] = [
  { kind: 'fill', perMille: 1000 },
  { kind: 'fill', perMille: 1000, afterMs: 30 },
  { kind: 'cut', perMille: 1000 },
  { kind: 'delay', perMille: 1000, afterMs: 30 },
  { kind: 'fill', perMille: 400 },
  { kind: 'reject', code: 'market_paused' },
]

export const behave = ({ signalId }: { readonly signalId: string }): Behavior =>
  BEHAVIORS[Number(signalId.split('-')[1]) % BEHAVIORS.length]!

/** Every point at which exec can die, and at which of its occurrences it does, life by life. */
export const STEPS: readonly (readonly [string, readonly number[]])[] = [
  ['after_seen', [2, 1]],
  ['before_intent', [2, 3]],
  ['after_intent', [1, 2]],
  ['before_sent', [1, 2]],
  ['after_sent', [2, 3]],
  ['before_outcome', [1, 4]],
  ['after_outcome', [1, 4]],
  ['before_money', [1, 2]],
  ['before_done', [1, 2]],
]
