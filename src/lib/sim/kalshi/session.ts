/** One Kalshi WebSocket connection: the commands it gives, and what it is sent. */

import type { BookChange, Exchange } from '../exchange.js'
import type { Line } from '../line.js'
import type { KalshiMarket } from '../market.js'
import type { StatsCounter } from '../stats.js'
import type { KalshiAccount } from './account.js'
import { parseCommand, type Command, type ErrorCode } from './commands.js'
import { deltaMessage, snapshotMessage, tickerMessage, tradeMessage, type PrintedTrade } from './frames.js'
import type { LastTrade } from './shapes.js'
import { Subscriptions, type Subscription } from './subscriptions.js'
import { TokenBucket } from './token-bucket.js'

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
/** More are refused (error 27). */
const COMMANDS_PER_S = 10_000

export class KalshiSession {
  private readonly subscriptions: Subscriptions
  private readonly commands: TokenBucket
  private stopTape: (() => void) | undefined

  constructor(private readonly options: SessionOptions) {
    this.subscriptions = new Subscriptions(options.line, options.stats)
    this.commands = new TokenBucket(COMMANDS_PER_S, COMMANDS_PER_S, options.exchange.clock.nowMs())
  }

  get account(): KalshiAccount {
    return this.options.account
  }

  close(): void {
    this.stopTape?.()
    this.subscriptions.clear()
  }

  onText(text: string): void {
    const command = parseCommand(text)
    if (!this.commands.take(1, this.options.exchange.clock.nowMs())) {
      this.subscriptions.fail({ kind: 'error', id: command.id, code: 27 })
      return
    }
    switch (command.kind) {
      case 'error':
        this.subscriptions.fail(command)
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
      case 'list': {
        const msg = this.subscriptions.all().map(({ channel, sid }) => ({ channel, sid }))
        this.subscriptions.answer(command.id, { type: 'ok', msg })
      }
    }
  }

  onBook({ market, changes, wallMs }: BookChange): void {
    if (market.venue !== 'kalshi' || this.options.tape !== undefined) return
    const { account } = this.options
    for (const subscription of this.subscriptions.of('orderbook_delta', market.id)) {
      for (const change of changes) {
        const own = account.order(change.order?.orderId ?? '')
        const message = deltaMessage(market, change, subscription.useYesPrice, wallMs, own)
        this.subscriptions.emit(subscription, 'orderbook_delta', message)
      }
    }
    for (const subscription of this.subscriptions.of('ticker', market.id)) {
      this.sendTicker(subscription, market, wallMs)
    }
    if (this.options.line.bufferedBytes > MAX_BUFFERED_BYTES) this.terminate(25)
  }

  onTrade(trade: PrintedTrade): void {
    if (this.options.tape !== undefined) return
    this.onChannel('trade', 'trade', trade.market.id, tradeMessage(trade))
  }

  /** A message of the account's, or of every market's life: `fill`, `user_order`, `market_lifecycle_v2`, … */
  onChannel(channel: string, type: string, ticker: string | undefined, message: unknown): void {
    for (const subscription of this.subscriptions.of(channel, ticker)) {
      this.subscriptions.emit(subscription, type, message)
    }
  }

  /** Ends every subscription with a terminal error. */
  terminate(code: 10 | 25): void {
    for (const { sid } of this.subscriptions.all()) {
      this.subscriptions.fail({ kind: 'error', id: undefined, code, sid })
      this.subscriptions.delete(sid)
    }
  }

  private subscribe(command: Extract<Command, { kind: 'subscribe' }>): void {
    const { id, channels, tickers, useYesPrice, initialSnapshot } = command
    if (tickers !== undefined && !this.allKnown(tickers)) {
      this.subscriptions.fail({ kind: 'error', id, code: 11 })
      return
    }
    const created = channels.map((channel): Subscription => {
      const subscription = this.subscriptions.add(channel, tickers, useYesPrice)
      this.subscriptions.answer(id, { type: 'subscribed', msg: { channel, sid: subscription.sid } })
      return subscription
    })
    if (this.options.tape !== undefined) {
      this.stopTape ??= this.options.tape((text) => {
        this.options.stats.countFrame()
        this.options.line.data(text)
      })
      return
    }
    for (const subscription of created) {
      if (subscription.channel === 'orderbook_delta') this.sendSnapshots(subscription, tickers ?? [])
      if (subscription.channel !== 'ticker' || !initialSnapshot) continue
      const nowMs = this.options.exchange.clock.nowMs()
      for (const market of this.marketsOf(tickers ?? [])) this.sendTicker(subscription, market, nowMs)
    }
  }

  private update(command: Extract<Command, { kind: 'update' }>): void {
    const { id, sid, action, tickers } = command
    const subscription = this.subscriptions.get(sid)
    const error = (code: ErrorCode) => this.subscriptions.fail({ kind: 'error', id, code, sid })
    if (subscription === undefined) return error(7)
    if (!this.allKnown(tickers)) return error(11)
    const isBook = subscription.channel === 'orderbook_delta'
    if (action === 'get_snapshot') {
      if (!isBook) return error(13)
      if (!tickers.every((ticker) => subscription.tickers?.has(ticker))) return error(11)
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
    const msg = { market_tickers: [...followed] }
    this.subscriptions.answer(id, { type: 'ok', msg }, subscription)
    if (action === 'add_markets' && isBook) this.sendSnapshots(subscription, fresh)
  }

  private unsubscribe({ id, sids }: Extract<Command, { kind: 'unsubscribe' }>): void {
    for (const sid of sids) {
      const subscription = this.subscriptions.get(sid)
      if (subscription === undefined) {
        this.subscriptions.fail({ kind: 'error', id, code: 7, sid })
        continue
      }
      this.subscriptions.delete(sid)
      this.subscriptions.answer(id, { type: 'unsubscribed' }, subscription)
    }
  }

  private sendSnapshots(subscription: Subscription, tickers: readonly string[], id?: number): void {
    if (this.options.tape !== undefined) return
    for (const market of this.marketsOf(tickers)) {
      const book = this.options.exchange.bookOf(market).display
      const message = snapshotMessage(market, book, subscription.useYesPrice)
      this.subscriptions.emit(subscription, 'orderbook_snapshot', message, id)
    }
  }

  private sendTicker(subscription: Subscription, market: KalshiMarket, wallMs: number): void {
    const { exchange, lastTrade } = this.options
    const message = tickerMessage(market, exchange.bookOf(market).display, lastTrade(market.id), wallMs)
    this.subscriptions.emit(subscription, 'ticker', message)
  }

  private marketsOf(tickers: readonly string[]): KalshiMarket[] {
    return tickers.flatMap((ticker) => this.options.exchange.kalshiMarket(ticker) ?? [])
  }

  private allKnown(tickers: readonly string[]): boolean {
    return this.options.tape !== undefined || this.marketsOf(tickers).length === tickers.length
  }
}
