/**
 * Keeps the connections that orders go over open: a signed read of the money on each, at start and before the venue
 * would close an idle one. What keeps them warm takes no more than its share of them.
 */

import { messageOf } from '../../core/errors.js'
import type { KalshiAccount } from './account.js'
import type { KalshiRates } from './rates.js'
import { restError, type RestResult } from './rest-result.js'
import type { KalshiRest } from './rest.js'

export interface WarmConnectionsOptions {
  readonly orders: KalshiRest
  readonly rates: KalshiRates
  /** Learns of the money, and is kept fresh beside it. */
  readonly state: KalshiAccount
  /** Whose money is read. */
  readonly query: Readonly<Record<string, string>>
  /** How often idle connections are used; 0 for never. */
  readonly everyMs: number
  readonly onNotice: (level: 'info' | 'warn', text: string) => void
}

export const WARM_CONNECTIONS = 2
const PATH = '/portfolio/balance'

export class WarmConnections {
  private timer: NodeJS.Timeout | undefined
  private isTouching = false
  private isClosed = false

  constructor(private readonly options: WarmConnectionsOptions) {}

  /** Opens them. Throws when the venue is unreachable or refuses the credentials. */
  async touch(): Promise<void> {
    const calls = Array.from({ length: WARM_CONNECTIONS }, (_, index) =>
      index === 0 ? this.options.state.withBalance(this.ask) : this.ask(),
    )
    for (const result of await Promise.all(calls)) {
      const isRefusal = result.kind === 'refused' && (result.status === 401 || result.status === 403)
      // Any other answer has opened the connection, which is what this call is for.
      if (result.kind === 'failed' || isRefusal) throw restError(`GET ${PATH}`, result)
    }
  }

  /** Touches them again and again until `close`; calling it twice is calling it once. */
  keep(): void {
    const { everyMs } = this.options
    if (this.isClosed || everyMs === 0 || this.timer !== undefined) return
    this.timer = setInterval(() => void this.onTimer(), everyMs)
    this.timer.unref()
  }

  close(): void {
    this.isClosed = true
    clearInterval(this.timer)
  }

  private async onTimer(): Promise<void> {
    // One that hangs takes no further connection.
    if (this.isTouching) return
    this.isTouching = true
    try {
      await Promise.all([this.touch(), this.options.state.refresh()])
    } catch (error) {
      this.options.onNotice('warn', `Kalshi keep-warm: ${messageOf(error)}`)
    } finally {
      this.isTouching = false
    }
  }

  private readonly ask = async (): Promise<RestResult> => {
    const { orders, rates, query } = this.options
    // It keeps orders quick, so it does not wait for what other reads have used up.
    rates.take('GET', PATH)
    const result = await orders.get(PATH, { query })
    rates.answered('GET', result)
    return result
  }
}
