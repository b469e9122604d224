/** Keeps what one round of a loop throws from ending the loop. */

import { messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import type { RoleContext } from './role.js'

/** Messages told already: foreign text may make each a new one. Beyond this many only the count goes on. */
const MAX_TOLD = 100

/** What the work throws is counted as `loop_errors:<name>` and logged, each message once. */
export class Guard {
  private readonly told = new Set<string>()

  constructor(private readonly context: Pick<RoleContext, 'counters' | 'log'>) {}

  run(name: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.report(name, error)
    }
  }

  /** What the work gives, or undefined when it threw. */
  async result<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.report(name, error)
      return undefined
    }
  }

  private report(name: string, error: unknown): void {
    this.context.counters.add('loop_errors', name)
    const text = `${name} failed and is tried again: ${sanitize(messageOf(error), 300)}`
    if (this.told.has(text) || this.told.size >= MAX_TOLD) return
    this.told.add(text)
    this.context.log.error(text)
  }
}
