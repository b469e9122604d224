/**
 * Polymarket under the faults of a venue, and without any: on the simulator's traffic no book may be doubted.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../../src/lib/core/backoff.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { LEAGUES } from '../../src/lib/model/game.js'
import { createSimAccounts } from '../../src/lib/sim/accounts.js'
import { startSimulator } from '../../src/lib/sim/simulator.js'
import { PolymarketCatalog } from '../../src/lib/venues/polymarket/catalog.js'
import { PolymarketFeed } from '../../src/lib/venues/polymarket/feed.js'
import { catalogMarket } from '../lib/venues/polymarket/harness.js'
import type { FaultCase } from './fault-case.js'
import { NOTHING } from './tally.js'
import { venueCase, venueCases, type VenueUnderFault } from './venue-cases.js'
import type { Outcome } from './verdict.js'

const IDS = Array.from({ length: 100 }, (_, index) => ({
  market: `0x${(161 + 17 * index).toString(16).padStart(64, '0')}`,
  yes: `${index + 1}01`,
  no: `${index + 1}02`,
}))

/** The first `count` markets, of which the first `moving` move. */
function venueOf(count: number, moving: number): VenueUnderFault {
  const ids = IDS.slice(0, count)
  return {
    family: 'polymarket',
    program: 'polymarket-venue-child',
    config: { ids, moving },
    markets: ids.map(({ market, yes, no }) => catalogMarket({ marketId: market, tokenIds: [yes, no] })),
    // A venue whose REST does not answer either cannot be told from one where nothing happens: STALE is all there is.
    marks: ['STALE', 'BROKEN'],
    createFeed: ({ ws, rest }, listener) =>
      new PolymarketFeed({ wsUrl: String(ws), restUrl: String(rest), clock: systemClock, listener }),
    naive: ({ ws }) => ({
      url: `${String(ws)}/ws/market`,
      subscription: JSON.stringify({ assets_ids: ids.map(({ yes }) => yes), type: 'market' }),
    }),
  }
}

export const polymarketFeedCases = (): FaultCase[] => [
  ...venueCases(venueOf(3, 3)),
  // Ninety-nine books that stay right must not speak for the one that does not.
  venueCase(venueOf(100, 1), {
    name: 'silent-of-100',
    harm: 'silence',
    control: 'must_lose',
    wrong: 1,
  }),
  // Another market goes on proving the connection: only the audit can tell.
  venueCase(venueOf(100, 2), {
    name: 'mute-of-100',
    harm: 'mute',
    control: 'must_lose',
    wrong: 1,
    limitMs: 4_000,
  }),
  {
    name: 'polymarket/clean',
    family: 'polymarket',
    aboutMs: 12_000,
    expected: { control: 'may_lose', atLeastSent: 1_000, gapped: 0 },
    run: cleanTraffic,
  },
]

/** `sent` counts books of a simulator that nothing disturbs, `received` those that were LIVE. */
async function cleanTraffic(): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-faults-clean-'))
  await createSimAccounts(dir)
  const ports = { kalshi: 0, poly: 0, gamma: 0, espn: 0 }
  const sim = await startSimulator({
    seed: 7,
    speed: 30,
    ports,
    accountsDir: dir,
    games: 8,
    onNotice: () => undefined,
  })
  const catalog = new PolymarketCatalog({ gammaUrl: sim.urls.gamma })
  let [books, live, epochs] = [0, 0, 0]
  const ended = new Set<string>()
  const warnings: string[] = []
  const feed = new PolymarketFeed({
    wsUrl: sim.urls.polyWs,
    restUrl: sim.urls.clob,
    clock: systemClock,
    listener: {
      onBook: ({ state, market }) => {
        if (ended.has(market.marketId)) return
        books += 1
        if (state === 'LIVE' || state === 'EMPTY') live += 1
      },
      onVerdict: () => undefined,
      onNotice: (level, text) => {
        // A new tick is a new epoch: the book is dropped on purpose.
        if (text.endsWith('tick size changed')) epochs += 1
        else if (level !== 'info') warnings.push(text)
      },
    },
    onCatalogChange: (change) => {
      if (change.kind === 'resolved') ended.add(change.market.marketId)
    },
  })
  try {
    const { signal } = new AbortController()
    const lists = await Promise.all(LEAGUES.map((league) => catalog.openMarkets(league, signal)))
    feed.follow(lists.flatMap(({ markets }) => markets))
    await sleep(10_000)
    // One word as the old book goes; a market that ends has one too, told before its end is.
    const doubts = books - live - epochs - ended.size
    return {
      ours: { ...NOTHING, sent: books, received: books - doubts, lost: doubts },
      control: { ...NOTHING, received: books },
      recoveryMs: 0,
      problems: warnings,
      details: {
        false_alarms_per_1000: (1_000 * (doubts + warnings.length)) / Math.max(1, books),
        tick_changes: epochs,
        resolved: ended.size,
      },
    }
  } finally {
    await feed.close()
    await catalog.close()
    await sim.close()
    rmSync(dir, { recursive: true, force: true })
  }
}
