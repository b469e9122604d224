/**
 * How a match becomes final: MATCHED, then MINED in a block, then CONFIRMED. A fault script has trades go other ways:
 * RETRYING before they are mined after all, or FAILED, and then everybody has back what was his.
 */

import type { Exchange } from '../exchange.js'
import type { PolyAccount } from './account.js'
import type { PolyTrade, TradeStatus } from './trade.js'

export type Ending = 'retried' | 'failed'

export class Settlement {
  private readonly scripted: Ending[] = []

  constructor(
    private readonly exchange: Pick<Exchange, 'after' | 'clock'>,
    private readonly account: Pick<PolyAccount, 'takeBack'>,
  ) {}

  /** How the next trades end. */
  script(ending: Ending, times: number): void {
    for (let trade = 0; trade < times; trade += 1) this.scripted.push(ending)
  }

  start(trade: PolyTrade): void {
    const { visibleMs, minedMs, confirmedMs } = trade.market.pace
    this.exchange.after(visibleMs, () => (trade.visible = true))
    const become = (afterMs: number, status: TradeStatus): void =>
      this.exchange.after(afterMs, () => this.change(trade, status))
    switch (this.scripted.shift()) {
      case undefined:
        become(minedMs, 'MINED')
        become(confirmedMs, 'CONFIRMED')
        return
      case 'retried':
        become(minedMs, 'RETRYING')
        become(confirmedMs, 'MINED')
        become(confirmedMs + minedMs, 'CONFIRMED')
        return
      case 'failed':
        become(minedMs, 'RETRYING')
        become(confirmedMs, 'FAILED')
    }
  }

  private change(trade: PolyTrade, status: TradeStatus): void {
    trade.status = status
    trade.statusSinceMs = this.exchange.clock.nowMs()
    if (status === 'FAILED') this.account.takeBack(trade)
  }
}
