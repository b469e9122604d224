/**
 * One Kalshi WebSocket connection: its subscriptions, their sequence numbers, and what it is sent.
 *
 * The sequence counts per subscription over all its markets; `ok`, `unsubscribed` and `error` about a sequenced
 * subscription carry and consume a number too. Ticker, fill, order and position messages have none.
 */

import type { BookChange, Exchange } from '../exchange.js'
import type { Line } from '../line.js'
import type { KalshiMarket } from '../market.js'
import type { StatsCounter } from '../stats.js'
import type { KalshiAccount } from './account.js'
import {
  errorText,
  isSequenced,
  parseCommand,
  type Command,
  type CommandError,
  type ErrorCode,
} from './commands.js'
import { deltaMessage, snapshotMessage, tickerMessage, tradeMessage, type PrintedTrade } from './frames.js'
import type { LastTrade } from './shapes.js'

interface Subscription {
  readonly sid: number
  readonly channel: string
  /** Undefined: every market. */
  readonly tickers: Set<string> | undefined
  readonly useYesPrice: boolean
  seq: number
}

export interface SessionOptions {
  readonly line: Line
  readonly exchange: Exchange
  readonly stats: StatsCounter
  /** Whose key opened the connection. */
  readonly account: KalshiAccount
  /** Set when a tape plays instead of the scenario; called at the first subscription, returns what stops it. */
  readonly tape: ((send: (text: string) => void) => () => void) | undefined
  readonly lastTrade: (ticker: string) => LastTrade | undefined
}

/** A reader this far behind loses its subscriptions (error 25). */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024

export class KalshiSession {
  private readonly subscriptions = new Map<number, Subscription>()
  private nextSid = 1
  private stopTape: (() => void) | undefined

  constructor(private readonly options: SessionOptions) {}

  get account(): KalshiAccount {
    return this.options.account
  }

  close(): void {
    this.stopTape?.()
    this.subscriptions.clear()
  }

  onText(text: string): void {
    const command = parseCommand(text)
    switch (command.kind) {
      case 'error':
        this.fail(command)
        return
      case 'subscribe':
        this.subscribe(command)
        return
      case 'update':
        this.update(command)
        return
      case 'unsubscribe':
        this.unsubscribe(command)
        return
      case 'list':
        this.write({
          ...withId(command.id),
          type: 'ok',
          msg: [...this.subscriptions.values()].map(({ channel, sid }) => ({ channel, sid })),
        })
    }
  }

  onBook({ market, changes, wallMs }: BookChange): void {
    if (market.venue !== 'kalshi' || this.options.tape !== undefined) return
    const { exchange, account } = this.options
    const book = exchange.bookOf(market).display
    for (const subscription of this.subscriptions.values()) {
      if (!follows(subscription, market.id)) continue
      if (subscription.channel === 'orderbook_delta') {
        for (const change of changes) {
          const own = account.order(change.order?.orderId ?? '')
          const message = deltaMessage(market, change, subscription.useYesPrice, wallMs, own)
          this.emit(subscription, 'orderbook_delta', message)
        }
      } else if (subscription.channel === 'ticker') {
        this.emit(
          subscription,
          'ticker',
          tickerMessage(market, book, this.options.lastTrade(market.id), wallMs),
        )
      }
    }
    this.checkBacklog()
  }

  onTrade(trade: PrintedTrade): void {
    if (this.options.tape !== undefined) return
    for (const subscription of this.subscriptions.values()) {
      if (subscription.channel === 'trade' && follows(subscription, trade.market.id)) {
        this.emit(subscription, 'trade', tradeMessage(trade))
      }
    }
  }

  /** A message of the account's, or of every market's life: `fill`, `user_order`, `market_lifecycle_v2`, … */
  onChannel(channel: string, type: string, ticker: string | undefined, message: unknown): void {
    for (const subscription of this.subscriptions.values()) {
      if (subscription.channel !== channel) continue
      if (ticker === undefined || follows(subscription, ticker)) this.emit(subscription, type, message)
    }
  }

  /** Ends every subscription with a terminal error. */
  terminate(code: 10 | 25): void {
    for (const { sid } of [...this.subscriptions.values()]) {
      this.fail({ kind: 'error', id: undefined, code, sid })
      this.subscriptions.delete(sid)
    }
  }

  private subscribe(command: Extract<Command, { kind: 'subscribe' }>): void {
    const { id, channels, tickers, useYesPrice, initialSnapshot } = command
    if (tickers !== undefined && !this.allKnown(tickers)) {
      this.fail({ kind: 'error', id, code: 11 })
      return
    }
    const created = channels.map((channel): Subscription => {
      const sid = this.nextSid
      this.nextSid += 1
      const subscription = { sid, channel, tickers: tickers && new Set(tickers), useYesPrice, seq: 0 }
      this.subscriptions.set(sid, subscription)
      this.write({ type: 'subscribed', ...withId(id), msg: { channel, sid } })
      return subscription
    })
    if (this.options.tape !== undefined) {
      this.stopTape ??= this.options.tape((text) => this.writeText(text))
      return
    }
    for (const subscription of created) {
      if (subscription.channel === 'orderbook_delta') this.sendSnapshots(subscription, tickers ?? [])
      if (subscription.channel === 'ticker' && initialSnapshot) this.sendTickers(subscription, tickers ?? [])
    }
  }

