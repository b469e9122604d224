import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderDistribution } from '../../../src/lib/view/distribution.js'
import { textWidth } from '../../../src/lib/view/text-width.js'

const at = (us: number, count: number) => ({ from_us: us, to_us: us, count })

describe('a distribution', () => {
  it('is a bar a step, with its share and what is pointed out', () => {
    const picture = renderDistribution(
      [at(100, 10), at(149, 30), at(310, 10)],
      [
        { name: 'p50', us: 149 },
        { name: 'p99', us: 310 },
      ],
      { width: 45 },
    )
    expect(picture.split('\n')).toEqual([
      '  100us   80.0 %  ██████████ p50',
      '  150us',
      '  200us',
      '  300us   20.0 %  ██▌ p99',
    ])
  })

  it('shows what is rare, and does not call it nothing', () => {
    const [, rare] = renderDistribution([at(1, 1_000_000), at(2, 1)], [], { width: 80 })
      .split('\n')
      .slice(0, 3)
    expect(renderDistribution([at(1, 1_000_000), at(2, 1)], [], { width: 80 })).toContain('<0.1 %  ▏')
    expect(rare).toContain('2us')
  })

  it('goes from below a microsecond to minutes', () => {
    const lines = renderDistribution([at(0, 1), at(90_000_000, 1)], [], { width: 80 }).split('\n')
    expect(lines[0]).toContain('0us')
    expect(lines.at(-1)).toContain('1m10s')
  })

  it('of nothing is nothing', () => {
    expect(renderDistribution([], [], { width: 80 })).toBe('')
  })

  it('fits its width, and holds every sample once', () => {
    const buckets = fc.array(
      fc.record({ us: fc.integer({ min: 0, max: 10 ** 9 }), count: fc.integer({ min: 1, max: 1000 }) }),
      { minLength: 1, maxLength: 30 },
    )
    fc.assert(
      fc.property(buckets, fc.integer({ min: 60, max: 200 }), (list, width) => {
        const marks = ['p50', 'p99', 'p99.9'].map((name) => ({ name, us: list[0]!.us }))
        const lines = renderDistribution(
          list.map(({ us, count }) => at(us, count)),
          marks,
          { width },
        ).split('\n')
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width)
        const shares = lines.flatMap((line) => /([\d.]+) %/.exec(line)?.[1] ?? [])
        expect(shares.reduce((sum, share) => sum + Number(share), 0)).toBeCloseTo(100, -1)
        expect(lines.filter((line) => line.includes('p50'))).toHaveLength(1)
      }),
      { numRuns: 50 },
    )
  })
})
