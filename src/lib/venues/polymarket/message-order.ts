/**
 * Which of a book's messages is new. They have no number: timestamps tell what is late, hashes what is a repeat, and
 * several messages may share a millisecond.
 */

/** A repeat carries the hash of one of so many messages before it. */
const REMEMBERED = 32

interface Newest {
  /** The venue's clock, Unix ms. */
  readonly venueMs: number
  /** The same in the venue's own digits. */
  readonly timestamp: string
  readonly hash: string | undefined
}

export class MessageOrder {
  private last: Newest | undefined
  private hashesAtLast: string[] = []
  private recentHashes: string[] = []

  /** The newest message that changed the book. */
  get newest(): Newest | undefined {
    return this.last
  }

  take(venueMs: number, timestamp: string, hash: string | undefined): void {
    if (this.last?.venueMs !== venueMs) this.hashesAtLast = []
    this.last = { venueMs, timestamp, hash }
    if (hash === undefined || this.hashesAtLast.at(-1) === hash) return
    remember(this.hashesAtLast, hash)
    remember(this.recentHashes, hash)
  }

  isLate(venueMs: number): boolean {
    return this.last !== undefined && venueMs < this.last.venueMs
  }

  isKnown(hash: string | undefined): boolean {
    return hash !== undefined && this.recentHashes.includes(hash)
  }

  /** The newest message once more. */
  isNewest(venueMs: number, hash: string | undefined): boolean {
    return hash !== undefined && this.last?.venueMs === venueMs && this.hashesAtLast.at(-1) === hash
  }

  /** The same timestamp and an earlier hash of it: a repeat, or the book went back within a millisecond. */
  isAmbiguous(venueMs: number, hash: string | undefined): boolean {
    if (this.last?.venueMs !== venueMs || hash === undefined) return false
    const index = this.hashesAtLast.lastIndexOf(hash)
    return index >= 0 && index < this.hashesAtLast.length - 1
  }

  /** The venue's clock went back: what is under this timestamp now has nothing to do with what was. */
  forgetTimestamp(): void {
    this.hashesAtLast = []
  }

  restart(): void {
    this.last = undefined
    this.hashesAtLast = []
    this.recentHashes = []
  }
}

function remember(hashes: string[], hash: string): void {
  hashes.push(hash)
  if (hashes.length > REMEMBERED) hashes.shift()
}
