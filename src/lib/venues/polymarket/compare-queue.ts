/** Which book is compared with REST next: doubted ones in the order of their doubts, then the one unproved for longest. */
export class CompareQueue {
  private doubted: string[] = []

  get doubts(): number {
    return this.doubted.length
  }

  doubt(tokenId: string): void {
    if (!this.doubted.includes(tokenId)) this.doubted.push(tokenId)
  }

  /** `books` are those that have something to compare, each with when it was last proved or asked for. */
  next(books: Iterable<{ readonly tokenId: string; readonly sinceUs: number }>): string | undefined {
    const ready = [...books]
    while (this.doubted.length > 0) {
      const tokenId = this.doubted.shift()
      if (ready.some((book) => book.tokenId === tokenId)) return tokenId
    }
    return ready.reduce<(typeof ready)[number] | undefined>(
      (oldest, book) => (oldest === undefined || book.sinceUs < oldest.sinceUs ? book : oldest),
      undefined,
    )?.tokenId
  }

  clear(): void {
    this.doubted = []
  }
}
