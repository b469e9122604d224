/**
 * From which of the venue's times on a hash, or a REST book, tells anything: what is older than a message that was lost
 * does not tell of it, and after the venue's clock went back an older book may come with a right hash.
 */
export class ProofFloor {
  private lostMs = 0
  private noHashBeforeMs = 0
  private olderThanLost = 0
  private lateDumps = 0

  /** A message could not be used; its own time, where it was legible. */
  lose(venueMs = 0): void {
    this.lostMs = Math.max(this.lostMs, venueMs)
    this.olderThanLost = 0
  }

  /** A dump older than what is held: the second one is to be taken. */
  takesLateDump(newestMs: number): boolean {
    if (++this.lateDumps < 2) return false
    this.noHashBeforeMs = Math.max(this.noHashBeforeMs, newestMs)
    return true
  }

  allowsHash(venueMs: number): boolean {
    return venueMs >= this.noHashBeforeMs && venueMs >= this.lostMs
  }

  /** The lost message's own time may be a lie: an older REST book that says the same twice settles it. */
  allowsRest(venueMs: number): boolean {
    return venueMs >= this.lostMs || ++this.olderThanLost >= 2
  }

  /** The book was proved by a hash. */
  provedByHash(): void {
    this.lateDumps = 0
  }

  /** Nothing before counts any more: REST proved the book, or the connection is new. */
  reset(): void {
    this.lostMs = 0
    this.noHashBeforeMs = 0
    this.olderThanLost = 0
    this.lateDumps = 0
  }
}
