/** Questions that no venue answered while somebody waited: each is asked slowly, beside the plans, until it is answered. */

import { messageOf } from '../core/errors.js'
import type { Execution } from './execution.js'

/** True once it is answered. */
type Ask = () => Promise<boolean>

export class LaterQuestions {
  private readonly open = new Map<string, Ask>()
  private timer: NodeJS.Timeout | undefined
  private asking: Promise<void> | undefined
  private hasLeft = false

  constructor(private readonly execution: Execution) {}

  /** Does nothing once exec stops: the ledger has what is open. One that throws is an alarm, and asked no more. */
  follow(subject: string, ask: Ask): void {
    const { cut, timing } = this.execution
    if (this.hasLeft || cut.aborted) return
    this.open.set(subject, ask)
    this.timer ??= setInterval(() => this.onTimer(), timing.unknownEveryMs).unref()
  }

  /** Stops asking; returns when no question is open any more. */
  async leave(): Promise<void> {
    this.hasLeft = true
    clearInterval(this.timer)
    await this.asking
  }

  private onTimer(): void {
    this.asking ??= this.askAll().finally(() => (this.asking = undefined))
  }

  private async askAll(): Promise<void> {
    for (const [subject, ask] of this.open) {
      if (this.hasLeft) return
      try {
        if (await ask()) this.open.delete(subject)
      } catch (error) {
        this.open.delete(subject)
        this.execution.listener.onAlarm(`${subject} is known at last: ${messageOf(error)}`)
      }
    }
  }
}
