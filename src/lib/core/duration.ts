/** Durations as people write them: `250ms`, `5s`, `10m`, `1h`. */

import { ArbeesError, EXIT } from './errors.js'

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/

/** Milliseconds. Throws `BAD_DURATION` (usage) for anything else. */
export function parseDurationMs(text: string): number {
  const match = DURATION.exec(text.trim())
  const [, amount, unit] = match ?? []
  if (amount === undefined || unit === undefined) {
    throw new ArbeesError('BAD_DURATION', `not a duration: '${text}'`, {
      exit: EXIT.USAGE,
      hint: 'write a number and a unit: 250ms, 5s, 10m, 1h',
    })
  }
  return Math.round(Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS])
}
