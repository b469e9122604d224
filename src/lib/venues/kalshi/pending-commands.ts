/** Commands sent and not answered yet, by the id that the venue echoes. */

import {
  subscribeBooks,
  unsubscribe,
  updateSubscription,
  type ClientCommand,
  type UpdateAction,
} from './commands.js'
import type { SessionEffect } from './session-effects.js'

export interface PendingCommand {
  readonly action: 'subscribe' | 'unsubscribe' | UpdateAction
  readonly tickers: readonly string[]
  readonly deadlineUs: number
}

const sending = (command: ClientCommand): SessionEffect => ({ kind: 'send', command })

export class PendingCommands {
  private readonly byId = new Map<number, PendingCommand>()
  private nextId = 1

  constructor(private readonly timeoutUs: number) {}

  subscribe(tickers: readonly string[], useYesPrice: boolean, nowUs: number): SessionEffect {
    return sending(subscribeBooks(this.register('subscribe', tickers, nowUs), tickers, useYesPrice))
  }

  update(sid: number, action: UpdateAction, tickers: readonly string[], nowUs: number): SessionEffect {
    return sending(updateSubscription(this.register(action, tickers, nowUs), sid, action, tickers))
  }

  unsubscribe(sid: number, nowUs: number): SessionEffect {
    return sending(unsubscribe(this.register('unsubscribe', [], nowUs), [sid]))
  }

  /** The command that a reply answers; it is pending no more. */
  take(id: number | undefined): PendingCommand | undefined {
    if (id === undefined) return undefined
    const command = this.byId.get(id)
    this.byId.delete(id)
    return command
  }

  /** The commands whose time is up; they are pending no more. */
  takeExpired(nowUs: number): PendingCommand[] {
    const expired: PendingCommand[] = []
    for (const [id, command] of this.byId) {
      if (nowUs < command.deadlineUs) continue
      this.byId.delete(id)
      expired.push(command)
    }
    return expired
  }

  /** Markets whose deletion the venue has not acknowledged. */
  leaving(): ReadonlySet<string> {
    return this.tickersOf('delete_markets')
  }

  /** Markets whose addition the venue has not acknowledged. */
  joining(): ReadonlySet<string> {
    return this.tickersOf('add_markets')
  }

  /** Drops all that concern a subscription which is no more; its `unsubscribe` stays. */
  forgetSubscription(): void {
    for (const [id, { action }] of this.byId) if (action !== 'unsubscribe') this.byId.delete(id)
  }

  private tickersOf(wanted: PendingCommand['action']): ReadonlySet<string> {
    const found = new Set<string>()
    for (const { action, tickers } of this.byId.values()) {
      if (action === wanted) for (const ticker of tickers) found.add(ticker)
    }
    return found
  }

  private register(action: PendingCommand['action'], tickers: readonly string[], nowUs: number): number {
    const id = this.nextId++
    this.byId.set(id, { action, tickers, deadlineUs: nowUs + this.timeoutUs })
    return id
  }
}
