/**
 * What the orchestrator knows: every league's games, every market ever listed for them, and the states that follow.
 *
 * A market stays known after its venue stops listing it (a game that ends is delisted while positions in it are still
 * to be marked and settled); it leaves with its game's day, a pinned one with its pin. Pure: time is an argument.
 */

import type { CatalogMarket, Game, GameState, League } from '../model/game.js'
import type { Venue } from '../model/venue.js'
import { dayBefore, easternDate } from './eastern-date.js'
import type { PairedEvents } from './market-game.js'
import { pairGames } from './pairing.js'
import type { PriceVerdicts, UnpairedMarket } from './pairing.js'
import { NO_RULES, PairingLaw } from './pairing-rules.js'
import type { PairingRules, Unmatched } from './pairing-rules.js'
import { SettlementTable } from './settlement-table.js'
import type { ShardAssignments } from './shard-assignments.js'
import type { TeamCodeBook } from './team-codes.js'

export interface BoardChanges {
  /** Games never seen before. */
  readonly discovered: readonly GameState[]
  /** Known games of which anything but the time of the fetch is new. */
  readonly updated: readonly GameState[]
  /** Markets that this update left unpaired, for a reason that is new for them. */
  readonly newlyUnpaired: readonly UnpairedMarket[]
}

const keyOf = ({ league, gameId }: { readonly league: League; readonly gameId: string }): string =>
  `${league} ${gameId}`

export class GameBoard {
  private readonly games = new Map<League, readonly Game[]>()
  private readonly markets = new Map<string, CatalogMarket>()
  private current = new Map<string, { readonly state: GameState; readonly fingerprint: string }>()
  private unpairedMarkets: readonly UnpairedMarket[] = []
  private unpairedKeys = new Set<string>()
  private verdicts: PriceVerdicts = new Map()
  private paired: PairedEvents = new Set()
  private law = new PairingLaw(NO_RULES)
  private settlement: SettlementTable

  constructor(
    private readonly codes: TeamCodeBook,
    private readonly assignments: ShardAssignments,
    /** Whether the venues are simulated: they settle by rules of their own. */
    private readonly isSimulated = false,
  ) {
    this.settlement = new SettlementTable(isSimulated, NO_RULES.settlement)
  }

  /** What the operator lays down from now on; the next update obeys. */
  setRules(rules: PairingRules): void {
    this.law = new PairingLaw(rules)
    this.settlement = new SettlementTable(this.isSimulated, rules.settlement)
  }

  /** The league's games as its scoreboard has them now. */
  setGames(league: League, games: readonly Game[]): void {
    this.games.set(league, games)
  }

  /** What a venue lists for a league now; a market listed before and not any more stays known. */
  addMarkets(markets: readonly CatalogMarket[]): void {
    for (const market of markets) this.markets.set(marketKey(market), market)
  }

  /** Pairs anew and says what changed. */
  update(nowMs: number): BoardChanges {
    const today = easternDate(nowMs)
    const oldest = dayBefore(today)
    for (const [key, market] of this.markets) {
      // A postponed game keeps the date in its ticker: who pins it knows.
      if (market.easternDate < oldest && this.law.pinOf(market) === undefined) this.markets.delete(key)
    }
    const pairing = pairGames([...this.games.values()].flat(), [...this.markets.values()], {
      codes: this.codes,
      law: this.law,
      settlement: (market) => this.settlement.rules(market),
      verdicts: this.verdicts,
      paired: this.paired,
      today,
    })
    this.verdicts = pairing.verdicts
    this.paired = pairing.paired
    const previous = this.current
    this.current = new Map()
    const discovered: GameState[] = []
    const updated: GameState[] = []
    const paired = pairing.games.map(({ game, markets }) => ({ ...game, markets }))
    for (const state of this.assignments.assign(paired, nowMs)) {
      const fingerprint = JSON.stringify({ ...state, fetchedMs: 0 })
      const known = previous.get(keyOf(state))
      this.current.set(keyOf(state), { state, fingerprint })
      if (known === undefined) discovered.push(state)
      else if (known.fingerprint !== fingerprint) updated.push(state)
    }
    return { discovered, updated, newlyUnpaired: this.setUnpaired(pairing.unpaired) }
  }

  /** Every game's state, by league and id. */
  states(): GameState[] {
    return [...this.current.values()].map(({ state }) => state)
  }

  unpaired(): readonly UnpairedMarket[] {
    return this.unpairedMarkets
  }

  /** What of the operator's rules is about nothing that is known here. */
  unmatched(): Unmatched {
    return this.law.unmatched(this.markets.values(), [...this.games.values()].flat())
  }

  /** The paired markets and the game of each. */
  marketGames(): { readonly venue: Venue; readonly marketId: string; readonly gameId: string }[] {
    return this.states().flatMap(({ gameId, markets }) =>
      markets.map(({ venue, marketId }) => ({ venue, marketId, gameId })),
    )
  }

  /** Polymarket's slug of each game that is paired with one of its events. */
  slugs(): { readonly league: League; readonly gameId: string; readonly slug: string }[] {
    return this.states().flatMap(({ league, gameId, markets }) => {
      const paired = markets.find(({ venue }) => venue === 'poly')
      const slug = paired && this.markets.get(marketKey(paired))?.eventId
      return slug === undefined ? [] : [{ league, gameId, slug }]
    })
  }

  private setUnpaired(unpaired: readonly UnpairedMarket[]): UnpairedMarket[] {
    const identify = ({ market, reason }: UnpairedMarket) => `${marketKey(market)} ${reason}`
    const fresh = unpaired.filter((entry) => !this.unpairedKeys.has(identify(entry)))
    this.unpairedKeys = new Set(unpaired.map(identify))
    this.unpairedMarkets = unpaired
    return fresh
  }
}

const marketKey = (market: Pick<CatalogMarket, 'venue' | 'marketId'>): string =>
  `${market.venue} ${market.marketId}`
