/** How far a venue's clock is from ours, by the Date of an answer. */

/** A signature is refused beyond some seconds; ages of quotes are wrong before that. */
export const MOST_SKEW_MS = 1_000
/** Date and Age are whole seconds. */
const STEP_MS = 1_000

/**
 * How far their clock is ahead of ours at least; 0 where whole seconds explain it. `age` is how long a cache had kept
 * the answer, s. Undefined without a date.
 */
export function skewMs(date: unknown, beforeMs: number, afterMs: number, age?: unknown): number | undefined {
  const dateMs = typeof date === 'string' ? Date.parse(date) : NaN
  if (Number.isNaN(dateMs)) return undefined
  const ageMs = typeof age === 'string' && /^\d{1,9}$/.test(age) ? Number(age) * 1_000 : 0
  // Theirs was somewhere in [theirs, theirs + step) while ours was in [before, after].
  const theirs = dateMs + ageMs
  const stepMs = ageMs > 0 ? 2 * STEP_MS : STEP_MS
  if (theirs > afterMs) return theirs - afterMs
  if (theirs + stepMs <= beforeMs) return theirs + stepMs - beforeMs
  return 0
}

export const wordsOfSkew = (skew: number): string =>
  `its clock is ${skew === 0 ? 'ours, within a second' : `${skew} ms from ours`}`
