/** A client's requests to the recovery socket: one at a time, late or lost on the way there or back. */

import type { Link } from './network.js'
import type { EventLoop } from './event-loop.js'

const RECOVERY_TIMEOUT_MS = 300

export class RecoveryPath {
  /** When an answer last came. */
  answeredMs = 0
  private asked = 0

  constructor(
    private readonly loop: EventLoop,
    private readonly there: Link,
    private readonly back: Link,
  ) {}

  /** `answer` runs at the publisher; undefined when it is not there. `settle` runs once, with undefined after a timeout. */
  ask<T>(answer: (reply: (value: T) => void) => void, settle: (value: T | undefined) => void): void {
    const id = ++this.asked
    const finish = (value: T | undefined): void => {
      if (this.asked !== id) return
      this.asked++
      if (value !== undefined) this.answeredMs = this.loop.nowMs
      settle(value)
    }
    this.there.send(() => answer((value) => this.back.send(() => finish(value))))
    this.loop.after(RECOVERY_TIMEOUT_MS, () => finish(undefined))
  }

  /** The client died: nothing settles any more. */
  forget(): void {
    this.asked++
    this.there.disconnect()
    this.back.disconnect()
  }
}
