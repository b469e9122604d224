/** The venues' accounts beside our own trading: what no order of ours explains is an alarm, and positions halt entries. */

import { messageOf } from '../core/errors.js'
import type { Ledger } from '../execution/ledger.js'
import type { AcceptedDetail } from '../execution/ledger-trading.js'
import type { HaltOrder } from '../model/halt.js'
import type { OrderGateway, OwnTrading, TradingAlarm } from '../venues/ports.js'
import type { RoleContext } from './role.js'

interface Watched {
  readonly gateway: OrderGateway
  /** As of the start: what recovery learns, the gateway sees by itself. */
  readonly before: OwnTrading
}

export class ExecAccounts {
  private readonly watched: readonly Watched[]

  /** Make it before recovery. Throws `LEDGER_FAILED`. */
  constructor(
    private readonly context: Pick<RoleContext, 'counters' | 'log'>,
    gateways: readonly OrderGateway[],
    private readonly ledger: Ledger,
    private readonly halt: (order: HaltOrder) => void,
  ) {
    this.watched = gateways
      .filter((gateway) => 'watch' in gateway)
      .map((gateway) => ({ gateway, before: ledger.ownTrading(gateway.venue) }))
  }

  /** From now on; call it when recovery has ended. */
  watch(): void {
    for (const { gateway, before } of this.watched) gateway.watch?.(before, (alarm) => this.onAlarm(alarm))
  }

  /** The operator goes on with what the accounts hold. */
  resume(): void {
    for (const { gateway } of this.watched) {
      const positions = gateway.resume?.()
      if (positions === undefined || positions.size === 0) continue
      const detail: AcceptedDetail = { venue: gateway.venue, positions: Object.fromEntries(positions) }
      try {
        this.ledger.append('accepted', {}, detail)
      } catch (error) {
        this.context.log.error(`what the account holds is not on record as accepted: ${messageOf(error)}`)
      }
    }
  }

  private onAlarm({ kind, text }: TradingAlarm): void {
    const { counters, log } = this.context
    log.error(text)
    if (kind === 'fill') counters.add('foreign_fills')
    else this.halt({ level: 'entries', reason: text, by: 'exec' })
  }
}
