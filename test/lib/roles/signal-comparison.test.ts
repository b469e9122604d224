import { describe, expect, it } from 'vitest'
import { compareSignals } from '../../../src/lib/roles/signal-comparison.js'

/** A letter is a signal; a capital has other bytes. */
const signals = (letters: string) =>
  [...letters].map((letter) => ({ id: letter.toLowerCase(), text: `of ${letter}` }))

const compare = (published: string, decided: string, { isWhole = true, due = 0 } = {}) => {
  const found = compareSignals(signals(published), signals(decided), { isWhole, due })
  const { same, different, unpublished, unexplained, unpublished_tail: tail } = found
  return [same, different.join(''), unpublished.join(''), unexplained.join(''), tail]
}

describe('what was published beside what is decided again', () => {
  it.each<[string, string, string, ReturnType<typeof compare>]>([
    ['is the same', 'abc', 'abc', [3, '', '', '', 0]],
    ['is nothing on both sides', '', '', [0, '', '', '', 0]],
    ['differs in its bytes', 'abc', 'aBc', [2, 'b', '', '', 0]],
    ['is out of order', 'abc', 'acb', [2, 'b', '', 'b', 0]],
    ['misses one that was not published', 'ac', 'abc', [2, '', 'b', '', 0]],
    ['has more at the end: they were not published any more', 'ab', 'abcd', [2, '', '', '', 2]],
    ['has one that nobody decides', 'abc', 'ac', [2, '', '', 'b', 0]],
    ['ends before the published ones', 'abc', 'a', [1, '', '', 'bc', 0]],
    ['has nothing in common', 'abc', 'xy', [0, '', '', 'abc', 2]],
  ])('%s', (_, published, decided, expected) => {
    expect(compare(published, decided)).toEqual(expected)
  })

  it.each<[string, string, string, number, ReturnType<typeof compare>]>([
    ['at the very end alone', 'ab', 'abcd', 2, [2, '', '', '', 2]],
    ['of what was due in part', 'ab', 'abcd', 3, [2, '', 'c', '', 1]],
    ['of nothing that was due', 'ab', 'abcd', 4, [2, '', 'cd', '', 0]],
    ['where nothing was published', '', 'abcd', 3, [0, '', 'abc', '', 1]],
    ['where what came later was', 'ac', 'abcd', 0, [2, '', 'b', '', 1]],
  ])('may lack what was decided %s', (_, published, decided, due, expected) => {
    expect(compare(published, decided, { due })).toEqual(expected)
  })

  it('is compared from the first match on where the beginning is gone', () => {
    expect(compare('abcd', 'cd', { isWhole: false })).toEqual([2, '', '', '', 0])
    expect(compare('abcd', 'bd', { isWhole: false })).toEqual([2, '', '', 'c', 0])
    expect(compare('abcd', 'x', { isWhole: false })).toEqual([0, '', '', '', 1])
  })
})
