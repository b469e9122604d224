/**
 * What became of each opportunity, from what quotes, games and signals left in their journals. Pure; times are the wall
 * clock of this machine.
 */

import { NOTHING } from './tally.js'
import type { Tally } from './tally.js'

/** A Kalshi quote, and whether an opportunity was there. */
export interface QuoteSeen {
  readonly market: string
  readonly seq: number
  readonly atMs: number
  readonly isOpen: boolean
}

/** The orchestrator's word on a game. */
export interface WordSeen {
  readonly market: string
  readonly atMs: number
  readonly shard: number
  readonly handover?: { readonly from: number; readonly atMs: number } | undefined
}

export interface SignalSeen {
  readonly shard: number
  readonly atMs: number
  readonly market: string
  /** The Kalshi quote that it was decided on. */
  readonly seq: number
  /** When the quote that caused it was published. */
  readonly triggerMs: number
}

/** Nobody was there to trade `shard`'s games. */
export interface Outage {
  readonly shard: number | 'all'
  readonly fromMs: number
  readonly untilMs: number
}

export interface Played {
  readonly quotes: readonly QuoteSeen[]
  readonly words: readonly WordSeen[]
  readonly signals: readonly SignalSeen[]
  readonly outages: readonly Outage[]
  /** Opportunities that lie in here whole are counted. */
  readonly fromMs: number
  readonly untilMs: number
  /** The games go over when it is said, not when it was announced to be. */
  readonly isNaive: boolean
}

export interface ShardTally {
  readonly tally: Tally
  readonly opportunities: number
  readonly signals: number
  /** Of these, opportunities that another signal had been sent for. */
  readonly doubled: number
  /** By whose shard the quote was not, or decided on a book that had long been another. */
  readonly stale: number
  readonly missed: number
  /** Games that went from one shard to another. */
  readonly moves: number
}

/** A newer quote of the market had been there for so long when the signal came. */
const STALE_MS = 500

interface Opportunity {
  readonly market: string
  readonly fromSeq: number
  toSeq: number
  readonly openMs: number
  closeMs: number
  signals: number
}

export function tallyShards({
  quotes,
  words,
  signals,
  outages,
  fromMs,
  untilMs,
  isNaive,
}: Played): ShardTally {
  const opportunities = opportunitiesOf(quotes)
  const owners = ownersOf(words, isNaive)
  const nextQuoteMs = new Map<string, number>()
  const latest = new Map<string, QuoteSeen>()
  for (const quote of quotes) {
    const before = latest.get(quote.market)
    if (before !== undefined) nextQuoteMs.set(`${quote.market} ${before.seq}`, quote.atMs)
    latest.set(quote.market, quote)
  }
  let stale = 0
  let doubled = 0
  for (const signal of signals) {
    const { market, seq, shard, atMs, triggerMs } = signal
    const found = opportunities.find(
      (each) => each.market === market && each.fromSeq <= seq && seq <= each.toSeq,
    )
    const newerMs = nextQuoteMs.get(`${market} ${seq}`) ?? Infinity
    const isOwn = isNaive || ownerAt(owners.get(market), triggerMs) === shard
    if (found === undefined || !isOwn || atMs - newerMs > STALE_MS) stale++
    if (found === undefined) continue
    if (found.signals++ > 0) doubled++
  }
  const counted = opportunities.filter(({ market, openMs, closeMs }) => {
    const isOut = ({ shard, ...outage }: Outage) =>
      openMs < outage.untilMs &&
      closeMs > outage.fromMs &&
      (shard === 'all' ||
        ownerAt(owners.get(market), openMs) === shard ||
        ownerAt(owners.get(market), closeMs) === shard ||
        ownerAt(owners.get(market), outage.fromMs) === shard)
    return openMs >= fromMs && closeMs <= untilMs && !outages.some(isOut)
  })
  const missed = counted.filter((each) => each.signals === 0).length
  const moves = [...owners.values()].reduce((sum, steps) => sum + movesOf(steps), 0)
  return {
    tally: {
      ...NOTHING,
      sent: counted.length,
      received: counted.length - missed,
      lost: missed,
      duplicated: doubled,
      foreign: stale,
    },
    opportunities: opportunities.length,
    signals: signals.length,
    doubled,
    stale,
    missed,
    moves,
  }
}

/** Runs of open quotes of a market; the last one may not be over. */
function opportunitiesOf(quotes: readonly QuoteSeen[]): Opportunity[] {
  const found: Opportunity[] = []
  const open = new Map<string, Opportunity>()
  for (const { market, seq, atMs, isOpen } of quotes) {
    const known = open.get(market)
    if (known !== undefined) {
      known.closeMs = atMs
      if (isOpen) known.toSeq = seq
      else open.delete(market)
    } else if (isOpen) {
      const opened = { market, fromSeq: seq, toSeq: seq, openMs: atMs, closeMs: atMs, signals: 0 }
      open.set(market, opened)
      found.push(opened)
    }
  }
  return found
}

interface OwnerStep {
  readonly fromMs: number
  readonly shard: number
}

/** Whose each market was from when on, by the orchestrator's words alone. */
function ownersOf(words: readonly WordSeen[], isNaive: boolean): Map<string, OwnerStep[]> {
  const owners = new Map<string, OwnerStep[]>()
  for (const { market, atMs, shard, handover } of words) {
    const steps = owners.get(market) ?? []
    const fromMs = isNaive ? atMs : (handover?.atMs ?? -Infinity)
    const before = steps.filter((step) => step.fromMs < fromMs)
    if (before.at(-1)?.shard !== shard || before.length === 0) before.push({ fromMs, shard })
    owners.set(market, before)
  }
  return owners
}

const ownerAt = (steps: readonly OwnerStep[] | undefined, ms: number): number | undefined =>
  steps?.findLast(({ fromMs }) => fromMs <= ms)?.shard

/** From when `shard` could not trade until every game of it was another's, or it was `backMs`. */
export function outageOf(
  { words, isNaive }: Pick<Played, 'words' | 'isNaive'>,
  { shard, fromMs, backMs }: { readonly shard: number; readonly fromMs: number; readonly backMs: number },
): Outage {
  const ends = [...ownersOf(words, isNaive).values()]
    .filter((steps) => ownerAt(steps, fromMs) === shard)
    .map((steps) => Math.min(backMs, steps.find((step) => step.fromMs > fromMs)?.fromMs ?? Infinity))
  return { shard, fromMs, untilMs: Math.max(fromMs, ...ends) }
}

const movesOf = (steps: readonly OwnerStep[]): number => Math.max(0, steps.length - 1)
