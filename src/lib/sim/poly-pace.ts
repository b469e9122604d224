/** How long Polymarket takes over an order, in the scenario's time. */

export interface PolyPace {
  /** Seconds a marketable order waits: the market's `seconds_delay`. */
  readonly secondsDelay: number
  /** From a match until reads show its trades, ms. */
  readonly visibleMs: number
  /** From a match to its block, ms. */
  readonly minedMs: number
  /** From a match to its confirmation, ms. */
  readonly confirmedMs: number
}

/** As sports markets are since mid-2026. */
export const POLY_PACE: PolyPace = { secondsDelay: 1, visibleMs: 200, minedMs: 1000, confirmedMs: 2500 }
