/** Ids of stream entries, `<ms>-<n>`: when Redis took an entry, and in which order. Say nothing of our own times. */

import { ArbeesError, EXIT } from '../core/errors.js'

const ID = /^(\d{1,20})(?:-(\d{1,20}))?$/
const MAX_PART = 2n ** 64n - 1n

const partsOf = (id: string): readonly [ms: bigint, n: bigint] => {
  const [, ms = '0', n = '0'] = ID.exec(id) ?? []
  return [BigInt(ms), BigInt(n)]
}

/** An id as operators type it; the second part may be left out. Throws `BAD_STREAM_ID` (usage). */
export function readStreamId(text: string): string {
  const [ms, n] = partsOf(text)
  if (!ID.test(text) || ms > MAX_PART || n > MAX_PART) {
    throw new ArbeesError('BAD_STREAM_ID', `not the id of an entry: '${text}'`, {
      exit: EXIT.USAGE,
      hint: 'as Redis shows it: 1769500000123-0, or the milliseconds alone',
    })
  }
  return `${ms}-${n}`
}

export function isIdBefore(a: string, b: string): boolean {
  const [[aMs, aN], [bMs, bN]] = [partsOf(a), partsOf(b)]
  return aMs < bMs || (aMs === bMs && aN < bN)
}

/** The least id behind this one. */
export function idBehind(id: string): string {
  const [ms, n] = partsOf(id)
  return n < MAX_PART ? `${ms}-${n + 1n}` : `${ms + 1n}-0`
}

/** The greatest id before this one; undefined where there is none. */
export function idBefore(id: string): string | undefined {
  const [ms, n] = partsOf(id)
  if (n > 0n) return `${ms}-${n - 1n}`
  return ms > 0n ? `${ms - 1n}-${MAX_PART}` : undefined
}

/** When Redis took the entry, its own clock. */
export const timeOfId = (id: string): number => Number(partsOf(id)[0])
