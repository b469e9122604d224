/** Which books are compared with REST: doubted ones in the order of their doubts, then the others in theirs. */
export class CompareQueue {
  private readonly doubted = new Set<string>()

  get doubts(): number {
    return this.doubted.size
  }

  doubt(tokenId: string): void {
    this.doubted.add(tokenId)
  }

  /** Of `ready`, those that have something to compare; no doubt is left. */
  take(ready: readonly string[], all: boolean): string[] {
    const first = [...this.doubted].filter((tokenId) => ready.includes(tokenId))
    const rest = all ? ready.filter((tokenId) => !this.doubted.has(tokenId)) : []
    this.doubted.clear()
    return [...first, ...rest]
  }

  clear(): void {
    this.doubted.clear()
  }
}
