/** A sleep that others can cut short: a loop with a slow rhythm that something urgent may hurry. */

import { sleep } from '../core/backoff.js'

export class Alarm {
  private ring: (() => void) | undefined
  private dueMs = 0

  /** Resolves after `ms`, when it rings, or when the signal aborts. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const rung = new AbortController()
    this.ring = () => rung.abort()
    this.dueMs = performance.now() + ms
    await sleep(ms, AbortSignal.any([signal, rung.signal]))
    this.ring = undefined
  }

  /** Lets the sleeper wake after `ms`, unless it wakes sooner by itself or does not sleep. */
  ringWithin(ms: number): void {
    const { ring } = this
    if (ring === undefined || this.dueMs - performance.now() <= ms) return
    this.dueMs = performance.now() + ms
    setTimeout(ring, ms).unref()
  }
}
