/** What a backtest found, as it stands in the JSON: sizes in contracts, money in micro-dollars, times in ms. */

import { LEAGUES } from '../model/game.js'
import type { League } from '../model/game.js'
import { sizeToWire } from '../model/price.js'
import type { SignalText } from '../roles/signal-comparison.js'
import { CLOSE_AFTER_MS } from './account.js'
import { addCapture, noCapture } from './capture.js'
import type { Capture } from './capture.js'
import type { ChannelRead } from './channels.js'
import { lifetimeUs, shareAfter, survivalOf } from './lifetimes.js'
import { ASSUMED_ALIVE_MS } from './merged-inputs.js'
import type { Opportunity } from './opportunities.js'
import type { FieldDifference } from './signal-differences.js'
import type { TrialResult } from './trial.js'

/** `as decided`: the shard's own order and clock. */
export type InputOrder = 'as decided' | 'merged by time'

export interface OpportunityRow {
  readonly min_edge_micros: number
  /** Null: all of them. */
  readonly league: League | null
  readonly count: number
  /** Still there when the data ended. */
  readonly cut: number
  /** Null where too many were still there at the end to know. */
  readonly p10_ms: number | null
  readonly p50_ms: number | null
  readonly p90_ms: number | null
  /** Net, of a first share, per contract. */
  readonly greatest_edge_micros: number
  readonly greatest_size: number
  /** Which share lives longer than so many ms. */
  readonly survival: readonly (readonly [afterMs: number, share: number])[]
}

export interface CaptureRow {
  readonly min_edge_micros: number
  readonly latency_ms: number
  /** Null: all of them. */
  readonly league: League | null
  readonly signals: number
  readonly expired: number
  readonly denied: number
  readonly missed: number
  readonly whole: number
  readonly part: number
  readonly in_flight: number
  readonly planned_size: number
  readonly hedged_size: number
  readonly closed_size: number
  readonly written_off_size: number
  readonly planned_edge_micros: number
  readonly pnl_micros: number
  readonly fees_micros: number
  readonly unhedged_micros: number
}

/** Signals decided again beside those that are recorded; the lists hold their ids. */
export interface BacktestDiff {
  /** Ages come of another clock where the order is another. */
  readonly compared: 'payload bytes' | 'payloads without ages'
  readonly recorded: number
  readonly same: number
  readonly different: readonly string[]
  readonly unpublished: readonly string[]
  readonly unpublished_tail: number
  readonly unexplained: readonly string[]
  /** Of the first few that differ. */
  readonly fields: readonly { readonly id: string; readonly fields: readonly FieldDifference[] }[]
  /** Nothing differs, and nothing that was decided on is missing. */
  readonly clean: boolean
}

export interface ShardRead {
  readonly shard: number
  readonly epoch: number
  readonly turns: number
  readonly inputs: number
  readonly turns_before: number
  readonly turns_missing: number
  readonly messages_missing: Readonly<Record<string, number>>
  readonly clock_differs: number | null
  readonly signals_on_disk: boolean
}

export interface MergedRead {
  readonly messages: number
  readonly gaps: number
  /** Messages inside gaps whose two ends are known. */
  readonly missing: number
  /** Left out: they are no messages. */
  readonly refused: number
  readonly channels: readonly ChannelRead[]
  /** Channels of quotes of which there was nothing. */
  readonly absent: readonly string[]
}

/** Nothing that decisions are made of is known to be missing. */
export const isWholeRead = ({ absent, gaps, refused }: MergedRead): boolean =>
  absent.length + gaps + refused === 0

export interface BacktestReport {
  readonly order: InputOrder
  /** It was ended before the data did. */
  readonly partial: boolean
  /** By shard, or of all that was merged. */
  readonly read: readonly ShardRead[] | MergedRead
  /** Wall clock, Unix ms; null where nothing was read. */
  readonly first_ms: number | null
  readonly last_ms: number | null
  readonly max_size: number | null
  /** Payloads as they are sent, without the seal, a line each: their number and their hash. */
  readonly signals: { readonly decided: number; readonly sha256: string }
  readonly diff: BacktestDiff | null
  readonly opportunities: readonly OpportunityRow[]
  readonly capture: readonly CaptureRow[]
  readonly assumed: readonly string[]
  readonly not_known: readonly string[]
}

/** What reading and deciding came to. */
export interface BacktestRun {
  readonly order: InputOrder
  readonly read: BacktestReport['read']
  readonly firstMs: number | undefined
  readonly lastMs: number | undefined
  readonly signals: readonly SignalText[]
  readonly diff: BacktestDiff
}

