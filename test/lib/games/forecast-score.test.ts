import { describe, expect, it } from 'vitest'
import { scoreForecasts } from '../../../src/lib/games/forecast-score.js'

const forecast = (p: number, cameTrue: boolean) => ({ p, cameTrue })

describe('forecasts', () => {
  it('are scored by the mean squared error and by the log of what came true', () => {
    const score = scoreForecasts([forecast(0.9, true), forecast(0.2, false)])!
    expect(score.brier).toBeCloseTo((0.01 + 0.04) / 2, 12)
    expect(score.logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.8)) / 2, 12)
  })

  it('of one half score 0.25 and ln 2; perfect ones nothing; none nothing at all', () => {
    expect(scoreForecasts([forecast(0.5, true), forecast(0.5, false)])).toMatchObject({ brier: 0.25 })
    expect(scoreForecasts([forecast(0.5, true)])!.logLoss).toBeCloseTo(Math.LN2, 12)
    expect(scoreForecasts([forecast(1, true), forecast(0, false)])).toMatchObject({ brier: 0 })
    expect(scoreForecasts([forecast(0, true)])!.logLoss).toBeCloseTo(13.8, 1)
    expect(scoreForecasts([])).toBeUndefined()
  })

  it('are binned by tenths: what was forecast beside what came true', () => {
    const { bins } = scoreForecasts([
      ...Array.from({ length: 10 }, (_, index) => forecast(0.3, index < 3)),
      ...Array.from({ length: 4 }, () => forecast(0.95, true)),
      forecast(1, true),
    ])!
    expect(bins).toHaveLength(2)
    expect(bins[0]).toMatchObject({ from: 0.3, to: 0.4, count: 10, observed: 0.3 })
    expect(bins[0]!.forecast).toBeCloseTo(0.3, 12)
    expect(bins[1]).toMatchObject({ from: 0.9, to: 1, count: 5, observed: 1 })
  })

  it('that are calibrated score better than the same ones shifted, sharpened or turned round', () => {
    // Of 1000 at each tenth, exactly that share comes true.
    const truth = [0.1, 0.3, 0.5, 0.7, 0.9].flatMap((p) =>
      Array.from({ length: 1000 }, (_, index) => forecast(p, index < p * 1000)),
    )
    const right = scoreForecasts(truth)!
    for (const wrong of [
      (p: number) => Math.min(0.99, p + 0.08),
      (p: number) => 1 - p,
      (p: number) => (p > 0.5 ? 0.98 : p < 0.5 ? 0.02 : p),
      () => 0.5,
    ]) {
      const score = scoreForecasts(truth.map(({ p, cameTrue }) => forecast(wrong(p), cameTrue)))!
      expect(score.brier).toBeGreaterThan(right.brier)
      expect(score.logLoss).toBeGreaterThan(right.logLoss)
    }
    for (const bin of right.bins) expect(bin.observed).toBeCloseTo(bin.forecast, 9)
  })
})
