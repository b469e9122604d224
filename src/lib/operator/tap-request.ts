/** What an operator asked of a tap, as it was typed. */

import { systemClock } from '../core/clock.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { parseInstantMs } from '../core/instant.js'
import { readStreamId } from '../history/stream-id.js'
import { readPrefixes } from './prefixes.js'
import type { TapSince } from './tap-origin.js'
import type { TapSelection } from './tap-selection.js'
import { parseWhere } from './where.js'

export interface TapRequest {
  readonly prefixes: readonly string[]
  readonly exclude: readonly string[]
  readonly where?: string | undefined
  /** Names with commas between them. */
  readonly fields?: string | undefined
  /** A time, or the id of an entry of a stream. */
  readonly since?: string | undefined
  readonly last?: number | undefined
}

/** With what there is to say about it. Throws `BAD_PREFIX`, `BAD_WHERE` (usage). */
export function readSelection({ prefixes, exclude, where }: TapRequest): {
  readonly selection: TapSelection
  readonly notes: readonly string[]
} {
  const wanted = readPrefixes(prefixes)
  const left = exclude.length === 0 ? { prefixes: [], notes: [] } : readPrefixes(exclude)
  return {
    selection: {
      prefixes: wanted.prefixes,
      exclude: left.prefixes,
      where: where === undefined ? undefined : parseWhere(where),
    },
    notes: [...wanted.notes, ...left.notes],
  }
}

/** Undefined where only what comes is wanted. Throws `BAD_TIME`, `BAD_STREAM_ID` (usage). */
export function readSince({ since, last }: TapRequest): TapSince | undefined {
  if (last !== undefined) return { last }
  if (since === undefined) return undefined
  return /^\d+-\d+$/.test(since)
    ? { startId: readStreamId(since) }
    : { sinceMs: parseInstantMs(since, systemClock.nowMs()) }
}

const FIELD = /^[A-Za-z_]\w*(\.\w+)*$/

/** Throws `BAD_FIELDS` (usage). */
export function readFieldNames({ fields }: TapRequest): readonly string[] | undefined {
  const names = fields?.split(',').map((name) => name.trim())
  const wrong = names?.find((name) => !FIELD.test(name))
  if (wrong === undefined) return names
  throw new ArbeesError('BAD_FIELDS', `--fields: '${wrong}' names no field`, {
    exit: EXIT.USAGE,
    hint: 'names with commas between them: yes_bid,yes_ask,home.score',
  })
}
