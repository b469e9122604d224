/**
 * Whether another mirror writes to the same Redis. Both keep their heartbeat under one key: who finds there what it did
 * not write itself is not alone. Nothing is doubled by it, each checkpoint lets one of them through. Pure.
 */

import { parseHeartbeat } from '../messages/heartbeat.js'
import type { Heartbeat } from '../messages/heartbeat.js'

/** Both write several times a second: one that was not seen for so long is gone. */
const GONE_MS = 2_000
/** An answer that got lost leaves an older one of ours in the key. */
const REMEMBERED = 40

export class OtherMirror {
  private readonly written: string[] = []
  private seen: { readonly heartbeat: Heartbeat; readonly atMs: number } | undefined

  /** What the key held right before `own` was written to it; null for nothing. */
  look(held: string | null, own: string, nowMs: number): void {
    // Before our first write it may be a dead one's last word.
    const isForeign = held !== null && this.written.length > 0 && !this.written.includes(held)
    const heartbeat = isForeign ? parseHeartbeat(held) : undefined
    if (heartbeat?.closing === false) this.seen = { heartbeat, atMs: nowMs }
    this.written.push(own)
    if (this.written.length > REMEMBERED) this.written.shift()
  }

  /** The latest word of one that lives; undefined while we are alone. */
  at(nowMs: number): Heartbeat | undefined {
    if (this.seen !== undefined && nowMs - this.seen.atMs >= GONE_MS) this.seen = undefined
    return this.seen?.heartbeat
  }
}
