import { describe, expect, it } from 'vitest'
import { isAhead, isLevel, type BookPlace } from '../../../../src/lib/venues/kalshi/book-place.js'

const place = (askedUs: number, venueMs: number | undefined, nth = 1): BookPlace => ({
  ...{ askedUs, venueMs, nth, isExact: false },
})
const shown = (venueMs: number | undefined, recvUs = 50) => ({ place: place(0, venueMs), recvUs })

describe('the place of a book of another connection', () => {
  it.each([
    ['a later delta', place(0, 2000), shown(1000), true, true],
    ['an earlier delta', place(0, 1000), shown(2000), false, false],
    ['a snapshot asked for since', place(100, undefined), shown(2000), false, true],
    ['a snapshot asked for before', place(10, undefined), shown(2000), false, false],
    ['a later delta on a snapshot asked for since', place(100, 3000), shown(2000), true, true],
    // A machine of the venue that lags hands out what is older, whenever it was asked.
    ['an earlier delta on a snapshot asked for since', place(100, 1000), shown(2000), false, false],
    // Within one millisecond nobody can tell which machine is behind: it waits, and takes over when the other is lost.
    ['a delta of the same time on a snapshot asked for since', place(100, 2000), shown(2000), false, true],
    [
      'a delta on a snapshot asked for since, beside a book of no time',
      place(100, 1000),
      shown(undefined),
      true,
      true,
    ],
  ])('with %s', (_, other, of, ahead, level) => {
    expect([isAhead(other, of), isLevel(other, of)]).toEqual([ahead, level])
  })
})
