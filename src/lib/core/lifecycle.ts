/** Cleanup that runs in reverse order and always, on the first error too. */

import { setMaxListeners } from 'node:events'
import { messageOf } from './errors.js'

type Cleanup = () => void | Promise<void>

export class Lifecycle {
  private readonly controller = new AbortController()
  private readonly cleanups: { readonly name: string; readonly run: Cleanup; readonly ms?: number }[] = []
  private closing: Promise<string[]> | undefined

  constructor() {
    // Everything that waits listens: that many is no leak.
    setMaxListeners(0, this.controller.signal)
  }

  /** Aborts when `close` begins: hand it to everything that waits. */
  get signal(): AbortSignal {
    return this.controller.signal
  }

  /**
   * Registers what undoes the step just taken; `ms` overrides how long it may take. After `close` has begun it runs
   * at once.
   */
  defer(name: string, run: Cleanup, ms?: number): void {
    if (this.closing !== undefined) {
      void Promise.resolve()
        .then(run)
        .catch(() => undefined)
      return
    }
    this.cleanups.push(ms === undefined ? { name, run } : { name, run, ms })
  }

  /**
   * Runs every cleanup, newest first, each at most `stepMs` unless it said otherwise; returns what failed or hung, by
   * name. Safe to call twice.
   */
  close(stepMs = 5000): Promise<string[]> {
    this.closing ??= this.runCleanups(stepMs)
    return this.closing
  }

  private async runCleanups(stepMs: number): Promise<string[]> {
    this.controller.abort()
    const failures: string[] = []
    for (let step = this.cleanups.pop(); step !== undefined; step = this.cleanups.pop()) {
      const { name, run, ms = stepMs } = step
      try {
        await withDeadline(Promise.resolve().then(run), ms, name)
      } catch (error) {
        failures.push(`${name}: ${messageOf(error)}`)
      }
    }
    return failures
  }
}

/** Rejects with `TIMEOUT <name>` when the promise has not settled within `ms`. */
async function withDeadline<T>(promise: Promise<T>, ms: number, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not finish within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}
