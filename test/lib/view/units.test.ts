import { describe, expect, it } from 'vitest'
import { formatAge, formatCount, formatUs, plural } from '../../../src/lib/view/units.js'

describe('numbers as people read them', () => {
  it.each([
    [0, '0us'],
    [999, '999us'],
    [1234, '1.23ms'],
    [12_345, '12.3ms'],
    [1_234_567, '1.2s'],
  ])('%d us is %s', (us, shown) => expect(formatUs(us)).toBe(shown))

  it.each([
    [850, '850ms'],
    [3_210, '3.2s'],
    [59_949, '59.9s'],
    [59_960, '1m00s'],
    [250_000, '4m10s'],
    [7_500_000, '2h05m'],
  ])('%d ms is %s', (ms, shown) => expect(formatAge(ms)).toBe(shown))

  it('groups thousands and minds the plural', () => {
    expect(formatCount(12_345)).toBe('12,345')
    expect([plural(1, 'gap'), plural(0, 'gap'), plural(1200, 'gap')]).toEqual([
      '1 gap',
      '0 gaps',
      '1,200 gaps',
    ])
  })
})
