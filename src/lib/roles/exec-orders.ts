/**
 * Manual orders: asked for on the recovery socket, taken once as plans of one leg like any signal, and answered out of
 * the ledger each time they are asked after, in this life of exec or a later one.
 */

import { codeOf, messageOf } from '../core/errors.js'
import { hostId } from '../core/ids.js'
import { askedOf, manualOutcomeOf } from '../execution/ledger-manual.js'
import type { PlanEvent } from '../execution/ledger-manual.js'
import type { Execution } from '../execution/execution.js'
import { isSealedOrder } from '../messages/signal-seal.js'
import { manualSignal, manualSignalId } from '../model/manual-order.js'
import type { ManualAnswer, ManualOrder, ManualRefusal } from '../model/manual-order.js'
import { orderIdOf } from '../model/order.js'
import type { Signal } from '../model/signal.js'
import type { ExecIntake } from './exec-intake.js'
import type { ExecMarkets } from './exec-markets.js'
import type { RoleContext } from './role.js'

/** The game of a market that nobody has told us of: it is denied. */
const NO_GAME = 'none'

export class ExecOrders {
  private readonly host = hostId()

  constructor(
    private readonly context: Pick<RoleContext, 'clock' | 'counters' | 'log'>,
    private readonly execution: Execution,
    private readonly intake: Pick<ExecIntake, 'take'>,
    private readonly markets: ExecMarkets,
    /** What every order must be sealed with; undefined where signals are not sealed either. */
    private readonly signalKey?: Buffer,
  ) {}

  /** Takes an order that is not on record, and says what is on record of it then. Never throws. */
  answer(order: ManualOrder): ManualAnswer {
    try {
      return this.judge(order)
    } catch (error) {
      if (codeOf(error) !== 'LEDGER_FAILED') {
        this.context.log.error(`order ${order.order_id} is not answered: ${messageOf(error)}`)
      }
      return this.refuse('LEDGER_FAILED')
    }
  }

  private judge(order: ManualOrder): ManualAnswer {
    const { env, mode, ledger } = this.execution
    if (order.env !== env || order.mode !== mode) return this.refuse('OTHER_EXEC')
    if (this.signalKey !== undefined && !isSealedOrder(this.signalKey, order)) return this.refuse('BAD_SEAL')
    const gameId = this.markets.gameOf(order.venue, order.market_id) ?? NO_GAME
    const signal = manualSignal(order, gameId)
    if (signal === undefined) return this.refuse('BAD_ORDER')
    const before = ledger.planEvents(signal.id)
    if (before.length > 0) {
      return isSame(before, signal) ? this.told(order, before) : this.refuse('ID_REUSED')
    }
    const { by, side, size, outcome, limit, market_id: id } = order
    this.context.counters.add('manual_orders')
    this.context.log.info(`manual order ${order.order_id} by ${by}`, { side, size, outcome, limit, id })
    this.intake.take({
      ...{ signal, signalMs: order.asked_ms, trace: signal.id, by },
      ageMs: this.ageOf(order),
      stamps: { exec_in: this.context.clock.monoUs() },
    })
    // The order may be out: nobody can say what became of it before the disk is mended.
    if (ledger.broken !== undefined) return this.unrecorded(order)
    return this.told(order, ledger.planEvents(signal.id))
  }

  private told(order: ManualOrder, events: readonly PlanEvent[]): ManualAnswer {
    return { ...this.who(), ...this.idsOf(order), ...manualOutcomeOf(events) }
  }

  private unrecorded(order: ManualOrder): ManualAnswer {
    const reason = 'LEDGER_FAILED'
    return {
      ...{ ...this.who(), ...this.idsOf(order), state: 'unknown', reason },
      ...{ checks: [], filled: 0, over: true },
    }
  }

  private idsOf({ order_id: id, venue }: ManualOrder) {
    const { env, mode, gateways } = this.execution
    const signalId = manualSignalId(id)
    const { account } = gateways[venue]
    return {
      signal_id: signalId,
      order_id: orderIdOf({ env, mode, account, signalId, leg: 0, attempt: 0 }),
    }
  }

  private refuse(refused: ManualRefusal): ManualAnswer {
    this.context.counters.add('manual_refused', refused)
    return { ...this.who(), refused }
  }

  private who() {
    const { env, mode } = this.execution
    return { env, mode }
  }

  /** By the monotonic clock where it was asked on this host, else by the wall clocks. */
  private ageOf({ host, asked_us: askedUs, asked_ms: askedMs }: ManualOrder): () => number {
    const { clock } = this.context
    return host === this.host ? () => (clock.monoUs() - askedUs) / 1000 : () => clock.nowMs() - askedMs
  }
}

/** Whether what is on record under this id is the same order. */
function isSame(events: readonly PlanEvent[], { legs }: Signal): boolean {
  const [leg] = legs
  const asked = askedOf(events)
  if (leg === undefined || asked === undefined) return false
  const keys = ['venue', 'marketId', 'outcome', 'side', 'limitE4', 'sizeE2'] as const
  return keys.every((key) => asked[key] === leg[key])
}