  private update(command: Extract<Command, { kind: 'update' }>): void {
    const { id, sid, action, tickers } = command
    const subscription = this.subscriptions.get(sid)
    const error = (code: ErrorCode) => this.fail({ kind: 'error', id, code, sid })
    if (subscription === undefined) return error(7)
    if (!this.allKnown(tickers)) return error(11)
    const isBook = subscription.channel === 'orderbook_delta'
    if (action === 'get_snapshot') {
      if (!isBook) return error(13)
      this.sendSnapshots(subscription, tickers, id)
      return
    }
    const followed = subscription.tickers
    if (followed === undefined) return error(13)
    const fresh = tickers.filter((ticker) => !followed.has(ticker))
    for (const ticker of tickers) {
      if (action === 'add_markets') followed.add(ticker)
      else followed.delete(ticker)
    }
    this.write({
      ...withId(id),
      ...this.next(subscription),
      type: 'ok',
      msg: { market_tickers: [...followed] },
    })
    if (action === 'add_markets' && isBook) this.sendSnapshots(subscription, fresh)
  }

  private unsubscribe({ id, sids }: Extract<Command, { kind: 'unsubscribe' }>): void {
    for (const sid of sids) {
      const subscription = this.subscriptions.get(sid)
      if (subscription === undefined) {
        this.fail({ kind: 'error', id, code: 7, sid })
        continue
      }
      this.subscriptions.delete(sid)
      this.write({ ...withId(id), ...this.next(subscription), type: 'unsubscribed' })
    }
  }

  private fail({ id, code, sid }: CommandError): void {
    this.options.stats.refuse('kalshi', `ws_${code}`)
    const subscription = sid === undefined ? undefined : this.subscriptions.get(sid)
    const about =
      subscription === undefined || !isSequenced(subscription.channel) ? {} : this.next(subscription)
    this.write({ type: 'error', ...withId(id), ...about, msg: { code, msg: errorText(code) } })
  }

  private sendSnapshots(subscription: Subscription, tickers: readonly string[], id?: number): void {
    if (this.options.tape !== undefined) return
    for (const market of this.marketsOf(tickers)) {
      const book = this.options.exchange.bookOf(market).display
      this.emit(
        subscription,
        'orderbook_snapshot',
        snapshotMessage(market, book, subscription.useYesPrice),
        id,
      )
    }
  }

  private sendTickers(subscription: Subscription, tickers: readonly string[]): void {
    const { exchange, lastTrade } = this.options
    for (const market of this.marketsOf(tickers)) {
      const message = tickerMessage(
        market,
        exchange.bookOf(market).display,
        lastTrade(market.id),
        exchange.clock.nowMs(),
      )
      this.emit(subscription, 'ticker', message)
    }
  }

  private marketsOf(tickers: readonly string[]): KalshiMarket[] {
    return tickers.flatMap((ticker) => this.options.exchange.kalshiMarket(ticker) ?? [])
  }

  private allKnown(tickers: readonly string[]): boolean {
    return this.options.tape !== undefined || this.marketsOf(tickers).length === tickers.length
  }

  /** `sid`, with the next sequence number where the channel has one. */
  private next(subscription: Subscription): { sid: number; seq?: number } {
    const { sid, channel } = subscription
    if (!isSequenced(channel)) return { sid }
    subscription.seq += 1
    return { sid, seq: subscription.seq }
  }

  private emit(subscription: Subscription, type: string, msg: unknown, id?: number): void {
    // A subscription may have ended between two frames of one change.
    if (!this.subscriptions.has(subscription.sid)) return
    const { line, stats } = this.options
    stats.countFrame()
    const text = JSON.stringify({ type, ...withId(id), ...this.next(subscription), msg })
    if (isSequenced(subscription.channel)) line.data(text)
    else line.say(text)
  }

  private checkBacklog(): void {
    if (this.options.line.bufferedBytes > MAX_BUFFERED_BYTES) this.terminate(25)
  }

  private write(message: unknown): void {
    this.options.line.say(JSON.stringify(message))
  }

  private writeText(text: string): void {
    this.options.stats.countFrame()
    this.options.line.data(text)
  }
}

const withId = (id: number | undefined): { id?: number } => (id === undefined ? {} : { id })

const follows = ({ tickers }: Subscription, ticker: string): boolean =>
  tickers === undefined || tickers.has(ticker)
