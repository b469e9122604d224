/**
 * The operator's pairing file, `pairing.file` of the settings: pins, bans and reviewed settlement rules.
 *
 *     pins:
 *       - event: KXMLBGAME-26SEP051605AZWSHG2    # Kalshi's event ticker, or Polymarket's slug
 *         league: mlb
 *         game: 401701234                        # the scoreboard's id
 *         why: the first game was moved to the evening
 *     bans:                                      # a market, an event, or a game of a league
 *       - market: KXNBAGAME-25DEC01HOUUTA-HOU
 *         why: the venue reviews it
 *     settlement:
 *       - league: nfl
 *         venue: polymarket
 *         kind: moneyline                        # when not said; soccer: three_way
 *         tie: half                              # any of overtime, tie, postponed, canceled
 *         reviewed: 2026-11-20
 *         by: jr
 *
 * Every entry is checked strictly: one that is not understood must not be passed over.
 */

import { LineCounter, isMap, isScalar, isSeq, parse, parseDocument } from 'yaml'
import type { Node } from 'yaml'
import { ArbeesError, EXIT } from '../core/errors.js'
import { nearest } from '../core/nearest.js'
import { sanitize } from '../core/sanitize.js'
import { yamlFault } from '../core/yaml-fault.js'
import { LEAGUES, MARKET_KINDS, isThreeWay } from '../model/game.js'
import type { League } from '../model/game.js'
import { CANCELED_RULES, OVERTIME_RULES, POSTPONED_RULES, TIE_RULES } from '../model/settlement.js'
import type { SettlementRules } from '../model/settlement.js'
import type { Venue } from '../model/venue.js'
import type { Ban, PairingRules, Pin, SettlementOverride } from './pairing-rules.js'

const SECTIONS = ['pins', 'bans', 'settlement'] as const
/** Where a game may end without a winner. */
const MAY_TIE: ReadonlySet<League> = new Set<League>([...LEAGUES.filter(isThreeWay), 'nfl'])
const VENUES: Readonly<Record<string, Venue>> = { kalshi: 'kalshi', polymarket: 'poly' }
const CELLS: { readonly [Cell in keyof SettlementRules]: readonly SettlementRules[Cell][] } = {
  overtime: OVERTIME_RULES,
  tie: TIE_RULES,
  postponed: POSTPONED_RULES,
  canceled: CANCELED_RULES,
}

/** The file's text as rules. Throws `BAD_PAIRING_FILE` (exit 4) naming `path:line`, and the value where there is one. */
export function parsePairingFile(text: string, path: string): PairingRules {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => `${path}:${lines.linePos(offset).line}`
  const fault = yamlFault(document, text)
  if (fault !== undefined) throw bad(at(fault.offset), fault.message, fault.hint)
  const root = document.contents
  const sections =
    root === null || isEmpty(root) ? new Map<string, Field>() : fieldsOf(root, at, [...SECTIONS])
  const entries = (name: (typeof SECTIONS)[number], keys: readonly string[]): Entry[] => {
    const section = sections.get(name)
    if (section === undefined || isEmpty(section.node)) return []
    if (!isSeq(section.node)) throw bad(section.place, `${name} is not a list`, 'begin each entry with "- "')
    return section.node.items.map((item) => new Entry(fieldsOf(item as Node, at, keys), at(startOf(item))))
  }
  const rules = {
    pins: entries('pins', ['event', 'league', 'game', 'why']).map(pinOf),
    bans: entries('bans', ['market', 'event', 'league', 'game', 'why']).map(banOf),
    settlement: entries('settlement', SETTLEMENT_KEYS).map(overrideOf),
  }
  refuseRepeats(path, rules.pins, ({ eventId }) => `event ${eventId} is pinned twice`)
  refuseRepeats(path, rules.settlement, ({ league, venue, kind }) => {
    return `settlement of ${league} ${kind} at ${venue === 'poly' ? 'polymarket' : venue} is given twice`
  })
  return rules
}

/** Whether a text that is understood has no section with anything in it, `[]` included: as a file is that is being saved. */
export function saysNothing(text: string): boolean {
  const root: unknown = parse(text)
  return root === null || (typeof root === 'object' && Object.values(root).every((value) => value === null))
}

const SETTLEMENT_KEYS = ['league', 'venue', 'kind', ...Object.keys(CELLS), 'reviewed', 'by']

interface Field {
  readonly node: Node | null
  readonly place: string
}

/** One entry of a list, read key by key. */
class Entry {
  constructor(
    private readonly fields: ReadonlyMap<string, Field>,
    readonly place: string,
  ) {}

  has(key: string): boolean {
    return this.fields.has(key)
  }

  /** The text of a key that must be there. */
  text(key: string, wanted: string, pattern: RegExp): string {
    const field = this.fields.get(key)
    if (field === undefined) throw bad(this.place, `an entry without '${key}'`, `${key}: ${wanted}`)
    const value = textOf(field.node)
    if (!pattern.test(value))
      throw bad(field.place, `${key} is '${sanitize(value, 80)}'`, `wanted: ${wanted}`)
    return value
  }

