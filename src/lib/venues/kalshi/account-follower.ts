/**
 * Follows the account while exec trades on it: the lists are compared on a timer and after each reconnect of the
 * account's channels, and what the channels tell goes to whom it concerns.
 */

import type { Clock } from '../../core/clock.js'
import { messageOf } from '../../core/errors.js'
import type { OwnTrading, TradingAlarm } from '../ports.js'
import type { AccountFrame } from './account-frames.js'
import { AccountSocket } from './account-socket.js'
import { AccountWatch } from './account-watch.js'
import type { KalshiCredentials } from './auth.js'
import type { OrderGroups } from './order-groups.js'
import type { OwnOrders } from './own-orders.js'
import type { RatedRest } from './rated-rest.js'

export interface AccountFollowerOptions {
  readonly rest: RatedRest
  readonly credentials: KalshiCredentials
  readonly clock: Clock
  readonly own: OwnOrders
  readonly groups: OrderGroups | undefined
  /** Where the account's channels are; the lists alone tell when it is not given. */
  readonly wsUrl: string | undefined
  readonly subaccount: number
  /** What the venue says of a market may be so old, ms. */
  readonly cacheMs: number | undefined
  /** How often the lists are compared. */
  readonly everyMs: number
  readonly onNotice: (level: 'info' | 'warn', text: string) => void
}

/** Looks for reconnects are so far apart at least. */
const LIVE_LOOK_MS = 5_000

export class AccountFollower {
  private readonly watch: AccountWatch
  private readonly socket: AccountSocket | undefined
  private readonly timer: NodeJS.Timeout
  /** A look that a reconnect soon after another asked for. */
  private owed: NodeJS.Timeout | undefined
  private lookedMs = -Infinity

  /** Begins at once. */
  constructor(
    private readonly options: AccountFollowerOptions,
    before: OwnTrading,
    onAlarm: (alarm: TradingAlarm) => void,
  ) {
    const { rest, credentials, clock, own, wsUrl, subaccount, cacheMs, everyMs, onNotice } = options
    own.takeOver(before)
    // Named for the primary one too: the venue lists the fills of all where none is named.
    const query = { subaccount: String(subaccount) }
    const sinceS = Math.floor(clock.nowMs() / 1000)
    const nowMs = () => rest.rates.nowMs()
    const shared = { rest, own, before, query, sinceS, nowMs, cacheMs, onAlarm, onNotice }
    this.watch = new AccountWatch(shared)
    this.look()
    this.timer = setInterval(() => this.look(), everyMs).unref()
    if (wsUrl === undefined) return
    const onLive = () => this.onLive()
    const onGroupGap = () => this.checkGroups()
    const onFrame = (frame: AccountFrame) => this.onFrame(frame)
    this.socket = new AccountSocket({ wsUrl, credentials, clock, onFrame, onGroupGap, onLive, onNotice })
  }

  /** The operator goes on: returns the differences that he accepts from now on, contracts x 10^6 by market. */
  accept(): ReadonlyMap<string, number> {
    return this.watch.accept()
  }

  close(): void {
    clearInterval(this.timer)
    clearTimeout(this.owed)
    this.socket?.close()
    this.watch.close()
  }

  private look(): void {
    void this.watch.look()
  }

  /** A venue that connects and drops us again and again is not asked for its lists each time. */
  private onLive(): void {
    if (this.owed !== undefined) return
    const waitMs = this.lookedMs + LIVE_LOOK_MS - this.nowMs()
    if (waitMs <= 0) this.lookAfterHole()
    else this.owed = setTimeout(() => this.lookAfterHole(), waitMs).unref()
  }

  private lookAfterHole(): void {
    this.owed = undefined
    this.lookedMs = this.nowMs()
    this.look()
    this.checkGroups()
  }

  private checkGroups(): void {
    const { groups, onNotice } = this.options
    groups?.check().catch((error: unknown) => onNotice('warn', messageOf(error)))
  }

  private nowMs(): number {
    return this.options.rest.rates.nowMs()
  }

  private onFrame(frame: AccountFrame): void {
    const { own, groups, onNotice, subaccount } = this.options
    // The channels tell of every subaccount: what happens on another is none of our trading.
    const isOthers = 'subaccount' in frame && (frame.subaccount ?? subaccount) !== subaccount
    if (isOthers) return
    if (frame.kind === 'fill') this.watch.onFill(frame.fill)
    else if (frame.kind === 'position') this.watch.onPosition(frame.position)
    else if (frame.kind === 'order') own.onEnd(frame.venueOrderId, frame.orderId, frame.filledE6)
    else if (frame.kind === 'group') groups?.onUpdate(frame.groupId, frame.event)
    else if (frame.kind === 'error') onNotice('warn', `Kalshi account channels: error ${frame.text}`)
    else if (frame.kind === 'unreadable')
      onNotice('warn', `Kalshi account channels: unreadable ${frame.what}`)
  }
}
