/**
 * `orders` and `fills` over all lives of exec. Whoever supervises exec adds the last report of each dead life to what
 * the living one reports. So a life begins with what is on record in the ledger and was in no report: what an earlier
 * life concluded and died before it could tell. A report is marked in the ledger right before it leaves; a process
 * that dies between the two, microseconds apart, leaves that report untold.
 */

import type { Ledger } from '../execution/ledger.js'
import type { OrderTotals } from '../execution/ledger-schema.js'
import type { Counters } from '../telemetry/counters.js'

export class ExecTotals {
  private readonly before: OrderTotals
  private marked: OrderTotals

  /** Sets both counters to what is untold. */
  constructor(
    private readonly ledger: Ledger,
    private readonly counters: Pick<Counters, 'get' | 'set'>,
  ) {
    const { onRecord, told } = ledger.totals()
    this.before = told
    this.marked = told
    counters.set('orders', Math.max(0, onRecord.orders - told.orders))
    counters.set('fills', Math.max(0, onRecord.fills - told.fills))
  }

  /** Call before each report to the supervisor; a ledger that cannot write is left alone. */
  markTold(): void {
    const { before, counters, ledger, marked } = this
    const totals = {
      orders: before.orders + counters.get('orders'),
      fills: before.fills + counters.get('fills'),
    }
    const same = totals.orders === marked.orders && totals.fills === marked.fills
    if (same || ledger.broken !== undefined) return
    try {
      ledger.markTold(totals)
      this.marked = totals
    } catch {
      // The ledger has latched its failure: entries are denied for it and the operator is told.
    }
  }
}
