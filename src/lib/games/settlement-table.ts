/**
 * How each venue settles a game's winner, per league and kind of market: reviewed by hand from what the venue itself
 * writes. A cell is known only where the rules of that league's own markets say it; everything else is `unknown`, which
 * blocks live trading until somebody has read the rules and said so in the pairing file.
 *
 * Sources, each a text of the venue's own:
 * - K-NFL, KXNFLGAME `rules_secondary`, September 2026: "refers to the team who wins … If the game ends in a tie, the
 *   market will resolve to $0.50 for each team. If the game is postponed but begins within 48 hours …, the market will
 *   remain open and resolve based on the official final result. If the game is not started within 48 hours, the market
 *   will resolve to a fair price." So both a long postponement and a canceled game are paid at the venue's price.
 * - K-CBB, KXNCAAMBGAME `rules_secondary`, February 2026: "refers to the team who wins … If this game is postponed or
 *   delayed, the market will remain open and close after the rescheduled game has finished (within two weeks). If the
 *   cancelled game is not played or is rescheduled further than two weeks out, the market will resolve to a fair price
 *   for each team".
 * - K-MLB, KXMLBGAME `rules_secondary`, June to August 2026 (KXMLBGAME-26JUN131910HOUKC-KC): "If this game is postponed
 *   or delayed, the market will remain open and close after the rescheduled game has finished (within two days). If the
 *   game is cancelled or rescheduled to over two days away, the market will resolve to a fair price in accordance with
 *   the rules."
 * - K-WIN, `rules_primary` of KXNBAGAME (June 2026), KXMLBGAME, KXNHLGAME and KXNCAAFGAME (September 2026): "If San
 *   Antonio wins the … game originally scheduled for …, then the market resolves to Yes": the game's winner, so
 *   overtime counts. What the others say of postponed and canceled games was not seen (KXNBAGAME's `rules_secondary` is empty).
 * - K-SOC, soccer `GAME` series, 2026: "based on the outcome after 90 minutes plus stoppage time. This does not include
 *   extra time or penalties", with a market of its own for the tie.
 * - P-NBA, Gamma `description` of nba-sas-nyk-2026-06-08: "If the game is postponed, this market will remain open until
 *   the game has been completed. If the game is canceled entirely, with no make-up game, this market will resolve 50-50.
 *   The result will be determined based on the final score including any overtime periods." P-NHL (March 2026) says the
 *   same, "including any overtime periods and shootouts".
 * - P-NFL, nfl-ind-was-2026-10-04 and others: "If the game is postponed, this market will remain open until the game has
 *   been completed. If the game is canceled entirely or ends in a tie, with no make-up game, this market will resolve
 *   50-50."; nothing of overtime.
 * - P-MLB, mlb events of June and August 2025, and P-CBB, cbb-psu-ucla-2025-02-08: postponed "will remain open",
 *   canceled "50-50"; nothing of extra innings or overtime.
 * - P-SOC, moneylines of July 2026: "This market refers only to the outcome within the first 90 minutes of regular play
 *   plus stoppage time", "If the game is postponed, this market will remain open until the game has been completed"; a
 *   canceled game pays the draw and no team, for which there is no word here: unknown.
 *
 * A tie is impossible where the league plays until somebody has won: NBA and WNBA overtimes, college basketball and
 * football overtimes, NHL overtime and shootout in every game, MLB extra innings. (A called MLB game of spring training
 * may end in a tie; its series, KXMLBSTGAME, is not read.) The NFL plays one overtime in the regular season.
 */

import type { League, MarketKind } from '../model/game.js'
import type { SettlementRules } from '../model/settlement.js'
import type { Venue } from '../model/venue.js'
import type { SettlementOverride } from './pairing-rules.js'

const UNKNOWN: SettlementRules = {
  overtime: 'unknown',
  tie: 'unknown',
  postponed: 'unknown',
  canceled: 'unknown',
}

