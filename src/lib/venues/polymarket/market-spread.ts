/**
 * Which connection follows which market, and whose word on it is published. A market moves without a gap: the new
 * connection's first proved book takes the old one's place.
 */

import type { CatalogMarket } from '../../model/game.js'
import type { QuoteState } from '../../model/quote.js'
import { connectionsFor, emptiest, imbalance } from './connection-plan.js'

/** What is needed of a connection here. */
export interface SpreadConnection {
  /** Tokens that it follows. */
  readonly assets: number
  follow(market: CatalogMarket): void
  unfollow(marketId: string): void
  close(): Promise<void>
}

interface Placed<C> {
  market: CatalogMarket
  connection: C
  /** Where it moves to. */
  next: C | undefined
  shown: { readonly state: QuoteState; readonly venueMs: number | undefined } | undefined
}

const TOKENS = 2

export class MarketSpread<C extends SpreadConnection> {
  readonly connections: C[] = []
  private readonly placed = new Map<string, Placed<C>>()

  constructor(
    private readonly limit: number,
    private readonly open: () => C,
    /** An empty connection that nobody needs has been told to close. */
    private readonly onClose: (connection: C, closed: Promise<void>) => void,
  ) {}

  get size(): number {
    return this.placed.size
  }

  /** Follows these markets and no others; each has token ids. */
  follow(wanted: ReadonlyMap<string, CatalogMarket>): void {
    for (const [marketId, placed] of this.placed) {
      const market = wanted.get(marketId)
      if (market === undefined || !sameTokens(market, placed.market)) this.drop(marketId, placed)
      else this.describe(market, placed)
    }
    const needed = connectionsFor(wanted.size * TOKENS, this.connections.length, this.limit)
    while (this.connections.length < needed) this.connections.push(this.open())
    const staying = this.loads()
      .sort((a, b) => b.assets - a.assets)
      .slice(0, needed)
      .map(({ connection }) => connection)
    for (const market of wanted.values()) if (!this.placed.has(market.marketId)) this.place(market, staying)
    for (const placed of this.placed.values())
      if (!staying.includes(goalOf(placed))) this.move(placed, staying)
    this.balance(staying)
    this.closeEmpty(staying)
  }

  /** Whether this connection's word on a market is the one to publish. */
  shows(connection: C, marketId: string, state: QuoteState, venueMs: number | undefined): boolean {
    const placed = this.placed.get(marketId)
    if (placed === undefined) return false
    if (placed.next === connection && takesOver(placed, state, venueMs)) {
      const former = placed.connection
      placed.connection = connection
      placed.next = undefined
      former.unfollow(marketId)
      this.closeEmpty(this.connections.filter((each) => each !== former || this.isGoal(former)))
    }
    if (placed.connection !== connection) return false
    placed.shown = { state, venueMs: venueMs ?? placed.shown?.venueMs }
    return true
  }

  private describe(market: CatalogMarket, placed: Placed<C>): void {
    placed.market = market
    placed.connection.follow(market)
    placed.next?.follow(market)
  }

  private drop(marketId: string, placed: Placed<C>): void {
    placed.connection.unfollow(marketId)
    placed.next?.unfollow(marketId)
    this.placed.delete(marketId)
  }

  private place(market: CatalogMarket, among: readonly C[]): void {
    const connection = this.roomiest(among) ?? this.added()
    this.placed.set(market.marketId, { market, connection, next: undefined, shown: undefined })
    connection.follow(market)
  }

  private move(placed: Placed<C>, among: readonly C[]): void {
    const to = this.roomiest(among)
    if (to === undefined || to === placed.connection) return
    placed.next?.unfollow(placed.market.marketId)
    placed.next = to
    to.follow(placed.market)
  }

  private balance(among: readonly C[]): void {
    for (;;) {
      const loads = this.loads().filter(({ connection }) => among.includes(connection))
      const step = imbalance(loads, this.limit)
      const placed =
        step &&
        [...this.placed.values()].find(
          (each) => goalOf(each) === step.from.connection && each.next === undefined,
        )
      if (step === undefined || placed === undefined) return
      if (step.to.connection.assets + TOKENS > this.limit) return
      this.move(placed, [step.to.connection])
    }
  }

  private closeEmpty(needed: readonly C[]): void {
    for (const connection of this.connections.filter((each) => !needed.includes(each) && each.assets === 0)) {
      this.connections.splice(this.connections.indexOf(connection), 1)
      this.onClose(connection, connection.close())
    }
  }

  private added(): C {
    const connection = this.open()
    this.connections.push(connection)
    return connection
  }

  /** The emptiest that has room for a market, with what still moves away. */
  private roomiest(among: readonly C[]): C | undefined {
    const loads = this.loads().filter(
      ({ connection }) => among.includes(connection) && connection.assets + TOKENS <= this.limit,
    )
    return emptiest(loads)?.connection
  }

  private isGoal(connection: C): boolean {
    return [...this.placed.values()].some((placed) => goalOf(placed) === connection)
  }

  /** Tokens of each connection once every market is where it goes. */
  private loads(): { readonly connection: C; readonly assets: number }[] {
    const assets = new Map(this.connections.map((connection) => [connection, 0]))
    for (const placed of this.placed.values()) {
      const goal = goalOf(placed)
      assets.set(goal, (assets.get(goal) ?? 0) + TOKENS)
    }
    return [...assets].map(([connection, count]) => ({ connection, assets: count }))
  }
}

const goalOf = <C>({ next, connection }: Placed<C>): C => next ?? connection

/** A proved book, and not an older one than is shown and believed. */
function takesOver(
  { shown }: Pick<Placed<unknown>, 'shown'>,
  state: QuoteState,
  venueMs: number | undefined,
): boolean {
  if (state !== 'LIVE' && state !== 'EMPTY') return false
  if (shown === undefined || (shown.state !== 'LIVE' && shown.state !== 'EMPTY')) return true
  return (venueMs ?? Infinity) >= (shown.venueMs ?? 0)
}

const sameTokens = (a: CatalogMarket, b: CatalogMarket): boolean =>
  a.tokenIds?.[0] === b.tokenIds?.[0] && a.tokenIds?.[1] === b.tokenIds?.[1]
