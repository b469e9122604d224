/** Recorded listings, series, books and trades, at the catalog and the pages. */

import { expect } from 'vitest'
import { parseFrame } from '../../../../src/lib/venues/kalshi/frames.js'
import { gamesOf } from '../../../../src/lib/venues/kalshi/listing.js'
import { readPages } from '../../../../src/lib/venues/kalshi/pages.js'
import type { Json } from './recordings.js'
import {
  T,
  bodyOf,
  codeOf,
  listOf,
  listing,
  scaled,
  withRest,
  type Recording,
  type Said,
} from './replay-venue.js'

/** Reasons that say: not in the form that trades. */
const FORMS = new Set(['price_ranges', 'status_missing', 'not_an_object', 'ticker', 'event_ticker'])

/** Markets, one market, events with markets inside, or an event: each market is a game or has its reason. */
export async function replayMarkets(recording: Recording): Promise<Said> {
  const body = bodyOf(recording.text)
  const single = body['market'] as Json | undefined
  const nested = listOf(body, 'events')
  const isEvents = 'events' in body && !('markets' in body)
  try {
    const path = body['event'] !== undefined ? /^\/events\// : isEvents ? /^\/events$/ : /^\/markets$/
    const found = await listing(
      recording,
      path,
      single === undefined ? recording.text : { markets: [single], cursor: '' },
    )
    if (isEvents) {
      const told = nested.map((event) => event['event_ticker'])
      return { refused: undefined, read: [...found.events.keys()], told }
    }
    const { markets, skipped } = gamesOf(found, 'nba', Date.parse('2026-06-12T00:00:00Z'))
    const entries = single === undefined ? listOf(body, 'markets') : [single]
    const isOfForm = skipped.length > 0 && skipped.every(({ reason }) => FORMS.has(reason))
    const read = [...markets.map(({ marketId }) => marketId), ...skipped.map(({ id }) => id)].sort()
    const refused = isOfForm ? skipped.map(({ reason }) => reason).join(', ') : undefined
    return { refused, read, told: [...new Set(entries.map(({ ticker }) => ticker))].sort() }
  } catch (error) {
    return { refused: codeOf(error) }
  }
}

/** The fees of each series, by a market that is listed under it. */
export async function replaySeries(recording: Recording): Promise<Said> {
  const { series } = bodyOf(recording.text)
  const all = (Array.isArray(series) ? series : [series]) as Json[]
  const reasons: unknown[] = []
  for (const each of all) {
    try {
      const found = await listing(recording, /^\/series\//, { series: each })
      reasons.push([found.seriesFees?.feeType, found.seriesFees?.feeMultiplier])
    } catch (error) {
      return { refused: codeOf(error) }
    }
  }
  const told = all.map((each) => [each['fee_type'], each['fee_multiplier']])
  const isWithout = told.some(
    ([type, multiplier]) => typeof type !== 'string' || typeof multiplier !== 'number',
  )
  return { refused: isWithout || all.length === 0 ? 'no fee_type' : undefined, read: reasons, told }
}

/** We read no book from a list that a cache serves. Under the channel's names its levels are the channel's. */
export async function replayBook(recording: Recording): Promise<Said> {
  const body = bodyOf(recording.text)
  const book = (body['orderbook_fp'] ?? body['orderbook'] ?? {}) as Json
  const frame = (msg: object) =>
    parseFrame(
      JSON.stringify({ type: 'orderbook_snapshot', sid: 1, seq: 1, msg: { market_ticker: T, ...msg } }),
    )
  const isBook = 'orderbook_fp' in body || 'orderbook' in body
  if (!isBook) return Promise.resolve({ refused: 'no book in it' })
  // Under the names of REST it is never taken for an empty one.
  const raw = frame(book)
  const isEmpty = Object.values(book).every((levels) => levels === null || (levels as unknown[]).length === 0)
  if (!isEmpty) expect(raw).toMatchObject({ kind: 'refused', reason: 'retired_form' })
  if ('orderbook' in body)
    return Promise.resolve({ refused: raw.kind === 'refused' ? raw.reason : undefined })
  const { yes_dollars: yes, no_dollars: no } = book as Record<string, [string, string][] | null | undefined>
  const parsed = frame({
    ...(yes == null ? {} : { yes_dollars_fp: yes }),
    ...(no == null ? {} : { no_dollars_fp: no }),
  })
  const told = [yes, no].map((side) => (side ?? []).map(([p, s]) => [scaled(p, 1e4), scaled(s, 100)]))
  if (parsed.kind !== 'snapshot') return Promise.resolve({ refused: JSON.stringify(parsed) })
  return Promise.resolve({ refused: undefined, read: [parsed.yes, parsed.no], told })
}

/** Page by page; a trade has the fields of the channel's, which we pass over by name. */
export async function replayTrades(recording: Recording): Promise<Said> {
  return withRest(recording, 'trades', async (rest) => {
    const read: unknown[] = []
    for await (const page of readPages(rest, '/markets/trades', { limit: '100' }, 'trades')) {
      if (page.kind === 'failed') return { refused: page.reason }
      for (const item of page.items as Json[]) {
        const frame = parseFrame(JSON.stringify({ type: 'trade', sid: 2, seq: 1, msg: item }))
        if (frame.kind === 'refused') return { refused: frame.reason }
        read.push(frame.kind === 'skipped' ? item['trade_id'] : frame)
      }
    }
    const told = listOf(bodyOf(recording.text), 'trades').map((each) => each['trade_id'])
    return { refused: undefined, read, told }
  })
}

export async function replayUnused(recording: Recording): Promise<Said> {
  return withRest(recording, 'none', async (rest) => {
    const result = await rest.get('/unused')
    if (result.kind !== 'ok') return { refused: result.kind }
    return { refused: undefined, read: result.body, told: bodyOf(recording.text) }
  })
}
