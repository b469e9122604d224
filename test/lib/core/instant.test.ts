import { describe, expect, it } from 'vitest'
import { parseInstantMs } from '../../../src/lib/core/instant.js'

const NOW_MS = Date.UTC(2026, 0, 27, 20, 14, 7, 123)

describe('a point in time as people write it', () => {
  it.each([
    ['5m', NOW_MS - 300_000],
    ['250ms', NOW_MS - 250],
    ['2026-01-27T20:14:07Z', NOW_MS - 123],
    ['2026-01-27T20:14:07.123Z', NOW_MS],
    ['2026-01-27T20:14:07', NOW_MS - 123],
    ['2026-01-27 20:14', NOW_MS - 7_123],
    ['2026-01-27T22:14:07+02:00', NOW_MS - 123],
    ['2026-01-27', Date.UTC(2026, 0, 27)],
    ['1769500000123', 1_769_500_000_123],
    [' 5m ', NOW_MS - 300_000],
  ])('%s', (text, expected) => {
    expect(parseInstantMs(text, NOW_MS)).toBe(expected)
  })

  it.each([
    '',
    'yesterday',
    '2026-13-01',
    '2026-01-27T25:00',
    '20:14:07',
    '-5m',
    '12345',
    '2026-01-27T20:14:07 CET',
  ])('not %j', (text) => {
    expect(() => parseInstantMs(text, NOW_MS)).toThrow(
      expect.objectContaining({ code: 'BAD_TIME', exit: 2, message: `not a time: '${text.trim()}'` }),
    )
  })
})
