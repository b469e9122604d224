/**
 * The three-way result of a soccer game: three binary conditions under one event, each with outcomes Yes and No.
 *
 *     event   epl-eve-cry-2026-08-22         home first
 *     market  epl-eve-cry-2026-08-22-eve     "Will Everton FC win on 2026-08-22?"
 *             epl-eve-cry-2026-08-22-draw    "Will Everton FC vs. Crystal Palace FC end in a draw?"
 *             epl-eve-cry-2026-08-22-cry     "Will Crystal Palace FC win on 2026-08-22?"
 *
 * Shape as several public readers of Gamma describe it (2025 and 2026): `sportsMarketType` is `moneyline` on all three,
 * `groupItemTitle` the team's name, or "Draw (…)". Slug and question must mean the same team, and only that one: a slug's
 * suffix alone has been seen beside another team's question.
 */

import { Skip, isObject, stringPair, type Json } from './gamma-fields.js'
import { isNamed, type GammaTeam } from './gamma-teams.js'

/** What the slug calls the draw. */
const DRAW_SUFFIX = 'draw'
const WIN = /^Will (.{1,80}) win on \d{4}-\d{2}-\d{2}\?$/
const ENDS_DRAWN = /^Will .{1,170} end in a draw\?$/

export interface ThreeWayMarket {
  readonly market: Json
  /** A slug code, or `draw`. */
  readonly selection: string
}

/** The three markets of an event, home, draw, away. Throws `Skip` when they are not whole or not proven. */
export function threeWayMarkets(
  event: Json,
  slug: string,
  codes: readonly [string, string],
  teams: readonly [GammaTeam | undefined, GammaTeam | undefined],
): ThreeWayMarket[] {
  const listed = (Array.isArray(event.markets) ? event.markets.filter(isObject) : []).filter(
    (market) => market.sportsMarketType === 'moneyline',
  )
  const [home, away] = codes
  return [home, DRAW_SUFFIX, away].map((selection) => {
    const own = listed.filter((market) => market.slug === `${slug}-${selection}`)
    const [market] = own
    if (market === undefined || own.length !== 1) {
      throw new Skip(`${own.length} three-way markets of ${selection}`)
    }
    const [yes, no] = stringPair(market, 'outcomes')
    if (yes !== 'Yes' || no !== 'No') throw new Skip(`outcomes of ${selection} are not Yes and No`)
    if (!isProven(market, selection, codes, teams)) {
      throw new Skip(`the question of ${selection} does not name what its slug does`)
    }
    return { market, selection }
  })
}

function isProven(
  { question }: Json,
  selection: string,
  codes: readonly [string, string],
  teams: readonly [GammaTeam | undefined, GammaTeam | undefined],
): boolean {
  if (typeof question !== 'string') return false
  if (selection === DRAW_SUFFIX) return ENDS_DRAWN.test(question)
  const name = WIN.exec(question)?.[1]
  if (name === undefined) return false
  const meant = codes.filter((code, index) => isNamed(name, teams[index], code))
  return meant.length === 1 && meant[0] === selection
}