/** Played until somebody has won; nothing else is stated. */
const UNTIL_WON: SettlementRules = { ...UNKNOWN, tie: 'impossible' }
/** K-WIN. */
const KALSHI_WINNER: SettlementRules = { ...UNTIL_WON, overtime: 'included' }
/** K-CBB, K-MLB and the like: a longer wait or none is paid at the venue's price. */
const KALSHI_FAIR: SettlementRules = {
  overtime: 'included',
  tie: 'impossible',
  postponed: 'fair',
  canceled: 'fair',
}
/** K-SOC. */
const KALSHI_SOCCER: SettlementRules = { ...UNKNOWN, overtime: 'excluded', tie: 'no' }
/** P-NBA, P-NHL. */
const POLY_FULL: SettlementRules = {
  overtime: 'included',
  tie: 'impossible',
  postponed: 'stays',
  canceled: 'half',
}
/** P-MLB, P-CBB: as above, but the description is silent on overtime. */
const POLY_SILENT: SettlementRules = { ...POLY_FULL, overtime: 'unknown' }
/** P-SOC. */
const POLY_SOCCER: SettlementRules = {
  overtime: 'excluded',
  tie: 'no',
  postponed: 'stays',
  canceled: 'unknown',
}

type Row = Readonly<Record<Venue, SettlementRules>>

/** Two-way markets, and three-way ones of soccer; any other kind in a league is unknown. */
const TABLE: Readonly<Record<League, { readonly kind: MarketKind } & Row>> = {
  nba: { kind: 'moneyline', kalshi: KALSHI_WINNER, poly: POLY_FULL },
  wnba: { kind: 'moneyline', kalshi: UNTIL_WON, poly: UNTIL_WON },
  nfl: {
    kind: 'moneyline',
    kalshi: { ...KALSHI_FAIR, tie: 'half' },
    poly: { ...POLY_SILENT, tie: 'half' },
  },
  nhl: { kind: 'moneyline', kalshi: KALSHI_WINNER, poly: POLY_FULL },
  mlb: { kind: 'moneyline', kalshi: KALSHI_FAIR, poly: POLY_SILENT },
  cfb: { kind: 'moneyline', kalshi: KALSHI_WINNER, poly: UNTIL_WON },
  cbb: { kind: 'moneyline', kalshi: KALSHI_FAIR, poly: POLY_SILENT },
  epl: { kind: 'three_way', kalshi: KALSHI_SOCCER, poly: POLY_SOCCER },
  mls: { kind: 'three_way', kalshi: KALSHI_SOCCER, poly: POLY_SOCCER },
}

/** The simulator's venues, read in its own code: each pays by the one result, and no game of theirs fails to have one. */
const SIMULATED: SettlementRules = {
  overtime: 'included',
  tie: 'impossible',
  postponed: 'stays',
  canceled: 'half',
}

/** Asked per league, venue and kind. The operator's reviewed cells stand above the table's. */
export class SettlementTable {
  private readonly reviewed: ReadonlyMap<string, SettlementOverride['cells']>

  constructor(
    private readonly isSimulated: boolean,
    overrides: readonly SettlementOverride[],
  ) {
    this.reviewed = new Map(overrides.map((each) => [keyOf(each), each.cells]))
  }

  rules(market: {
    readonly league: League
    readonly venue: Venue
    readonly kind: MarketKind
  }): SettlementRules {
    return { ...this.stated(market), ...this.reviewed.get(keyOf(market)) }
  }

  private stated(market: Parameters<SettlementTable['rules']>[0]): SettlementRules {
    if (this.isSimulated) return SIMULATED
    const row = TABLE[market.league]
    return row.kind === market.kind ? row[market.venue] : UNKNOWN
  }
}

const keyOf = (of: { readonly league: League; readonly venue: Venue; readonly kind: MarketKind }): string =>
  `${of.league} ${of.venue} ${of.kind}`
