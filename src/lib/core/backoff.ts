/** Reconnect delays: decorrelated jitter, bounded, reset after success. */

export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
  /** Source of randomness in [0, 1). */
  readonly random?: () => number
}

export class Backoff {
  private previousMs: number

  constructor(private readonly options: BackoffOptions) {
    this.previousMs = options.minMs
  }

  /** The next delay in milliseconds, between `minMs` and `maxMs`. */
  nextMs(): number {
    const { minMs, maxMs, random = Math.random } = this.options
    const ceiling = Math.min(maxMs, this.previousMs * 3)
    this.previousMs = Math.round(minMs + random() * (ceiling - minMs))
    return this.previousMs
  }

  reset(): void {
    this.previousMs = this.options.minMs
  }
}

/** A longer timer of Node would fire at once: some 24.8 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Resolves after `ms`, or at once when the signal aborts; tells which. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<'elapsed' | 'aborted'> {
  let leftMs = ms
  for (; leftMs > LONGEST_TIMER_MS; leftMs -= LONGEST_TIMER_MS) {
    if ((await sleepOnce(LONGEST_TIMER_MS, signal)) === 'aborted') return 'aborted'
  }
  return sleepOnce(leftMs, signal)
}

function sleepOnce(ms: number, signal?: AbortSignal): Promise<'elapsed' | 'aborted'> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve('aborted')
      return
    }
    const onAbort = () => {
      clearTimeout(timer)
      resolve('aborted')
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve('elapsed')
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
