/**
 * What contracts of one game pay together, whatever the game comes to and however each venue settles it. Pure.
 *
 * The rows are the ways a game can end: a team wins in regulation or in overtime, a tie, a postponement, a
 * cancellation. A postponed game whose market stays open pays by the result of the game that is played at last. Where a
 * venue settles at a price of its own choice, it may choose any: as if any of the outcomes had come, the same one for
 * all of its markets, and another than the other venue's.
 */

import type { MarketKind } from './game.js'
import type { SettlementRules } from './settlement.js'
import type { Outcome, Venue } from './venue.js'

/** What `selection` says where YES pays on a tie. */
export const DRAW = 'draw'

/** One contract of a market that pays on a game. */
export interface SettledLeg {
  readonly venue: Venue
  readonly kind: MarketKind
  /** The code of the team that YES pays on, or `DRAW`. */
  readonly selection: string
  readonly outcome: Outcome
  /** Absent: nothing is known of it. */
  readonly settlement?: SettlementRules
}

export const SETTLEMENT_ROWS = ['regulation', 'overtime', 'tie', 'postponed', 'canceled'] as const
export type SettlementRow = (typeof SETTLEMENT_ROWS)[number]

export interface WorstPayout {
  /** Of one contract of each leg, micro-dollars: the least over everything that is known. */
  readonly micros: number
  /** Where it is that little; the first of them. */
  readonly row: SettlementRow
  /** Rows that some leg's venue says nothing about: what they pay is not in `micros`. */
  readonly unknown: readonly SettlementRow[]
}

const NOTHING_KNOWN: SettlementRules = {
  overtime: 'unknown',
  tie: 'unknown',
  postponed: 'unknown',
  canceled: 'unknown',
}
const DOLLAR_MICROS = 1_000_000

/** What YES pays in dollars: 1, 0 or a half; undefined where nobody says. */
type Pays = number | undefined

/** The game as it was played: who won, or `DRAW`, and whether it took overtime. */
interface Result {
  readonly winner: string
  readonly isOvertime: boolean
}

/** Of a game between `teams`, whose codes the selections are of. A leg that pays on neither counts for nothing. */
export function worstPayout(legs: readonly SettledLeg[], teams: readonly [string, string]): WorstPayout {
  const placed = legs.filter((leg) => isPlaced(leg, teams))
  const sums = (row: SettlementRow, pays: (leg: SettledLeg) => Pays): Sum => ({ row, ...sumOf(placed, pays) })
  const played = playedResults(placed, teams)
  const all: Sum[] = []
  for (const result of played) all.push(sums(rowOf(result), (leg) => paysOnResult(leg, result)))
  for (const chosen of choices(placed, teams)) {
    for (const result of played) {
      all.push(
        sums('postponed', (leg) => {
          const { postponed } = rulesOf(leg)
          return postponed === 'stays' ? paysOnResult(leg, result) : paysOnRule(leg, postponed, chosen)
        }),
      )
    }
    all.push(sums('canceled', (leg) => paysOnRule(leg, rulesOf(leg).canceled, chosen)))
  }
  const unknown = new Set(all.filter(({ isKnown }) => !isKnown).map(({ row }) => row))
  let worst: Sum | undefined
  for (const sum of all) {
    if (sum.isKnown && (worst === undefined || sum.micros < worst.micros)) worst = sum
  }
  return {
    micros: worst?.micros ?? 0,
    row: worst?.row ?? 'regulation',
    unknown: SETTLEMENT_ROWS.filter((row) => unknown.has(row)),
  }
}

interface Sum {
  readonly row: SettlementRow
  readonly micros: number
  readonly isKnown: boolean
}

function sumOf(
  legs: readonly SettledLeg[],
  pays: (leg: SettledLeg) => Pays,
): { readonly micros: number; readonly isKnown: boolean } {
  let micros = 0
  let isKnown = true
  for (const leg of legs) {
    const yes = pays(leg)
    if (yes === undefined) isKnown = false
    else micros += (leg.outcome === 'yes' ? yes : 1 - yes) * DOLLAR_MICROS
  }
  return { micros, isKnown }
}

const rulesOf = ({ settlement = NOTHING_KNOWN }: SettledLeg): SettlementRules => settlement

const isPlaced = ({ kind, selection }: SettledLeg, teams: readonly [string, string]): boolean =>
  teams.includes(selection) || (kind === 'three_way' && selection === DRAW)

/** A tie is left out where all venues say that there is none. */
function playedResults(legs: readonly SettledLeg[], teams: readonly [string, string]): Result[] {
  const tie = legs.every((leg) => rulesOf(leg).tie === 'impossible')
    ? []
    : [{ winner: DRAW, isOvertime: false }]
  return [
    ...teams.map((winner) => ({ winner, isOvertime: false })),
    ...teams.map((winner) => ({ winner, isOvertime: true })),
    ...tie,
  ]
}

const rowOf = ({ winner, isOvertime }: Result): SettlementRow =>
  winner === DRAW ? 'tie' : isOvertime ? 'overtime' : 'regulation'

function paysOnResult(leg: SettledLeg, { winner, isOvertime }: Result): Pays {
  const { overtime } = rulesOf(leg)
  if (isOvertime && overtime === 'unknown') return undefined
  // Even when regulation ended, which is all that counts.
  if (isOvertime && overtime === 'excluded') return paysOnTie(leg)
  return winner === DRAW ? paysOnTie(leg) : Number(leg.selection === winner)
}

function paysOnTie(leg: SettledLeg): Pays {
  const { kind, selection } = leg
  const { tie } = rulesOf(leg)
  if (tie === 'no') return Number(kind === 'three_way' && selection === DRAW)
  return tie === 'half' && kind === 'moneyline' ? 0.5 : undefined
}

/** A settlement without a result; `chosen` is what each venue that may choose pays as if it had come. */
function paysOnRule(
  { venue, selection }: SettledLeg,
  rule: 'half' | 'fair' | 'unknown',
  chosen: Readonly<Record<Venue, string>>,
): Pays {
  if (rule === 'half') return 0.5
  return rule === 'fair' ? Number(selection === chosen[venue]) : undefined
}

/** Every way in which the venues may choose, each on its own. */
function choices(
  legs: readonly SettledLeg[],
  teams: readonly [string, string],
): Readonly<Record<Venue, string>>[] {
  const outcomes = legs.some(({ kind }) => kind === 'three_way') ? [...teams, DRAW] : teams
  return outcomes.flatMap((kalshi) => outcomes.map((poly) => ({ kalshi, poly })))
}
