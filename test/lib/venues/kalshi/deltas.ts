/** How many deltas a property reads at least: 1,000,000 in `npm run properties`, a hundredth of that in `npm test`. */
export const DELTAS = Number(process.env['PROPERTY_RUNS'] ?? 100) * 100

/** Another each time; a failure names it. */
export const firstSeed = (): number => Date.now() % 2 ** 31
