/** What every sport's model gives: the chances of each end, how sure it is of them, or why it does not say. */

/** Adds up to 1. `draw` is 0 where a game cannot end level. */
export interface Outcome {
  readonly home: number
  readonly away: number
  readonly draw: number
}

/** Why a model does not say, in the order of what would mend it. */
export const ABSTENTIONS = [
  /** It is decided, or will not be. */
  'over',
  /** The provider did not tell the clock, the period or the half. */
  'no_clock',
  'no_situation',
  /** Nobody knows how strong the teams are, and too much is left for that not to matter. */
  'no_prior',
  /** Late, close, and nobody says who has the ball. */
  'no_possession',
  /** The next chance decides; scores move in lumps that the model does not know. */
  'last_chance',
  'overtime',
] as const
export type Abstention = (typeof ABSTENTIONS)[number]

export type WinProbability =
  | (Outcome & {
      readonly kind: 'estimate'
      /** One standard deviation of `home`, from what the model does not know. */
      readonly sd: number
    })
  | { readonly kind: 'abstains'; readonly reason: Abstention }

export const abstains = (reason: Abstention): WinProbability => ({ kind: 'abstains', reason })

/** Something that the model does not know: what it is at one standard deviation to either side. */
export interface Unknown<P> {
  readonly low: Partial<P>
  readonly high: Partial<P>
  /** The abstention, where this makes the estimate worthless. */
  readonly reason: Abstention
}

/** An estimate that may as well be so much off says nothing. */
const MAX_SD = 0.12
/** While the game can change no end is certain. */
const LEAST = 0.001

/** Of `ends` that there are: the outcome at the best parameters, with what the unknown ones do to it, one at a time. */
export function estimate<P extends object>(
  best: P,
  unknowns: readonly Unknown<P>[],
  model: (parameters: P) => Outcome,
  ends: 2 | 3 = 2,
): WinProbability {
  let variance = 0
  let worst = { effect: 0, reason: 'no_prior' as Abstention }
  for (const { low, high, reason } of unknowns) {
    const effect = Math.abs(model({ ...best, ...high }).home - model({ ...best, ...low }).home) / 2
    variance += effect ** 2
    if (effect > worst.effect) worst = { effect, reason }
  }
  const sd = Math.sqrt(variance)
  return sd > MAX_SD ? abstains(worst.reason) : { kind: 'estimate', ...bounded(model(best), ends), sd }
}

/** Every end that there is has at least one chance in a thousand, and more of one is never less of it. */
function bounded({ home, away, draw }: Outcome, ends: 2 | 3): Outcome {
  const within = (p: number): number => LEAST + (1 - ends * LEAST) * p
  return { home: within(home), away: within(away), draw: ends === 2 ? 0 : within(draw) }
}

/** Where an increasing function reaches `target`, between the two; the nearer end where it does not. */
export function solve(target: number, low: number, high: number, of: (x: number) => number): number {
  let [from, to] = [low, high]
  for (let step = 0; step < 32; step++) {
    const middle = (from + to) / 2
    if (of(middle) < target) from = middle
    else to = middle
  }
  return (from + to) / 2
}
