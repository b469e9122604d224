/** What the operator lays down about pairs: which game an event is of, what is never paired, how a market settles. */

import type { CatalogMarket, Game, League, MarketKind } from '../model/game.js'
import type { SettlementRules } from '../model/settlement.js'
import type { Venue } from '../model/venue.js'

/** A game by its league and the scoreboard's id. */
export interface GameName {
  readonly league: League
  readonly gameId: string
}

/** An event is of this game, whatever its date or number say; its teams and what YES pays on are proven all the same. */
export interface Pin extends GameName {
  /** Kalshi event ticker, or Polymarket slug. */
  readonly eventId: string
}

/** What is never paired. */
export type Ban =
  | { readonly kind: 'market'; readonly marketId: string }
  | { readonly kind: 'event'; readonly eventId: string }
  | ({ readonly kind: 'game' } & GameName)

/** Cells that somebody has reviewed; they replace the table's. */
export interface SettlementOverride {
  readonly league: League
  readonly venue: Venue
  readonly kind: MarketKind
  readonly cells: Partial<SettlementRules>
}

export interface PairingRules {
  readonly pins: readonly Pin[]
  readonly bans: readonly Ban[]
  readonly settlement: readonly SettlementOverride[]
}

/** What of the rules is about nothing: events of pins, bans as `market KX…`, `event …`, `game nba 401`. */
export interface Unmatched {
  readonly pins: readonly string[]
  readonly bans: readonly string[]
}

export const NO_RULES: PairingRules = { pins: [], bans: [], settlement: [] }

/** Rules made for asking often. */
export class PairingLaw {
  private readonly pins: ReadonlyMap<string, Pin>
  private readonly banned: ReadonlySet<string>

  constructor({ pins, bans }: Pick<PairingRules, 'pins' | 'bans'>) {
    this.pins = new Map(pins.map((pin) => [pin.eventId, pin]))
    this.banned = new Set(bans.map(banKey))
  }

  /** Bans win over pins. */
  isBanned({ marketId, eventId }: Pick<CatalogMarket, 'marketId' | 'eventId'>): boolean {
    return this.banned.has(`market ${marketId}`) || this.banned.has(`event ${eventId}`)
  }

  isBannedGame({ league, gameId }: Game): boolean {
    return this.banned.has(`game ${league} ${gameId}`)
  }

  /** Pins of an event that no venue lists, and bans of what is not there: past, to come, or misspelt. */
  unmatched(markets: Iterable<CatalogMarket>, games: readonly Game[]): Unmatched {
    const known = new Set(games.map(({ league, gameId }) => `game ${league} ${gameId}`))
    for (const { marketId, eventId } of markets) known.add(`market ${marketId}`).add(`event ${eventId}`)
    return {
      pins: [...this.pins.keys()].filter((eventId) => !known.has(`event ${eventId}`)),
      bans: [...this.banned].filter((ban) => !known.has(ban)),
    }
  }

  pinOf({ eventId }: Pick<CatalogMarket, 'eventId'>): Pin | undefined {
    return this.pins.get(eventId)
  }
}

function banKey(ban: Ban): string {
  switch (ban.kind) {
    case 'market':
      return `market ${ban.marketId}`
    case 'event':
      return `event ${ban.eventId}`
    case 'game':
      return `game ${ban.league} ${ban.gameId}`
  }
}
