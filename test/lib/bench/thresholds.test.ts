import { describe, expect, it } from 'vitest'
import { missedThresholds, parseThreshold } from '../../../src/lib/bench/thresholds.js'

const FIGURES = ['p50_us', 'ratio_to_libzmq_c']
const missed = (text: string, figures: Record<string, unknown>) =>
  missedThresholds([parseThreshold(text, FIGURES)], figures)

describe('a threshold', () => {
  it.each([
    ['p50_us>300', 301, true],
    ['p50_us>300', 300, false],
    ['p50_us >= 300', 300, true],
    ['p50_us<300', 299, true],
    ['p50_us<300', 300, false],
    ['p50_us<=0.5', 0.5, true],
    ['p50_us<=0.5', 0.51, false],
  ])('%s of %d is missed: %s', (text, value, isMissed) => {
    expect(missed(text, { p50_us: value })).toEqual(
      isMissed ? [`threshold missed: p50_us is ${value} (${text})`] : [],
    )
  })

  it('of a figure that nobody knows is missed: what was not measured did not hold', () => {
    expect(missed('ratio_to_libzmq_c>2.5', { ratio_to_libzmq_c: null })).toEqual([
      "threshold 'ratio_to_libzmq_c>2.5' cannot be judged: ratio_to_libzmq_c is not known",
    ])
  })

  it.each([
    '',
    'p50_us',
    '>3',
    'p50_us>',
    'p50_us=3',
    'p50_us>-1',
    'p50_us>1e3',
    'p50_us>3 us',
    'P50>3',
    'p50_us>>3',
  ])('that cannot be read is a usage error that names it: %j', (text) => {
    expect(() => parseThreshold(text, FIGURES)).toThrowError(
      expect.objectContaining({ code: 'BAD_THRESHOLD', exit: 2, message: `not a threshold: '${text}'` }),
    )
  })

  it('of an unknown figure says which there are', () => {
    expect(() => parseThreshold('p51_us>3', FIGURES)).toThrowError(
      expect.objectContaining({
        message: "--fail-if 'p51_us>3': no such figure: 'p51_us'",
        hint: 'one of p50_us, ratio_to_libzmq_c',
      }),
    )
  })

  it('of a ratio without a baseline says what is missing', () => {
    expect(() => parseThreshold('ratio>1.2', FIGURES)).toThrowError('ratio needs --baseline')
  })
})
