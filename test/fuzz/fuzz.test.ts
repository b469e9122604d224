import { describe, expect, it } from 'vitest'
import { TARGETS, fuzz } from './run.js'
import { exactly, faultsOf } from './target.js'
import type { FuzzResult } from './target.js'

/** `npm run fuzz` sends as many as one likes. */
const RUNS = 1_000

describe('mutated frames', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))(
    'do no harm to the %s',
    async (_, target) => {
      const [report] = await fuzz([target], RUNS, 1, () => undefined)
      expect(report).toMatchObject({ faults: [] })
      expect(report?.sent).toBeGreaterThanOrEqual(RUNS)
    },
    30_000,
  )
})

describe('the verdict', () => {
  const counted = { message: 1, 'parse_error:not_json': 2 }
  const sound = {
    sent: 1_000,
    counted,
    expected: exactly(3),
    mustCount: ['message'],
    seen: {},
    worksAfter: true,
  }

  it.each([
    ['all is well', {}, []],
    ['a frame that nobody counted', { counted: { message: 2 } }, ['2 counted, 3 expected']],
    ['a frame that was counted twice', { counted: { message: 4 } }, ['4 counted, at most 3 sent']],
    ['a refusal that never came', { mustCount: ['duplicate'] }, ['no duplicate']],
    ['too few to try everything', { mustCount: ['duplicate'], sent: 10 }, []],
    ['a socket that counts nothing', { counted: {}, expected: undefined, mustCount: [] }, []],
    ['a socket that does not live through it', { worksAfter: false }, ['dead afterwards']],
  ])('%s', (_what, changes, faults) => {
    expect(faultsOf({ ...sound, ...changes } as FuzzResult)).toEqual(faults)
  })
})
