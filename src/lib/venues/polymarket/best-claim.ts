/**
 * Best prices as they are told beside the changes, for either token. They show the loss of a change that no other
 * follows; as they may also come before the change itself, the book has a while to have them.
 */

import { complementE4 } from '../../model/price.js'
import type { VenueBook } from './book-hash.js'
import type { BestBidAskEvent, StatedBest } from './events.js'

/** Of YES. */
interface Bests {
  readonly bidE4: StatedBest
  readonly askE4: StatedBest
}

export class BestClaim {
  /** What the book does not have. */
  private open: (Bests & { readonly venueMs: number }) | undefined

  constructor(private readonly book: VenueBook) {}

  get isOpen(): boolean {
    return this.open !== undefined
  }

  /** Whether the book has these best prices; what is not stated agrees. */
  fits({ bidE4, askE4 }: Bests): boolean {
    return this.agrees('bid', bidE4) && this.agrees('ask', askE4)
  }

  /** False when the book has others. */
  told({ venueMs, bestBidE4, bestAskE4 }: BestBidAskEvent, isYes: boolean): boolean {
    const bests = isYes
      ? { bidE4: bestBidE4, askE4: bestAskE4 }
      : { bidE4: complement(bestAskE4), askE4: complement(bestBidE4) }
    const fits = this.fits(bests)
    this.open = fits ? undefined : { venueMs, ...bests }
    return fits
  }

  /** The book changed, by a message of this time. */
  changed(venueMs: number): void {
    if (this.open !== undefined && (venueMs > this.open.venueMs || this.fits(this.open)))
      this.open = undefined
  }

  drop(): void {
    this.open = undefined
  }

  private agrees(side: 'bid' | 'ask', stated: StatedBest): boolean {
    return stated === undefined || stated === this.book.bestE4(side)
  }
}

const complement = (best: StatedBest): StatedBest => (typeof best === 'number' ? complementE4(best) : best)
