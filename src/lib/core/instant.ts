/** Points in time as people write them: `5m` ago, `2026-01-27T20:14:07Z`, Unix milliseconds. */

import { parseDurationMs } from './duration.js'
import { ArbeesError, EXIT, codeOf } from './errors.js'

const DATE = /^\d{4}-\d\d-\d\d$/
const DATE_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/
/** As many digits as any time from 2001 on has. */
const UNIX_MS = /^\d{12,15}$/

/** Unix ms; without a zone UTC, as logs and tap show times. Throws `BAD_TIME` (usage). */
export function parseInstantMs(text: string, nowMs: number): number {
  const given = text.trim()
  if (UNIX_MS.test(given)) return Number(given)
  if (DATE.test(given) || DATE_TIME.test(given)) {
    const hasZone = DATE.test(given) || /(Z|[+-]\d\d:\d\d)$/.test(given)
    const ms = Date.parse(given.replace(' ', 'T') + (hasZone ? '' : 'Z'))
    if (!Number.isNaN(ms)) return ms
  }
  return nowMs - durationMs(given)
}

function durationMs(text: string): number {
  try {
    return parseDurationMs(text)
  } catch (error) {
    if (codeOf(error) !== 'BAD_DURATION') throw error
    throw new ArbeesError('BAD_TIME', `not a time: '${text}'`, {
      exit: EXIT.USAGE,
      hint: 'write how long ago (5m), a date and time (2026-01-27T20:14:07Z), or Unix milliseconds',
    })
  }
}