  oneOf<Name extends string>(key: string, names: readonly Name[]): Name {
    const value = this.text(key, `one of ${names.join(', ')}`, /^/)
    const found = names.find((name) => name === value)
    if (found !== undefined) return found
    throw bad(this.placeOf(key), `${key} is '${sanitize(value, 80)}'`, `wanted: one of ${names.join(', ')}`)
  }

  /** `YYYY-MM-DD`, a day that the calendar has. */
  day(key: string, wanted: string): void {
    const value = this.text(key, wanted, /^\d{4}-\d\d-\d\d$/)
    const atMs = Date.parse(`${value}T00:00:00Z`)
    if (Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== value) {
      throw bad(this.placeOf(key), `${key} is '${value}', which is no day`, `wanted: ${wanted}`)
    }
  }

  placeOf(key: string): string {
    return this.fields.get(key)?.place ?? this.place
  }

  id(key: string): string {
    return this.text(key, 'the id as its venue writes it, without spaces', /^[\w.-]{1,120}$/)
  }

  game(): { readonly league: League; readonly gameId: string } {
    return {
      league: this.oneOf('league', LEAGUES),
      gameId: this.text('game', "ESPN's id of the game", /^[\w-]{1,40}$/),
    }
  }

  requireReason(): void {
    this.text('why', 'the reason, for whoever reads it later', /\S/)
  }
}

function pinOf(entry: Entry): Pin {
  entry.requireReason()
  return { eventId: entry.id('event'), ...entry.game() }
}

function banOf(entry: Entry): Ban {
  entry.requireReason()
  const named = (['market', 'event', 'game'] as const).filter((key) => entry.has(key))
  const [kind, ...more] = named
  if (kind === undefined || more.length > 0) {
    throw bad(
      entry.place,
      `a ban of ${named.join(' and ') || 'nothing'}`,
      'name one: market, event, or league and game',
    )
  }
  if (kind === 'game') return { kind, ...entry.game() }
  if (entry.has('league'))
    throw bad(entry.place, `a ban of a ${kind} with a league`, 'its id alone says which')
  return kind === 'market' ? { kind, marketId: entry.id(kind) } : { kind, eventId: entry.id(kind) }
}

function overrideOf(entry: Entry): SettlementOverride {
  const cells: Record<string, string> = {}
  for (const [cell, values] of Object.entries(CELLS)) {
    if (entry.has(cell)) cells[cell] = entry.oneOf(cell, values)
  }
  if (Object.keys(cells).length === 0) {
    throw bad(entry.place, 'a settlement that says nothing', `give one of ${Object.keys(CELLS).join(', ')}`)
  }
  entry.day('reviewed', 'the day of the review, 2026-11-20')
  entry.text('by', 'who has read the rules', /\S/)
  const venue = entry.oneOf('venue', Object.keys(VENUES))
  const league = entry.oneOf('league', LEAGUES)
  const kind = entry.has('kind') ? entry.oneOf('kind', MARKET_KINDS) : 'moneyline'
  const kindOfLeague = isThreeWay(league) ? 'three_way' : 'moneyline'
  if (kind !== kindOfLeague) {
    throw bad(entry.placeOf('kind'), `kind is '${kind}' in ${league}`, `write kind: ${kindOfLeague}`)
  }
  if (cells['tie'] === 'impossible' && MAY_TIE.has(league)) {
    throw bad(
      entry.placeOf('tie'),
      `tie is 'impossible' in ${league}`,
      'its games may end in one: half or no',
    )
  }
  return { league, venue: VENUES[venue] ?? 'kalshi', kind, cells }
}

/** A number as it was written; empty for what is no plain value. */
const textOf = (node: Node | null): string =>
  isScalar(node) ? (node.source ?? (typeof node.value === 'string' ? node.value : '')) : ''

const isEmpty = (node: Node | null): boolean => node === null || (isScalar(node) && node.value === null)
const startOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0

/** The keys of a map, all of them known. */
function fieldsOf(
  node: Node | null,
  at: (offset: number) => string,
  keys: readonly string[],
): Map<string, Field> {
  if (!isMap(node)) throw bad(at(startOf(node)), 'not `key: value` lines', `known here: ${keys.join(', ')}`)
  const fields = new Map<string, Field>()
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : ''
    const place = at(startOf(key))
    if (!keys.includes(name)) {
      const near = nearest(name, keys)
      const hint = near === undefined ? `known here: ${keys.join(', ')}` : `near: ${near}`
      throw bad(place, `nothing is named '${sanitize(name, 40)}' here`, hint)
    }
    fields.set(name, { node: value as Node | null, place })
  }
  return fields
}

function refuseRepeats<Rule>(path: string, rules: readonly Rule[], tell: (rule: Rule) => string): void {
  const seen = new Set<string>()
  for (const told of rules.map(tell)) {
    if (seen.has(told)) throw bad(path, told, 'take one of them out')
    seen.add(told)
  }
}

const bad = (place: string, message: string, hint?: string): ArbeesError =>
  new ArbeesError('BAD_PAIRING_FILE', `${place}: ${message}`, {
    exit: EXIT.CONFIG,
    ...(hint === undefined ? {} : { hint }),
  })
