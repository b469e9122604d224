import { describe, expect, it } from 'vitest'
import { windowFault } from './look.js'

const run = (epoch: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ epoch, seq: from + index, n: 0 }))

describe('the window that a stream holds', () => {
  it.each([
    ['a run', run(7, 40, 60), { epoch: 7, seq: 60 }],
    ['the end of one epoch and the next', [...run(7, 40, 60), ...run(9, 1, 3)], { epoch: 9, seq: 3 }],
    ['before the first word of a new epoch', run(7, 40, 60), { epoch: 9, seq: 0 }],
    ['nothing', [], undefined],
  ])('is whole: %s', (_what, entries, checkpoint) => {
    expect(windowFault(entries, checkpoint)).toBeUndefined()
  })

  it.each([
    ['a hole', [...run(7, 40, 50), ...run(7, 52, 60)], { epoch: 7, seq: 60 }, '7/52 stands behind 7/50'],
    ['one twice', [...run(7, 40, 50), ...run(7, 50, 60)], { epoch: 7, seq: 60 }, '7/50 stands behind 7/50'],
    ['disorder', [...run(9, 1, 3), ...run(7, 1, 2)], { epoch: 7, seq: 2 }, '7/1 stands behind 9/3'],
    ['a new epoch from its middle', [...run(7, 1, 2), ...run(9, 2, 3)], { epoch: 9, seq: 3 }, 'behind 7/2'],
    ['less than its checkpoint says', run(7, 40, 60), { epoch: 7, seq: 61 }, 'its checkpoint says 7/61'],
    ['more than its checkpoint says', run(7, 40, 60), { epoch: 7, seq: 0 }, 'its checkpoint says 7/0'],
    ['no checkpoint', run(7, 1, 2), undefined, 'its checkpoint says nothing'],
  ])('is broken: %s', (_what, entries, checkpoint, told) => {
    expect(windowFault(entries, checkpoint)).toContain(told)
  })
})
