/** Entries of `GET /markets` and `GET /events` in the venue's shape, and the listing that they make, for tests. */

import { NO_FEE_CHANGES } from '../../../../src/lib/venues/kalshi/fee-changes.js'
import { readListing } from '../../../../src/lib/venues/kalshi/listing.js'

export const EVENT = 'KXNBAGAME-26JUN13NYKSAS'
export const NOW_MS = Date.parse('2026-06-13T20:00:00Z')

export const LINEAR_CENT = [{ start: '0.0000', end: '1.0000', step: '0.0100' }]
export const TAPERED = [
  { start: '0.0000', end: '0.1000', step: '0.0010' },
  { start: '0.1000', end: '0.9000', step: '0.0100' },
  { start: '0.9000', end: '1.0000', step: '0.0010' },
]

export const entry = (team: string, more: object = {}): Record<string, unknown> => ({
  ticker: `${EVENT}-${team}`,
  event_ticker: EVENT,
  status: 'active',
  market_type: 'binary',
  notional_value_dollars: '1.0000',
  price_ranges: LINEAR_CENT,
  fractional_trading_enabled: true,
  exchange_index: 3,
  title: `${team} wins`,
  yes_sub_title: 'San Antonio',
  no_sub_title: 'San Antonio',
  ...more,
})

export const eventEntry = (more: object = {}): Record<string, unknown> => ({
  event_ticker: EVENT,
  series_ticker: 'KXNBAGAME',
  mutually_exclusive: true,
  sub_title: 'NYK at SAS (Jun 13)',
  ...more,
})

export type Told = Parameters<typeof readListing>[0]

export const listing = (marketEntries: readonly unknown[], more: Partial<Told> = {}) =>
  readListing({
    series: 'KXNBAGAME',
    seriesFees: { feeType: 'quadratic_with_maker_fees', feeMultiplier: 1 },
    feeChanges: NO_FEE_CHANGES,
    askedMs: NOW_MS,
    eventEntries: [eventEntry()],
    marketEntries,
    ...more,
  })
