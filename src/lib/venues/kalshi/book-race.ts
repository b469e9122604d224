/**
 * One book a market out of one connection or two. Pure.
 *
 * The rule: what is shown of a market is the whole book of one connection, its leader. Another's takes its place only
 * when it is certainly not older than what was last believed: ahead of it while the leader is believed, level with it
 * when the leader is lost. When that cannot be known the market is BROKEN until a snapshot, asked for after the last
 * message that was shown, settles it. So readers never see a market go back, and one connection that dies while the
 * other is level is not seen at all.
 */

import type { OrderBook } from '../../model/order-book.js'
import { isAhead, isLevel, type BookPlace, type ShownPlace } from './book-place.js'
import type { BookState } from './session-effects.js'

/** What a connection says of a market. */
export interface Standing {
  readonly book: OrderBook
  readonly state: BookState
  readonly place: BookPlace
}

interface RacedMarket<Link> {
  readonly standings: Map<Link, Standing>
  /** Whose book is shown; undefined before the first one, and when it is lost and nobody is level. */
  leader: Link | undefined
  /** The last that was shown and believed. */
  shown: ShownPlace | undefined
}

/** What to show now: the leader's standing, or that nobody is believed. */
export type RaceResult<Link> =
  { readonly kind: 'same' } | { readonly kind: 'shown'; readonly link: Link } | { readonly kind: 'lost' }

const SAME = { kind: 'same' } as const
const LOST = { kind: 'lost' } as const

const isBelieved = (standing: Standing | undefined): standing is Standing =>
  standing !== undefined && standing.state !== 'BROKEN'

export class BookRace<Link> {
  private readonly markets = new Map<string, RacedMarket<Link>>()

  /** Whose book of the market is shown. */
  leaderOf(ticker: string): Link | undefined {
    return this.markets.get(ticker)?.leader
  }

  /** What a connection last said of a market. */
  standingOf(ticker: string, link: Link): Standing | undefined {
    return this.markets.get(ticker)?.standings.get(link)
  }

  forget(ticker: string): void {
    this.markets.delete(ticker)
  }

  /** A connection's book changed. */
  update(ticker: string, link: Link, standing: Standing, recvUs: number): RaceResult<Link> {
    const market = this.marketOf(ticker)
    market.standings.set(link, standing)
    if (!isBelieved(standing)) return market.leader === link ? this.succeed(market, link, recvUs) : SAME
    const { leader, shown } = market
    const leads =
      shown === undefined ||
      leader === link ||
      (isBelieved(leader === undefined ? undefined : market.standings.get(leader))
        ? isAhead(standing.place, shown)
        : isLevel(standing.place, shown))
    return leads ? this.lead(market, link, recvUs) : SAME
  }

  /** The connection is gone, and what it said with it. One entry a market that changes by that. */
  drop(link: Link, nowUs: number): Map<string, RaceResult<Link>> {
    const results = new Map<string, RaceResult<Link>>()
    for (const [ticker, market] of this.markets) {
      market.standings.delete(link)
      if (market.leader !== link) continue
      market.leader = undefined
      results.set(ticker, this.succeed(market, link, nowUs))
    }
    return results
  }

  /** The connection is doubted: its markets go to others that are level. Those of nobody else stay with it. */
  handOver(doubted: Link, nowUs: number): Map<string, RaceResult<Link>> {
    const results = new Map<string, RaceResult<Link>>()
    for (const [ticker, market] of this.markets) {
      const next = market.leader === doubted ? this.successorOf(market, doubted) : undefined
      if (next !== undefined) results.set(ticker, this.lead(market, next, nowUs))
    }
    return results
  }

  /** Markets that the connection could not take over: a snapshot that is asked for now lets it. */
  notLevel(link: Link, shownBeforeUs: number): string[] {
    return [...this.markets].flatMap(([ticker, { standings, leader, shown }]) => {
      const standing = standings.get(link)
      if (leader === link || !isBelieved(standing) || shown === undefined) return []
      return shown.recvUs < shownBeforeUs && !isLevel(standing.place, shown) ? [ticker] : []
    })
  }

  private marketOf(ticker: string): RacedMarket<Link> {
    let market = this.markets.get(ticker)
    if (market === undefined) {
      market = { standings: new Map(), leader: undefined, shown: undefined }
      this.markets.set(ticker, market)
    }
    return market
  }

  private lead(market: RacedMarket<Link>, link: Link, nowUs: number): RaceResult<Link> {
    const standing = market.standings.get(link)
    if (standing === undefined) return SAME
    market.leader = link
    // A book that is handed over was read before this moment.
    market.shown = { place: standing.place, recvUs: nowUs }
    return { kind: 'shown', link }
  }

  private succeed(market: RacedMarket<Link>, lost: Link, nowUs: number): RaceResult<Link> {
    const next = this.successorOf(market, lost)
    return next === undefined ? LOST : this.lead(market, next, nowUs)
  }

  private successorOf({ standings, shown }: RacedMarket<Link>, lost: Link): Link | undefined {
    for (const [link, standing] of standings) {
      if (link === lost || !isBelieved(standing)) continue
      if (shown === undefined || isLevel(standing.place, shown)) return link
    }
    return undefined
  }
}
