/**
 * A venue that dies, is reset, falls silent or freezes, over real sockets: how long a quote of it is still believed.
 * `sent` counts markets whose quotes must not be believed any more, `received` those that were marked within the
 * limit. The control believes a quote as long as its socket is open, as one does who looks no further.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { sleep } from '../../src/lib/core/backoff.js'
import { systemClock } from '../../src/lib/core/clock.js'
import type { QuoteState } from '../../src/lib/model/quote.js'
import { subscribeBooks } from '../../src/lib/venues/kalshi/commands.js'
import { KalshiFeed } from '../../src/lib/venues/kalshi/feed.js'
import { rsaCredentials } from '../lib/venues/kalshi/keys.js'
import { catalogMarket } from '../lib/venues/kalshi/markets.js'
import { Actor } from './actor.js'
import type { Programs } from './actor.js'
import { jitter } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import { NOTHING } from './tally.js'
import type { Tally } from './tally.js'
import type { ControlExpectation, Outcome } from './verdict.js'

const TICKERS = ['KXNBAGAME-26JAN15MIABOS-MIA', 'KXNBAGAME-26JAN15MIABOS-BOS', 'KXNHLGAME-26JAN15NYRBOS-NYR']
const LIMIT_MS = 2_500

type Harm = 'kill' | 'reset' | 'silence' | 'freeze'

const HARMS: readonly (readonly [name: string, harm: Harm, control: ControlExpectation])[] = [
  ['dead', 'kill', 'may_lose'],
  ['reset', 'reset', 'may_lose'],
  ['silent', 'silence', 'must_lose'],
  ['frozen', 'freeze', 'must_lose'],
]

export const kalshiCases = (): FaultCase[] =>
  HARMS.map(([name, harm, control]) => ({
    name: `kalshi/${name}`,
    family: 'kalshi',
    aboutMs: 6_000,
    alone: true,
    expected: { control, atLeastSent: TICKERS.length, gapped: 0 },
    run: ({ programs }) => play(programs, harm),
  }))

async function play(programs: Programs, harm: Harm): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-faults-kalshi-'))
  const venue = new Actor({
    programs,
    program: 'kalshi-venue-child',
    config: { tickers: TICKERS },
    dir,
    name: 'venue',
  })
  const states = new Map<string, QuoteState>()
  const marked = new Map<string, { staleMs?: number; brokenMs?: number }>()
  let sinceMs = Infinity
  try {
    const url = String((await venue.start())['url'])
    const feed = new KalshiFeed({
      wsUrl: url,
      credentials: rsaCredentials(),
      clock: systemClock,
      listener: {
        onBook: ({ market, state }) => {
          states.set(market.marketId, state)
          const mark = marked.get(market.marketId) ?? {}
          marked.set(market.marketId, mark)
          const ms = Math.round(performance.now() - sinceMs)
          if (ms < 0) return
          if (state === 'STALE') mark.staleMs ??= ms
          if (state === 'BROKEN') mark.brokenMs ??= ms
        },
        onVerdict: () => undefined,
        onNotice: () => undefined,
      },
    })
    feed.follow(TICKERS.map(catalogMarket))
    const naive = new NaiveReader(url)
    await naive.told
    // Moving, and long enough for every timer to have found its place.
    await sleep(1_500 + jitter(500))
    const problems = TICKERS.filter((ticker) => states.get(ticker) !== 'LIVE').map(
      (ticker) => `${ticker} was ${states.get(ticker)} before the fault`,
    )
    sinceMs = performance.now()
    if (harm === 'kill') await venue.kill()
    else if (harm === 'freeze') venue.pause()
    else venue.tell({ op: harm })
    await sleep(LIMIT_MS + 1_000)
    const ended = naive.endedMs
    naive.close()
    await feed.close()
    const brokenMs = TICKERS.map((ticker) => marked.get(ticker)?.brokenMs ?? Infinity)
    const staleMs = TICKERS.flatMap((ticker) => marked.get(ticker)?.staleMs ?? [])
    const worst = Math.max(...brokenMs)
    return {
      ours: tally(brokenMs.filter((ms) => ms <= LIMIT_MS).length),
      // What it saw, it saw: it is no control when it was never told anything.
      control: {
        ...tally(ended !== undefined && ended - sinceMs <= LIMIT_MS ? TICKERS.length : 0),
        received: 1,
      },
      recoveryMs: worst === Infinity ? null : worst,
      problems,
      details: {
        broken_ms: worst === Infinity ? null : worst,
        stale_ms: staleMs.length === 0 ? null : Math.min(...staleMs),
        limit_ms: LIMIT_MS,
      },
    }
  } finally {
    await venue.end()
    rmSync(dir, { recursive: true, force: true })
  }
}

const tally = (inTime: number): Tally => ({
  ...NOTHING,
  sent: TICKERS.length,
  received: inTime,
  lost: TICKERS.length - inTime,
})

class NaiveReader {
  endedMs: number | undefined
  /** Resolves with the first book. */
  readonly told: Promise<void>
  private readonly socket: WebSocket

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.told = new Promise((resolve, refuse) => {
      this.socket.once('message', () => resolve())
      this.socket.on('error', refuse)
    })
    this.socket.once('open', () => this.socket.send(JSON.stringify(subscribeBooks(1, TICKERS, false))))
    this.socket.once('close', () => (this.endedMs = performance.now()))
  }

  close(): void {
    this.socket.terminate()
  }
}
