/** The newest value of each topic, and a number that two equal books share. */

import { createHash } from 'node:crypto'

export class Book {
  private readonly newest = new Map<string, number>()
  /** Values that came again, or behind a newer one. */
  repeated = 0

  apply(market: string, n: number): void {
    if ((this.newest.get(market) ?? 0) >= n) this.repeated++
    else this.newest.set(market, n)
  }

  get digest(): string {
    const entries = [...this.newest].sort(([a], [b]) => (a < b ? -1 : 1))
    return createHash('sha256').update(JSON.stringify(entries)).digest('base64url')
  }
}
