/** What the messages say of the second token: its book must be the mirror of the first's. */

import { complementE4 } from '../../model/price.js'
import { sameSize, VenueBook } from './book-hash.js'
import type { BookEvent, LevelChange } from './events.js'

export class SecondToken {
  /** A dump of it that waits for the first token's book to get as far. */
  private pending: BookEvent | undefined

  constructor(private readonly first: VenueBook) {}

  forget(): void {
    this.pending = undefined
  }

  hold(dump: BookEvent): void {
    this.pending = dump
  }

  /** Whether its changes left the first token's levels as they are held. */
  mirrors(changes: readonly LevelChange[]): boolean {
    return changes.every(({ side, level }) =>
      sameSize(
        this.first.sizeAt(side === 'bid' ? 'ask' : 'bid', complementE4(level.priceE4)),
        level.empty ? undefined : level.size,
      ),
    )
  }

  /** False when a dump of the very time that the first's book, proved, is of says something else. */
  agreesAt(venueMs: number): boolean {
    const dump = this.pending
    if (dump === undefined || dump.venueMs > venueMs) return true
    this.pending = undefined
    if (dump.venueMs < venueMs) return true
    const theirs = new VenueBook()
    theirs.replace(dump.bids, dump.asks)
    return this.first.equals(theirs.mirrored())
  }
}
