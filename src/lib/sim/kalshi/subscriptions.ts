/**
 * The subscriptions of one Kalshi connection and their sequence numbers.
 *
 * The sequence counts per subscription over all its markets; `ok`, `unsubscribed` and `error` about a sequenced
 * subscription carry and consume a number too. Ticker, fill, order and position messages have none.
 */

import type { Line } from '../line.js'
import type { StatsCounter } from '../stats.js'
import { errorText, isSequenced, type CommandError } from './commands.js'

export interface Subscription {
  readonly sid: number
  readonly channel: string
  /** Undefined: every market. */
  readonly tickers: Set<string> | undefined
  readonly useYesPrice: boolean
  seq: number
}

export class Subscriptions {
  private readonly bySid = new Map<number, Subscription>()
  private nextSid = 1

  constructor(
    private readonly line: Line,
    private readonly stats: StatsCounter,
  ) {}

  add(channel: string, tickers: readonly string[] | undefined, useYesPrice: boolean): Subscription {
    const subscription = {
      ...{ sid: this.nextSid, channel, useYesPrice, seq: 0 },
      tickers: tickers && new Set(tickers),
    }
    this.nextSid += 1
    this.bySid.set(subscription.sid, subscription)
    return subscription
  }

  get(sid: number): Subscription | undefined {
    return this.bySid.get(sid)
  }

  delete(sid: number): void {
    this.bySid.delete(sid)
  }

  clear(): void {
    this.bySid.clear()
  }

  all(): readonly Subscription[] {
    return [...this.bySid.values()]
  }

  /** Those of a channel that a market's message goes to; without a ticker it goes to all. */
  of(channel: string, ticker: string | undefined): readonly Subscription[] {
    return this.all().filter(
      (each) => each.channel === channel && (ticker === undefined || (each.tickers?.has(ticker) ?? true)),
    )
  }

  /** Sends a channel's message. */
  emit(subscription: Subscription, type: string, msg: unknown, id?: number): void {
    // A subscription may have ended between two frames of one change.
    if (!this.bySid.has(subscription.sid)) return
    this.stats.countFrame()
    const text = JSON.stringify({ type, ...withId(id), ...this.number(subscription), msg })
    if (isSequenced(subscription.channel)) this.line.data(text)
    else this.line.say(text)
  }

  /** Answers a command, about a subscription where one is named. */
  answer(id: number | undefined, message: Readonly<Record<string, unknown>>, about?: Subscription): void {
    this.line.say(JSON.stringify({ ...withId(id), ...(about && this.number(about)), ...message }))
  }

  fail({ id, code, sid }: CommandError): void {
    this.stats.refuse('kalshi', `ws_${code}`)
    const subscription = sid === undefined ? undefined : this.bySid.get(sid)
    const about = subscription !== undefined && isSequenced(subscription.channel) ? subscription : undefined
    this.answer(id, { type: 'error', msg: { code, msg: errorText(code) } }, about)
  }

  /** `sid`, with the next sequence number where the channel has one. */
  private number(subscription: Subscription): { sid: number; seq?: number } {
    const { sid, channel } = subscription
    if (!isSequenced(channel)) return { sid }
    subscription.seq += 1
    return { sid, seq: subscription.seq }
  }
}

const withId = (id: number | undefined): { id?: number } => (id === undefined ? {} : { id })
