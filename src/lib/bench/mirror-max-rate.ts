/** The highest rate that is held, by halving a ladder: each rung is one measurement. */

/** Messages a second. */
const RUNGS = [
  1_000, 2_000, 3_000, 4_000, 5_000, 7_500, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 50_000,
  60_000, 70_000, 80_000, 90_000, 100_000, 120_000,
]

export interface Attempt {
  readonly rate: number
  /** Nothing was lost, and nothing piled up. */
  readonly isHeld: boolean
  /** What was really published, messages a second. */
  readonly achieved: number
}

export interface Held {
  /** What was published at the highest rung that was held; 0 where none was. */
  readonly rate: number
  /** More was not published: it would perhaps have held more. */
  readonly limitedByGenerator: boolean
}

/** Less than that of a rung is not the rung. */
const REACHED = 0.99

/**
 * Goes on from what is known and tries the rungs between the highest that was held and the lowest above it that was
 * not. Ends early when `attempt` gives undefined.
 */
export async function searchMaxRate(
  known: readonly Attempt[],
  attempt: (rate: number) => Promise<Attempt | undefined>,
): Promise<Held> {
  const attempts = [...known]
  for (;;) {
    const held = attempts.filter(({ isHeld }) => isHeld)
    const isLimited = held.some(({ rate, achieved }) => achieved < rate * REACHED)
    const rate = Math.max(0, ...held.map(({ achieved }) => achieved))
    const low = Math.max(0, ...held.map((each) => each.rate))
    const missed = attempts.filter((each) => !each.isHeld && each.rate > low).map((each) => each.rate)
    const between = RUNGS.filter((rung) => rung > low && rung < Math.min(Infinity, ...missed))
    const middle = between[Math.floor(between.length / 2)]
    if (isLimited || middle === undefined) {
      return { rate, limitedByGenerator: isLimited || low === RUNGS.at(-1) }
    }
    const next = await attempt(middle)
    if (next === undefined) return { rate, limitedByGenerator: false }
    attempts.push(next)
  }
}
