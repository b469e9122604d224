/**
 * How a reader of the bus stands to one publisher, without I/O:
 *
 *     LIVE -> SUSPECT -> FALLBACK | DEAD -> REJOIN -> LIVE
 *
 * Silence alone does not tell a dead publisher from a cut link. Redis does: where its checkpoint passes us while the
 * publisher is silent here, the mirror still hears it, and what we miss is read there. Times are one clock's, ms.
 */

import { SUSPECT_MS } from '../messages/heartbeat.js'

export type LinkState =
  /** Heartbeats come, nothing is missing. */
  | 'LIVE'
  /** Silent, and nobody knows why yet. */
  | 'SUSPECT'
  /** Silent here, while Redis goes on without us: its streams are read. */
  | 'FALLBACK'
  /** Silent here and in Redis. */
  | 'DEAD'
  /** Heard again; what was missed meanwhile is still being merged. */
  | 'REJOIN'

export interface LinkObservation {
  readonly nowMs: number
  /** Redis has gone past what was taken, or moved since it was last asked; false also while it cannot be asked. */
  readonly storeMoved: boolean
  /** All that the publisher is known to have published was taken. */
  readonly isWhole: boolean
}

/** A suspect of whom Redis has no news either for so long is dead; so is one that falls silent there. */
export const DEAD_AFTER_MS = 2_000

export class Link {
  private current: LinkState = 'LIVE'
  private heardMs: number
  /** When Redis last had news, and at the earliest when the silence began. */
  private newsMs: number

  /** Believed until it has been silent for long enough to be suspect. */
  constructor(nowMs: number) {
    this.heardMs = nowMs
    this.newsMs = nowMs
  }

  get state(): LinkState {
    return this.current
  }

  /** A heartbeat came from the publisher itself. */
  heard(nowMs: number): void {
    this.heardMs = nowMs
  }

  /** Takes at most one step; returns the state behind it. */
  step({ nowMs, storeMoved, isWhole }: LinkObservation): LinkState {
    const isSilent = nowMs - this.heardMs >= SUSPECT_MS
    if (storeMoved || this.current === 'LIVE' || this.current === 'REJOIN') this.newsMs = nowMs
    this.current = this.next(isSilent, storeMoved, isWhole, nowMs - this.newsMs >= DEAD_AFTER_MS)
    return this.current
  }

  private next(isSilent: boolean, storeMoved: boolean, isWhole: boolean, isOver: boolean): LinkState {
    switch (this.current) {
      case 'LIVE':
        return isSilent ? 'SUSPECT' : 'LIVE'
      case 'REJOIN':
        if (isSilent) return 'SUSPECT'
        return isWhole ? 'LIVE' : 'REJOIN'
      case 'SUSPECT':
      case 'FALLBACK':
      case 'DEAD':
        if (!isSilent) return 'REJOIN'
        if (storeMoved) return 'FALLBACK'
        return isOver ? 'DEAD' : this.current
    }
  }
}
