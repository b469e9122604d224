import { describe, expect, it } from 'vitest'
import { CheckpointWatch } from '../../../src/lib/history/checkpoint-watch.js'

/** Seqs of one epoch: what Redis has and what we have, look by look. */
type Look = readonly [stored: number | undefined, taken: number | undefined]
const at = (seq: number | undefined) => (seq === undefined ? undefined : { epoch: 7, seq })

function moves(looks: readonly Look[]): boolean[] {
  const watch = new CheckpointWatch()
  return looks.map(([stored, taken]) =>
    watch.look([{ source: 'a', stored: at(stored), taken: at(taken) }]).has('a'),
  )
}

describe('news in Redis', () => {
  it.each<[string, readonly Look[], readonly boolean[]]>([
    ['is a checkpoint past what we have', [[6, 5]], [true]],
    [
      'is not one that stands where we do, or behind',
      [
        [5, 5],
        [5, 5],
        [4, 5],
      ],
      [false, false, false],
    ],
    [
      'is not a mirror that catches up with us',
      [
        [2, 5],
        [4, 5],
        [5, 5],
      ],
      [false, false, false],
    ],
    [
      'comes when it passes us',
      [
        [4, 5],
        [7, 5],
      ],
      [false, true],
    ],
    [
      'is told once',
      [
        [6, 5],
        [6, 5],
        [6, 6],
      ],
      [true, false, false],
    ],
    [
      'goes on while we follow',
      [
        [6, 5],
        [8, 8],
        [9, 9],
        [9, 9],
      ],
      [true, true, true, false],
    ],
    [
      'is none when Redis was rolled back and filled up again to where it was',
      [
        [6, 5],
        [3, 6],
        [5, 6],
      ],
      [true, false, false],
    ],
    [
      'is movement alone where we have nothing',
      [
        [6, undefined],
        [6, undefined],
        [7, undefined],
      ],
      [false, false, true],
    ],
    [
      'is the first checkpoint of a source that Redis did not know',
      [
        [undefined, 5],
        [6, 5],
      ],
      [false, true],
    ],
  ])('%s', (_, looks, expected) => {
    expect(moves(looks)).toEqual(expected)
  })

  it('of a new epoch counts as later', () => {
    const watch = new CheckpointWatch()
    const taken = { epoch: 7, seq: 90 }
    expect(watch.look([{ source: 'a', stored: { epoch: 8, seq: 1 }, taken }]).has('a')).toBe(true)
  })

  it('does not remember what it saw while we were live', () => {
    const watch = new CheckpointWatch()
    watch.look([{ source: 'a', stored: at(3), taken: at(3) }])
    watch.look([])
    // Meanwhile both went on, on the bus.
    expect(watch.look([{ source: 'a', stored: at(50), taken: at(50) }]).has('a')).toBe(false)
  })
})
