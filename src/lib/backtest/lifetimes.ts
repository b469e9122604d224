/**
 * How long opportunities live, those included whose end nobody saw because the data ended before: the product-limit
 * estimate (Kaplan and Meier, 1958), which counts each as alive for as long as it was seen and no longer. Without such
 * ones it is the plain share.
 */

export interface Lifetime {
  readonly us: number
  /** It was still there when the data ended. */
  readonly isCut: boolean
}

/** From `us` on this share is left, until the next step. */
export interface SurvivalStep {
  readonly us: number
  readonly share: number
}

/** Steps of falling shares, shortest first, one for each length at which some ended. */
export function survivalOf(lifetimes: readonly Lifetime[]): SurvivalStep[] {
  const sorted = [...lifetimes].sort((a, b) => a.us - b.us)
  const steps: SurvivalStep[] = []
  let share = 1
  for (let at = 0; at < sorted.length;) {
    const us = sorted[at]?.us ?? 0
    let behind = at
    let ended = 0
    for (; sorted[behind]?.us === us; behind++) if (sorted[behind]?.isCut === false) ended++
    if (ended > 0) {
      share *= 1 - ended / (sorted.length - at)
      steps.push({ us, share })
    }
    at = behind
  }
  return steps
}

/** The share that lives longer than `us`. */
export const shareAfter = (steps: readonly SurvivalStep[], us: number): number =>
  steps.findLast((step) => step.us <= us)?.share ?? 1

/** The shortest life that `percent` of them do not exceed; null where too many were still there at the end. */
export function lifetimeUs(steps: readonly SurvivalStep[], percent: number): number | null {
  // A share is a product of quotients: a whole number of percent comes out a hair off.
  const left = 1 - percent / 100 + 1e-9
  return steps.find(({ share }) => share <= left)?.us ?? null
}
