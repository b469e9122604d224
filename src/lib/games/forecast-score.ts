/** How good forecasts were: the usual proper scores, and whether what was given 0.3 came true in three of ten. Pure. */

export interface Forecast {
  /** Of its coming true, 0 to 1. */
  readonly p: number
  readonly cameTrue: boolean
}

export interface CalibrationBin {
  readonly from: number
  readonly to: number
  readonly count: number
  /** Mean of what was forecast, and the share that came true. */
  readonly forecast: number
  readonly observed: number
}

export interface ForecastScore {
  readonly count: number
  /** Mean squared error: 0 is perfect, 0.25 is what 0.5 for everything gets. */
  readonly brier: number
  /** Mean of -ln of what was given to what came true; 0.693 for 0.5. */
  readonly logLoss: number
  /** Tenths of forecasts that were made. */
  readonly bins: readonly CalibrationBin[]
}

const BINS = 10
/** A forecast of nothing for what came true would cost without bound. */
const LEAST = 1e-6

/** Undefined where nothing was forecast. */
export function scoreForecasts(forecasts: readonly Forecast[]): ForecastScore | undefined {
  if (forecasts.length === 0) return undefined
  const bins = Array.from({ length: BINS }, () => ({ count: 0, forecast: 0, observed: 0 }))
  let brier = 0
  let logLoss = 0
  for (const { p, cameTrue } of forecasts) {
    brier += (p - (cameTrue ? 1 : 0)) ** 2
    logLoss -= Math.log(Math.max(LEAST, cameTrue ? p : 1 - p))
    const bin = bins[Math.min(BINS - 1, Math.floor(p * BINS))]
    if (bin === undefined) continue
    bin.count += 1
    bin.forecast += p
    bin.observed += cameTrue ? 1 : 0
  }
  const count = forecasts.length
  return {
    count,
    brier: brier / count,
    logLoss: logLoss / count,
    bins: bins.flatMap((bin, index) =>
      bin.count === 0
        ? []
        : [
            {
              from: index / BINS,
              to: (index + 1) / BINS,
              count: bin.count,
              forecast: bin.forecast / bin.count,
              observed: bin.observed / bin.count,
            },
          ],
    ),
  }
}
