/**
 * Whether the venue answers operations on an open connection. Its documents say so, reports of some accounts deny it:
 * when asking twice brings nothing and no operation was ever answered, a new connection is tried, whose subscription
 * lists every token. Does the dump come by that, everything is asked for in that way from then on.
 */
export class Operations {
  private state: 'unknown' | 'answered' | 'ignored' = 'unknown'
  /** Markets for whose sake a new connection was tried. */
  private readonly tried = new Map<string, 'waits' | 'in vain'>()

  get areIgnored(): boolean {
    return this.state === 'ignored'
  }

  /** Whether a new connection is the next thing to try for a market that was asked for so often. */
  shouldReconnect(marketId: string, tries: number): boolean {
    if (this.state !== 'unknown') return this.areIgnored
    if (tries < 2) return false
    if (this.tried.get(marketId) === undefined) {
      this.tried.set(marketId, 'waits')
      return true
    }
    this.tried.set(marketId, 'in vain')
    return false
  }

  /** A dump came; `byOperation` when it was asked for on the open connection. */
  dumped(marketId: string, byOperation: boolean): void {
    const wasTried = this.tried.get(marketId) === 'waits'
    this.tried.delete(marketId)
    if (byOperation) this.state = 'answered'
    else if (wasTried && this.state === 'unknown') this.state = 'ignored'
  }

  forget(marketId: string): void {
    this.tried.delete(marketId)
  }
}
