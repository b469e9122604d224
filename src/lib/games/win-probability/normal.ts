/** The normal distribution. */

/** P(Z <= z), to 1.5e-7 (Abramowitz and Stegun 7.1.26). */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const tail =
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
    Math.exp(-x * x)
  return z >= 0 ? 1 - tail / 2 : tail / 2
}

/** P(more than level) of a whole-number margin around `mean`, half of level added; by the sign where `sd` is 0. */
export function marginWin(mean: number, sd: number): number {
  if (sd <= 0) return mean > 0 ? 1 : mean < 0 ? 0 : 0.5
  const win = 1 - normalCdf((0.5 - mean) / sd)
  const loss = normalCdf((-0.5 - mean) / sd)
  return (1 + win - loss) / 2
}
