import { describe, expect, it } from 'vitest'
import { growthOf } from './growth.js'

const MEGABYTE = 1024 * 1024
const MINUTE_MS = 60_000

/** A sample a second for `minutes`, a process of 100 MB with a sawtooth of `noise` MB. */
function samples(options: {
  readonly minutes: number
  readonly noise?: number
  readonly megabytesPerHour?: number
  readonly descriptorsPerHour?: number
}) {
  const { minutes, noise = 0, megabytesPerHour = 0, descriptorsPerHour = 0 } = options
  return Array.from({ length: minutes * 60 }, (_, second) => {
    const hours = second / 3_600
    const tooth = noise * ((second % 50) / 50)
    return {
      atMs: 5 * MINUTE_MS + second * 1_000,
      rssBytes: (100 + tooth + megabytesPerHour * hours) * MEGABYTE,
      descriptors: 30 + Math.floor(descriptorsPerHour * hours),
    }
  })
}

describe('the growth of a process', () => {
  it('is the slope of a line through its samples, per hour', () => {
    const { rssMegabytes } = growthOf('mirror', samples({ minutes: 55, megabytesPerHour: 12 }))
    expect(rssMegabytes.perHour).toBeCloseTo(12, 6)
    expect(rssMegabytes.grown).toBeCloseTo((12 * (55 * 60 - 15)) / 3_600, 6)
    expect(rssMegabytes.doubt).toBeCloseTo(0, 6)
  })

  it.each([
    ['nothing', { minutes: 55 }],
    ['the sawtooth of garbage collection', { minutes: 55, noise: 60 }],
    ['the same within a short run', { minutes: 3, noise: 60 }],
    ['less than a tenth of it', { minutes: 55, megabytesPerHour: 8 }],
    ['memory given back', { minutes: 55, megabytesPerHour: -90 }],
  ])('is none: %s', (_what, kind) => {
    expect(growthOf('mirror', samples(kind)).failures).toEqual([])
  })

  it.each([
    ['memory', { minutes: 55, megabytesPerHour: 40 }, /^mirror grew by 36\.\d \(± 0\.0\) MB, more than/],
    [
      'memory below noise',
      { minutes: 55, megabytesPerHour: 40, noise: 40 },
      /^mirror grew by 3\d\.\d \(± \d\.\d\) MB/,
    ],
    [
      'descriptors',
      { minutes: 55, descriptorsPerHour: 12 },
      /^mirror grew by 1\d\.\d \(.+\) file descriptors/,
    ],
    ['a gross leak within a short run', { minutes: 3, megabytesPerHour: 1_200, noise: 30 }, /grew by \d\d/],
    ['too few samples', { minutes: 0.6 }, /for 3 points only/],
  ])('is a failure: %s', (_what, kind, told) => {
    const { failures } = growthOf('mirror', samples(kind))
    expect(failures).toEqual([expect.stringMatching(told)])
  })
})