/** What the figures take for granted. */
export const assumptionsOf = (order: InputOrder): readonly string[] => [
  ...(order === 'as decided'
    ? []
    : [
        'no shard wrote down its order here: messages come by the time of their publishers',
        `no recording has heartbeats: a monitor counts as alive for ${ASSUMED_ALIVE_MS / 1000} s behind each of its messages, and its feed as proved by them alone; what is missing and a new epoch break a channel`,
      ]),
  'an order comes a latency behind the decision, plus the delay of the venue; the next leg follows what the first filled, two latencies behind it, once',
  'an opening order that would come after its signal expired is not sent',
  'the books are those that the shard had heard by then, so a latency is the way of the order and of the feed: at 0 an order fills on the book that was decided on',
  'it takes what the recorded book shows then within its limit; what it took is taken off what that level shows from then on, until the level goes; a book that is not live gives nothing',
  `what stays unhedged is sold ${CLOSE_AFTER_MS / 1000} s later, at the bid that this order finds, and is worth nothing where nobody bids`,
  'a plan that is under way when the data end counts as if what is unhedged of it were sold at the bid then',
  'a hedged share pays the worst settlement that its signal was computed for; a settlement that nobody knows is left out of it',
  "exec's limits, and its quarantine of a pair that stayed unhedged, are not applied: one plan of a combination at a time is",
]

/** What no recording can tell. */
export const NOT_KNOWN: readonly string[] = [
  'orders of others that came first in those milliseconds, and left no trace in the book',
  'how others would have answered our orders',
  'depth behind the tenth level, and size that is not shown',
  'orders that a venue would have refused, and fills that it would have taken back',
]

export const opportunityRows = (results: readonly TrialResult[]): OpportunityRow[] =>
  results.flatMap(({ minEdgeMicros, opportunities }) =>
    byLeague(opportunities, ({ league }) => league).map(([league, all]) =>
      opportunityRow(minEdgeMicros, league, all),
    ),
  )

export const captureRows = (results: readonly TrialResult[]): CaptureRow[] =>
  results.flatMap(({ minEdgeMicros, captures }) =>
    [...captures].flatMap(([latencyMs, captureByLeague]) =>
      byLeague([...captureByLeague], ([league]) => league).map(([league, all]) => {
        const sum = noCapture()
        for (const [, capture] of all) addCapture(sum, capture)
        return captureRow(minEdgeMicros, latencyMs, league, sum)
      }),
    ),
  )

/** All of them, then those of each league. */
function byLeague<T>(all: readonly T[], leagueOf: (one: T) => League): [League | null, readonly T[]][] {
  const of = LEAGUES.map((league): [League, readonly T[]] => [
    league,
    all.filter((one) => leagueOf(one) === league),
  ])
  return [[null, all], ...of.filter(([, some]) => some.length > 0)]
}

/** 1, 2, 5, 10, … ms, as far as any lived. */
function gridMs(longestMs: number): number[] {
  const grid = [0]
  for (let decade = 1; grid.every((ms) => ms < longestMs); decade *= 10) {
    for (const step of [1, 2, 5]) if ((grid.at(-1) ?? 0) < longestMs) grid.push(step * decade)
  }
  return grid
}

function opportunityRow(
  minEdgeMicros: number,
  league: League | null,
  all: readonly Opportunity[],
): OpportunityRow {
  const steps = survivalOf(all)
  const greatest = (valueOf: (one: Opportunity) => number) =>
    all.reduce((most, one) => Math.max(most, valueOf(one)), 0)
  const percentileMs = (percent: number): number | null => {
    const us = lifetimeUs(steps, percent)
    return us === null ? null : us / 1000
  }
  return {
    min_edge_micros: minEdgeMicros,
    league,
    count: all.length,
    cut: all.filter(({ isCut }) => isCut).length,
    p10_ms: percentileMs(10),
    p50_ms: percentileMs(50),
    p90_ms: percentileMs(90),
    greatest_edge_micros: greatest(({ edgeMicros }) => edgeMicros),
    greatest_size: sizeToWire(greatest(({ sizeE2 }) => sizeE2)),
    survival: gridMs(greatest(({ us }) => us) / 1000).map((ms) => [
      ms,
      Number(shareAfter(steps, ms * 1000).toFixed(4)),
    ]),
  }
}

const captureRow = (
  minEdgeMicros: number,
  latencyMs: number,
  league: League | null,
  capture: Capture,
): CaptureRow => ({
  min_edge_micros: minEdgeMicros,
  latency_ms: latencyMs,
  league,
  signals: capture.signals,
  expired: capture.expired,
  denied: capture.denied,
  missed: capture.missed,
  whole: capture.whole,
  part: capture.part,
  in_flight: capture.inFlight,
  planned_size: sizeToWire(capture.plannedE2),
  hedged_size: sizeToWire(capture.hedgedE2),
  closed_size: sizeToWire(capture.closedE2),
  written_off_size: sizeToWire(capture.writtenOffE2),
  planned_edge_micros: capture.plannedMicros,
  pnl_micros: capture.pnlMicros,
  fees_micros: capture.feesMicros,
  unhedged_micros: capture.unhedgedMicros,
})
