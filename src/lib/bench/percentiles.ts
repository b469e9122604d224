/** Exact percentiles of samples that fit in memory. */

/** The value that `percent` of the samples do not exceed; 0 when there are none. Sorts in place. */
export function percentileOf(samples: Float64Array, percent: number): number {
  samples.sort()
  return samples[Math.max(0, Math.ceil((percent / 100) * samples.length) - 1)] ?? 0
}

/** The middle value, or the mean of the two; undefined when there are none. */
export function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2
}
