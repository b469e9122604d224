/**
 * A venue that dies, is reset, falls silent or freezes, over real sockets: how long a quote of it is still believed.
 * `sent` counts markets whose quotes must not be believed any more, `received` those that were marked within the
 * limit, as STALE or as BROKEN. The control believes a quote as long as its socket is open, as one does who looks no
 * further.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { sleep } from '../../src/lib/core/backoff.js'
import type { CatalogMarket } from '../../src/lib/model/game.js'
import type { QuoteState } from '../../src/lib/model/quote.js'
import type { FeedListener, MarketFeed } from '../../src/lib/venues/ports.js'
import { Actor } from './actor.js'
import type { Programs } from './actor.js'
import { jitter } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import { NOTHING } from './tally.js'
import type { Tally } from './tally.js'
import type { ControlExpectation, Outcome } from './verdict.js'

/** A venue as these cases need it. */
export interface VenueUnderFault {
  readonly family: 'kalshi' | 'polymarket'
  /** A program of this folder, which tells its address, moves its markets, and does what it is told. */
  readonly program: string
  readonly config: object
  readonly markets: readonly CatalogMarket[]
  /** How a quote is marked that must not be believed any more. */
  readonly marks: readonly QuoteState[]
  createFeed(address: Readonly<Record<string, unknown>>, listener: FeedListener): MarketFeed
  /** Where the control connects, and what it says there. */
  naive(address: Readonly<Record<string, unknown>>): { readonly url: string; readonly subscription: string }
}

const LIMIT_MS = 2_500

type Harm = 'kill' | 'reset' | 'silence' | 'mute' | 'freeze'

const HARMS: readonly (readonly [name: string, harm: Harm, control: ControlExpectation])[] = [
  ['dead', 'kill', 'may_lose'],
  ['reset', 'reset', 'may_lose'],
  ['silent', 'silence', 'must_lose'],
  ['frozen', 'freeze', 'must_lose'],
]

export const venueCases = (venue: VenueUnderFault): FaultCase[] =>
  HARMS.map(([name, harm, control]) => venueCase(venue, { name, harm, control }))

export interface PlayedHarm {
  readonly name: string
  readonly harm: Harm
  readonly control: ControlExpectation
  /** How many of the markets, the first ones, must not be believed any more; all when not said. */
  readonly wrong?: number
  readonly limitMs?: number
}

export const venueCase = (venue: VenueUnderFault, played: PlayedHarm): FaultCase => ({
  name: `${venue.family}/${played.name}`,
  family: venue.family,
  aboutMs: 6_000,
  alone: true,
  expected: { control: played.control, atLeastSent: played.wrong ?? venue.markets.length, gapped: 0 },
  run: ({ programs }) => play(venue, programs, played),
})

async function play(
  under: VenueUnderFault,
  programs: Programs,
  { harm, wrong, limitMs = LIMIT_MS }: PlayedHarm,
): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), `arbees-faults-${under.family}-`))
  const venue = new Actor({
    programs,
    program: under.program,
    config: under.config,
    dir,
    name: 'venue',
  })
  const states = new Map<string, QuoteState>()
  const ids = under.markets.map(({ marketId }) => marketId)
  const marked = new Map<string, { staleMs?: number; brokenMs?: number; inTimeMs?: number }>()
  let sinceMs = Infinity
  try {
    const address = await venue.start()
    const feed = under.createFeed(address, {
      onBook: ({ market, state }) => {
        states.set(market.marketId, state)
        const mark = marked.get(market.marketId) ?? {}
        marked.set(market.marketId, mark)
        const ms = Math.round(performance.now() - sinceMs)
        if (ms < 0) return
        if (state === 'STALE') mark.staleMs ??= ms
        if (state === 'BROKEN') mark.brokenMs ??= ms
        if (under.marks.includes(state)) mark.inTimeMs ??= ms
      },
      onVerdict: () => undefined,
      onNotice: () => undefined,
    })
    feed.follow(under.markets)
    const { url, subscription } = under.naive(address)
    const naive = new NaiveReader(url, subscription)
    await naive.told
    // Moving, and long enough for every timer to have found its place.
    await sleep(1_500 + jitter(500))
    const problems = ids
      .filter((ticker) => states.get(ticker) !== 'LIVE')
      .map((ticker) => `${ticker} was ${states.get(ticker)} before the fault`)
    sinceMs = performance.now()
    if (harm === 'kill') await venue.kill()
    else if (harm === 'freeze') venue.pause()
    else venue.tell({ op: harm })
    await sleep(limitMs + 1_000)
    const ended = naive.endedMs
    naive.close()
    await feed.close()
    const wrongIds = ids.slice(0, wrong)
    const times = (what: 'staleMs' | 'brokenMs' | 'inTimeMs') =>
      wrongIds.map((id) => marked.get(id)?.[what] ?? Infinity)
    const inTimeMs = times('inTimeMs')
    const [worst, brokenMs, staleMs] = [
      Math.max(...inTimeMs),
      Math.max(...times('brokenMs')),
      Math.min(...times('staleMs')),
    ]
    const orNull = (ms: number) => (ms === Infinity ? null : ms)
    return {
      ours: tally(wrongIds.length, inTimeMs.filter((ms) => ms <= limitMs).length),
      // What it saw, it saw: it is no control when it was never told anything.
      control: {
        ...tally(wrongIds.length, ended !== undefined && ended - sinceMs <= limitMs ? wrongIds.length : 0),
        received: 1,
      },
      recoveryMs: orNull(worst),
      problems,
      details: {
        broken_ms: orNull(brokenMs),
        stale_ms: orNull(staleMs),
        limit_ms: limitMs,
      },
    }
  } finally {
    await venue.end()
    rmSync(dir, { recursive: true, force: true })
  }
}

const tally = (sent: number, inTime: number): Tally => ({
  ...NOTHING,
  sent,
  received: inTime,
  lost: sent - inTime,
})

class NaiveReader {
  endedMs: number | undefined
  /** Resolves with the first book. */
  readonly told: Promise<void>
  private readonly socket: WebSocket

  constructor(url: string, subscription: string) {
    this.socket = new WebSocket(url)
    this.told = new Promise((resolve, refuse) => {
      this.socket.once('message', () => resolve())
      this.socket.on('error', refuse)
    })
    this.socket.once('open', () => this.socket.send(subscription))
    this.socket.once('close', () => (this.endedMs = performance.now()))
  }

  close(): void {
    this.socket.terminate()
  }
}
