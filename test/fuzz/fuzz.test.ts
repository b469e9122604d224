import { describe, expect, it } from 'vitest'
import { TARGETS, fuzz } from './run.js'
import { accountedFor } from './target.js'

/** `npm run fuzz` sends as many as one likes. */
const RUNS = 1_000

describe('mutated frames', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))(
    'do no harm to the %s',
    async (_, target) => {
      const [report] = await fuzz([target], RUNS, 1, () => undefined)
      expect(report).toMatchObject({ accounted: true, worksAfter: true })
      expect(report?.sent).toBeGreaterThanOrEqual(RUNS)
    },
    30_000,
  )
})

it('a frame that nobody accounts for is seen', () => {
  const result = { sent: 3, expected: 3, worksAfter: true }
  expect(accountedFor({ ...result, outcomes: { message: 1, 'parse_error:not_json': 2 } })).toBe(true)
  expect(accountedFor({ ...result, outcomes: { message: 1, 'parse_error:not_json': 1 } })).toBe(false)
})
