/** Waiting for a market's dump: when it is to be asked for again, ever more rarely. */

import type { MapperOptions } from './mapper-effects.js'

export class DumpWait {
  private dueUs: number | undefined
  private askedUs = -Infinity
  private attempts = 0

  constructor(private readonly options: Pick<MapperOptions, 'resyncTimeoutUs' | 'resyncGapUs'>) {}

  /** Times that it was asked for again since a book was last proved. */
  get tries(): number {
    return this.attempts
  }

  get isWaiting(): boolean {
    return this.dueUs !== undefined
  }

  /** Subscribed to just now, so a dump comes by itself. */
  subscribed(nowUs: number): void {
    this.attempts = 0
    this.dueUs = nowUs + this.options.resyncTimeoutUs
  }

  /** Wants one as soon as the least gap since the last one allows. */
  want(): void {
    this.dueUs ??= this.askedUs + this.options.resyncGapUs
  }

  isDue(nowUs: number): boolean {
    return this.dueUs !== undefined && nowUs >= this.dueUs
  }

  /** A token without a book must not cost the others their connection: it is asked for ever more rarely. */
  askedAgain(nowUs: number): void {
    this.askedUs = nowUs
    this.attempts += 1
    this.dueUs = nowUs + this.options.resyncTimeoutUs * Math.min(10, 1 + this.attempts)
  }

  /** A book came that may be worked with. */
  came(): void {
    this.dueUs = undefined
  }

  proved(): void {
    this.attempts = 0
  }

  /** Nobody is there to ask. */
  stop(): void {
    this.dueUs = undefined
  }
}
