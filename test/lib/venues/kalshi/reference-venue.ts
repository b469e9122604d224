/**
 * A Kalshi that keeps perfect books and tells them over one connection with every rule of the sequence. Written
 * from the venue's documentation, without the code under test. It remembers, for each message, what every book was
 * when the message left: that is what a client that has read so far must show.
 */

export type Side = 'yes' | 'no'
/** `yes 4700` -> 300 */
export type VenueBook = ReadonlyMap<string, number>

export interface SentFrame {
  readonly text: string
  readonly sid: number | undefined
  readonly seq: number | undefined
  readonly type: string
  readonly id: number | undefined
  /** Every book as of this message. */
  readonly books: ReadonlyMap<string, VenueBook>
  /** How many changes each book had had by then. */
  readonly versions: ReadonlyMap<string, number>
}

interface Subscription {
  readonly sid: number
  readonly tickers: Set<string>
  /** NO levels are told as prices of YES. */
  readonly useYesPrice: boolean
  seq: number
}

interface Command {
  readonly id: number
  readonly cmd: string
  readonly params: {
    readonly sids?: readonly number[]
    readonly channels?: readonly string[]
    readonly market_tickers?: readonly string[]
    readonly action?: string
    readonly use_yes_price?: boolean
  }
}

export class ReferenceVenue {
  private readonly books = new Map<string, Map<string, number>>()
  /** Of books that have not changed since; never written again. */
  private readonly copies = new Map<string, VenueBook>()
  private readonly versions = new Map<string, number>()
  private readonly subscriptions = new Map<number, Subscription>()
  private nextSid = 1
  private sent: SentFrame[] = []
  /** So many of the next commands are refused for coming too fast. */
  tooFast = 0
  /** So many of the next additions are refused for the number of markets; the others of the connection stand. */
  refusedAdditions = 0
  /** As announced: `use_yes_price` is passed over, and NO levels are always told as prices of YES. */
  knowsPriceFlag = true

  constructor(tickers: readonly string[]) {
    for (const ticker of tickers) this.books.set(ticker, new Map())
  }

  /** What left since the last call. */
  takeSent(): SentFrame[] {
    const { sent } = this
    this.sent = []
    return sent
  }

  now(): Map<string, VenueBook> {
    for (const [ticker, book] of this.books)
      if (!this.copies.has(ticker)) this.copies.set(ticker, new Map(book))
    return new Map(this.copies)
  }

  disconnect(): void {
    this.subscriptions.clear()
    this.sent = []
    this.nextSid = 1
  }

  /** Sets the resting size at a price and tells every subscription that follows the market. */
  rest(ticker: string, side: Side, priceE4: number, sizeE2: number, venueMs = 1): void {
    const book = this.books.get(ticker)!
    const key = `${side} ${priceE4}`
    const change = sizeE2 - (book.get(key) ?? 0)
    if (change === 0) return
    this.copies.delete(ticker)
    this.versions.set(ticker, (this.versions.get(ticker) ?? 0) + 1)
    if (sizeE2 === 0) book.delete(key)
    else book.set(key, sizeE2)
    for (const subscription of this.subscriptions.values()) {
      if (!subscription.tickers.has(ticker)) continue
      const msg = {
        market_ticker: ticker,
        price_dollars: told(side, priceE4, subscription),
        delta_fp: contracts(change),
        side,
        ts_ms: venueMs,
      }
      this.send({ type: 'orderbook_delta', msg }, subscription)
    }
  }

  /** A subscription dies: error 10 or 25, or the venue's own `unsubscribed`. */
  kill(how: 'error' | 'unsubscribed'): void {
    for (const subscription of this.subscriptions.values()) {
      if (how === 'unsubscribed') this.send({ type: 'unsubscribed' }, subscription)
      else this.send({ type: 'error', msg: { code: 25, msg: 'Subscription buffer overflow' } }, subscription)
      this.subscriptions.delete(subscription.sid)
      return
    }
  }

  serve(command: Command): void {
    const { id, cmd, params } = command
    const tickers = params.market_tickers ?? []
    if (this.tooFast > 0) {
      this.tooFast--
      this.send({ type: 'error', id, msg: { code: 27, msg: 'Command rate limit exceeded' } })
      return
    }
    if (cmd === 'subscribe') {
      const useYesPrice = !this.knowsPriceFlag || (params.use_yes_price ?? false)
      const subscription = { sid: this.nextSid++, tickers: new Set(tickers), useYesPrice, seq: 0 }
      this.subscriptions.set(subscription.sid, subscription)
      this.send({ type: 'subscribed', id, msg: { channel: 'orderbook_delta', sid: subscription.sid } })
      this.sendSnapshots(subscription, tickers)
      return
    }
    const subscription = this.subscriptions.get(params.sids?.[0] ?? -1)
    if (subscription === undefined) {
      this.send({ type: 'error', id, msg: { code: 7, msg: 'Unknown subscription ID' } })
    } else if (cmd === 'unsubscribe') {
      this.send({ type: 'unsubscribed', id }, subscription)
      this.subscriptions.delete(subscription.sid)
    } else if (params.action === 'add_markets' && this.refusedAdditions > 0) {
      this.refusedAdditions--
      this.send({ type: 'error', id, msg: { code: 26, msg: 'Market limit exceeded' } }, subscription)
    } else if (params.action === 'get_snapshot') {
      // Also of a market that the subscription does not stream: no rule of the documentation forbids it.
      this.sendSnapshots(subscription, tickers, id)
    } else {
      const fresh = tickers.filter((ticker) => !subscription.tickers.has(ticker))
      for (const ticker of tickers) {
        if (params.action === 'add_markets') subscription.tickers.add(ticker)
        else subscription.tickers.delete(ticker)
      }
      this.send({ type: 'ok', id, msg: { market_tickers: [...subscription.tickers] } }, subscription)
      if (params.action === 'add_markets') this.sendSnapshots(subscription, fresh)
    }
  }

  private sendSnapshots(subscription: Subscription, tickers: readonly string[], id?: number): void {
    for (const ticker of tickers) {
      const levels = (side: Side) =>
        [...this.books.get(ticker)!]
          .filter(([key]) => key.startsWith(side))
          .map(([key, size]) => [told(side, Number(key.split(' ')[1]), subscription), contracts(size)])
          .sort()
      const [yes, no] = [levels('yes'), levels('no')]
      const sides = {
        ...(yes.length === 0 ? {} : { yes_dollars_fp: yes }),
        ...(no.length === 0 ? {} : { no_dollars_fp: no }),
      }
      const withId: { id?: number } = id === undefined ? {} : { id }
      this.send(
        { type: 'orderbook_snapshot', ...withId, msg: { market_ticker: ticker, ...sides } },
        subscription,
      )
    }
  }

  private send(
    message: { readonly type: string; readonly id?: number; readonly msg?: object },
    subscription?: Subscription,
  ): void {
    const at = subscription === undefined ? {} : { sid: subscription.sid, seq: ++subscription.seq }
    const text = JSON.stringify({ ...message, ...at })
    const { type, id } = message
    const books = this.now()
    const versions = new Map(this.versions)
    this.sent.push({ text, sid: subscription?.sid, seq: subscription?.seq, type, id, books, versions })
  }
}

const told = (side: Side, priceE4: number, { useYesPrice }: Subscription): string =>
  dollars(side === 'no' && useYesPrice ? 10_000 - priceE4 : priceE4)
const dollars = (priceE4: number): string => (priceE4 / 10_000).toFixed(4)
const contracts = (sizeE2: number): string => (sizeE2 / 100).toFixed(2)
