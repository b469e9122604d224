/** The bounds of every stream: so many, so long, so long without anything, or told to stop. */

export interface BoundOptions {
  readonly count?: number | undefined
  readonly forMs?: number | undefined
  readonly idleMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type EndReason = 'count' | 'for' | 'idle' | 'stopped'

export class StreamBounds {
  /** Settles when the first bound is reached. */
  readonly ended: Promise<EndReason>
  private seen = 0
  private over = false
  private settle: (reason: EndReason) => void = () => undefined
  private readonly timers: NodeJS.Timeout[] = []
  private readonly idle: NodeJS.Timeout | undefined
  private readonly onAbort = () => this.end('stopped')

  constructor(private readonly options: BoundOptions) {
    this.ended = new Promise((resolve) => (this.settle = resolve))
    const { forMs, idleMs, signal } = options
    if (forMs !== undefined) this.timers.push(setTimeout(() => this.end('for'), forMs))
    if (idleMs !== undefined) {
      this.idle = setTimeout(() => this.end('idle'), idleMs)
      this.timers.push(this.idle)
    }
    signal?.addEventListener('abort', this.onAbort, { once: true })
    if (signal?.aborted === true) this.end('stopped')
  }

  /** True once a bound was reached: whatever still arrives is not for the operator. */
  get isOver(): boolean {
    return this.over
  }

  /** Ends it as the signal does. */
  stop(): void {
    this.end('stopped')
  }

  /** Counts one item. */
  tick(): void {
    this.seen++
    this.idle?.refresh()
    if (this.seen === this.options.count) this.end('count')
  }

  private end(reason: EndReason): void {
    if (this.over) return
    this.over = true
    this.timers.forEach(clearTimeout)
    this.options.signal?.removeEventListener('abort', this.onAbort)
    this.settle(reason)
  }
}
