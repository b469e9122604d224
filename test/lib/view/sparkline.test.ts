import { describe, expect, it } from 'vitest'
import { sparkline } from '../../../src/lib/view/sparkline.js'

describe('a sparkline', () => {
  it.each<[string, readonly (number | null)[], string]>([
    ['from 0 to the greatest', [0, 1, 2, 3, 4, 5, 6, 7], '▁▂▃▄▅▆▇█'],
    ['with nothing where nothing was', [7, null, 0], '█ ▁'],
    ['of zeros', [0, 0], '▁▁'],
    ['of nothing', [], ''],
    ['of one', [5], '█'],
  ])('goes %s', (_, values, line) => {
    expect(sparkline(values, 20)).toBe(line)
  })

  it('shows the newest that fit, by the scale of what it shows', () => {
    expect(sparkline([1_000, 0, 7], 2)).toBe('▁█')
  })
})
