/** Kalshi under the faults of a venue. */

import { systemClock } from '../../src/lib/core/clock.js'
import { subscribeBooks } from '../../src/lib/venues/kalshi/commands.js'
import { KalshiFeed } from '../../src/lib/venues/kalshi/feed.js'
import { rsaCredentials } from '../lib/venues/kalshi/keys.js'
import { catalogMarket } from '../lib/venues/kalshi/markets.js'
import type { FaultCase } from './fault-case.js'
import { venueCases } from './venue-cases.js'

const TICKERS = ['KXNBAGAME-26JAN15MIABOS-MIA', 'KXNBAGAME-26JAN15MIABOS-BOS', 'KXNHLGAME-26JAN15NYRBOS-NYR']

export const kalshiCases = (): FaultCase[] =>
  venueCases({
    family: 'kalshi',
    program: 'kalshi-venue-child',
    config: { tickers: TICKERS },
    markets: TICKERS.map(catalogMarket),
    marks: ['BROKEN'],
    createFeed: ({ url }, listener) =>
      new KalshiFeed({ wsUrl: String(url), credentials: rsaCredentials(), clock: systemClock, listener }),
    naive: ({ url }) => ({
      url: String(url),
      subscription: JSON.stringify(subscribeBooks(1, TICKERS, false)),
    }),
  })
