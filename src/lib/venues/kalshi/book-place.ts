/**
 * Where a book stands in the history of its market, as far as one connection can tell. Sequence numbers are a
 * connection's own, so two connections compare by what is common to them: our own clock for what was asked for after
 * what had come, and the venue's clock on deltas, which a market's deltas carry in rising order.
 */

export interface BookPlace {
  /** When the snapshot was asked for, our monotonic clock, us: it holds whatever had been told to us by then. */
  readonly askedUs: number
  /** The venue's clock of the newest delta, ms; undefined after a snapshot, whose age nobody tells. */
  readonly venueMs: number | undefined
  /** The newest delta is at least the so-manieth of this millisecond, counted from 1. */
  readonly nth: number
  /** `nth` is the exact number: the millisecond was followed from its first delta. */
  readonly isExact: boolean
}

/** A book as it was shown: where it stood, and when its last message came, us. */
export interface ShownPlace {
  readonly place: BookPlace
  readonly recvUs: number
}

export function placeOfSnapshot(askedUs: number): BookPlace {
  return { askedUs, venueMs: undefined, nth: 0, isExact: false }
}

/** A delta without a time, or of an earlier one, leaves the place unknown until the next. */
export function placeAfterDelta(
  { askedUs, venueMs, nth, isExact }: BookPlace,
  deltaMs: number | undefined,
): BookPlace {
  if (deltaMs === undefined || (venueMs !== undefined && deltaMs < venueMs)) return placeOfSnapshot(askedUs)
  if (venueMs === undefined) return { askedUs, venueMs: deltaMs, nth: 1, isExact: false }
  if (deltaMs === venueMs) return { askedUs, venueMs, nth: nth + 1, isExact }
  return { askedUs, venueMs: deltaMs, nth: 1, isExact: true }
}

/** By the venue's clock, whatever was asked for when: one of its machines may lag behind another. */
const isOlder = (place: BookPlace, shown: BookPlace): boolean =>
  place.venueMs !== undefined && shown.venueMs !== undefined && place.venueMs < shown.venueMs

/** The book certainly holds something that the shown one lacks. */
export function isAhead(place: BookPlace, { place: shown, recvUs }: ShownPlace): boolean {
  if (place.venueMs === undefined || isOlder(place, shown)) return false
  if (shown.venueMs === undefined) return place.askedUs > recvUs
  if (place.venueMs !== shown.venueMs) return place.venueMs > shown.venueMs
  return shown.isExact && place.nth > shown.nth
}

/** The book certainly lacks nothing that the shown one holds. */
export function isLevel(place: BookPlace, shown: ShownPlace): boolean {
  if (isOlder(place, shown.place)) return false
  if (place.askedUs > shown.recvUs || isAhead(place, shown)) return true
  return shown.place.isExact && place.venueMs === shown.place.venueMs && place.nth === shown.place.nth
}
