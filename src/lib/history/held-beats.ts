/**
 * Heartbeats that were read from Redis, held until what they speak of was taken. On the bus a heartbeat comes behind
 * everything sent before it; in Redis its key may be ahead of the streams, and would call quotes fresh that are not.
 */

import { isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import type { Heartbeat } from '../messages/heartbeat.js'

/** More are not held of one publisher, the oldest go: the streams are that far behind. */
const MAX_HELD = 50

export class HeldBeats {
  /** The newest of each publisher that was read. */
  private readonly newest = new Map<string, Heartbeat>()
  private held: Heartbeat[] = []

  /** `sources` are the channels that are read. */
  constructor(private readonly sources: ReadonlySet<string>) {}

  /** Takes what a key holds now. The first of a publisher is not handed on: it may be the last of a dead one. */
  note(heartbeat: Heartbeat): void {
    const { publisher } = heartbeat
    const before = this.newest.get(publisher)
    this.newest.set(publisher, heartbeat)
    if (before === undefined || isSameBeat(before, heartbeat)) return
    const ofPublisher = this.held.filter((beat) => beat.publisher === publisher)
    if (ofPublisher.length >= MAX_HELD) this.held = this.held.filter((beat) => beat !== ofPublisher[0])
    this.held.push(heartbeat)
  }

  /** Those that everything they speak of was taken of, in order. */
  release(positionOf: (source: string) => Position | undefined): Heartbeat[] {
    const isReached = ({ channels }: Heartbeat): boolean =>
      channels.every(({ source, epoch, last_seq: seq }) => {
        if (!this.sources.has(source) || seq === 0) return true
        const at = positionOf(source)
        return at !== undefined && !isBefore(at, { epoch, seq })
      })
    const released = this.held.filter(isReached)
    if (released.length > 0) this.held = this.held.filter((beat) => !released.includes(beat))
    return released
  }
}

const isSameBeat = (a: Heartbeat, b: Heartbeat): boolean =>
  a.pid === b.pid && a.host === b.host && a.mono_us === b.mono_us
