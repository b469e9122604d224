/**
 * Commands sent and not answered yet, by the id that the venue echoes; and those that wait, because the venue said
 * that they come too fast.
 */

import {
  subscribeBooks,
  unsubscribe,
  updateSubscription,
  type ClientCommand,
  type UpdateAction,
} from './commands.js'
import type { SessionEffect } from './session-effects.js'

type Action = 'subscribe' | 'unsubscribe' | UpdateAction

export interface PendingCommand {
  readonly action: Action
  readonly tickers: readonly string[]
  readonly deadlineUs: number
  readonly build: (id: number) => ClientCommand
}

type WaitingCommand = Pick<PendingCommand, 'action' | 'tickers' | 'build'>

/** After a refusal for their rate commands wait so long, doubled with each refusal in a row. */
const FIRST_HOLD_US = 500_000
const LONGEST_HOLD_US = 8_000_000
/** Of those that waited, so many go at once. */
const RELEASED_AT_ONCE = 20

export class PendingCommands {
  private readonly byId = new Map<number, PendingCommand>()
  private waiting: WaitingCommand[] = []
  private heldUntilUs = 0
  private holdUs = FIRST_HOLD_US
  private nextId = 1

  constructor(private readonly timeoutUs: number) {}

  subscribe(tickers: readonly string[], useYesPrice: boolean, nowUs: number): SessionEffect[] {
    const build = (id: number) => subscribeBooks(id, tickers, useYesPrice)
    return this.send({ action: 'subscribe', tickers, build }, nowUs)
  }

  update(sid: number, action: UpdateAction, tickers: readonly string[], nowUs: number): SessionEffect[] {
    return this.send({ action, tickers, build: (id) => updateSubscription(id, sid, action, tickers) }, nowUs)
  }

  unsubscribe(sid: number, nowUs: number): SessionEffect[] {
    return this.send({ action: 'unsubscribe', tickers: [], build: (id) => unsubscribe(id, [sid]) }, nowUs)
  }

  /** The command that a reply answers; it is pending no more. */
  take(id: number | undefined): PendingCommand | undefined {
    if (id === undefined) return undefined
    const command = this.byId.get(id)
    this.byId.delete(id)
    return command
  }

  /** The venue took a command: the next refusal for the rate is the first again. */
  accepted(nowUs: number): void {
    if (nowUs >= this.heldUntilUs) this.holdUs = FIRST_HOLD_US
  }

  /** Refused for its rate: it goes again, with all that follow it, when the time that is returned has come, us. */
  again(command: PendingCommand | undefined, nowUs: number): number {
    if (command !== undefined) this.waiting.push(command)
    if (nowUs < this.heldUntilUs) return this.heldUntilUs
    this.heldUntilUs = nowUs + this.holdUs
    this.holdUs = Math.min(this.holdUs * 2, LONGEST_HOLD_US)
    return this.heldUntilUs
  }

  /** When a command given now is sent, us. */
  sendsAtUs(nowUs: number): number {
    return Math.max(nowUs, this.heldUntilUs)
  }

  /** Sends what has waited long enough, some of it at a time. */
  release(nowUs: number): SessionEffect[] {
    if (nowUs < this.heldUntilUs) return []
    return this.waiting.splice(0, RELEASED_AT_ONCE).map((command) => this.sendNow(command, nowUs))
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
    this.waiting = this.waiting.filter(({ action }) => action === 'unsubscribe')
  }

  private tickersOf(wanted: Action): ReadonlySet<string> {
    const found = new Set<string>()
    for (const { action, tickers } of [...this.byId.values(), ...this.waiting]) {
      if (action === wanted) for (const ticker of tickers) found.add(ticker)
    }
    return found
  }

  private send(command: WaitingCommand, nowUs: number): SessionEffect[] {
    if (nowUs >= this.heldUntilUs && this.waiting.length === 0) return [this.sendNow(command, nowUs)]
    this.waiting.push(command)
    return []
  }

  private sendNow({ action, tickers, build }: WaitingCommand, nowUs: number): SessionEffect {
    const id = this.nextId++
    this.byId.set(id, { action, tickers, build, deadlineUs: nowUs + this.timeoutUs })
    return { kind: 'send', command: build(id) }
  }
}
