import { describe, expect, it } from 'vitest'

import { AnnouncedChanges } from '../../../../src/lib/venues/kalshi/announced-changes.js'
import type { CatalogChange } from '../../../../src/lib/venues/kalshi/catalog-change.js'
import { gamesOf } from '../../../../src/lib/venues/kalshi/listing.js'
import { EVENT, NOW_MS, entry, eventEntry, listing } from './listings.js'

const SAS = `${EVENT}-SAS`
const S = 1_000_000
const status = (word: string, ticker = SAS): CatalogChange => ({
  ...{ kind: 'market_status', ticker, status: word },
})
const fees = (feeMultiplier: number | null): CatalogChange => ({
  ...{ kind: 'event_fees', eventTicker: EVENT, fees: { feeType: null, feeMultiplier } },
})

/** What was told at which second, and what a listing asked for at `askedS` then shows: the status of SAS, or the rate. */
function shown(told: readonly (readonly [number, CatalogChange])[], askedS: number, listed = {}) {
  const announced = new AnnouncedChanges(['KXNBAGAME'])
  for (const [atS, change] of told) announced.hear(change, atS * S)
  const { market = {}, event = {} } = listed as { market?: object; event?: object }
  const told2 = { eventEntries: [eventEntry(event)] }
  const after = announced.over(listing([entry('SAS', market), entry('NYK')], told2), askedS * S)
  const { markets } = gamesOf(after, 'nba', NOW_MS)
  return { status: after.markets.get(SAS)?.status, rate: markets[0]?.fees.ratePpm, announced, after }
}

describe('a listing that may be older than what was announced', () => {
  it.each([
    ['asked for before a pause', [[10, status('inactive')]], 9, 'inactive'],
    ['asked for soon after it, from a copy', [[10, status('inactive')]], 29, 'inactive'],
    ['asked for surely later: the venue says that it trades', [[10, status('inactive')]], 31, 'active'],
    [
      'the pause has ended since',
      [
        [10, status('inactive')],
        [12, status('active')],
      ],
      13,
      'active',
    ],
    ['another market pauses', [[10, status('inactive', `${EVENT}-NYK`)]], 11, 'active'],
    [
      'another series’ market of the same words',
      [[10, status('inactive', `KXNBAGAMEX-${SAS}`)]],
      11,
      'active',
    ],
  ] as [string, [number, CatalogChange][], number, string][])('%s', (_, told, askedS, expected) => {
    expect(shown(told, askedS).status).toBe(expected)
  })

  it('opens no market on an old word when something was missed since', () => {
    const listed = { market: { status: 'inactive' } }
    const opened: [number, CatalogChange] = [10, status('active')]
    expect(shown([opened], 12, listed).status).toBe('active')
    expect(shown([opened, [11, { kind: 'missed' }]], 12, listed).status).toBe('inactive')
    expect(
      shown(
        [
          [10, status('inactive')],
          [11, { kind: 'missed' }],
        ],
        12,
      ).status,
    ).toBe('inactive')
  })

  it('charges the dearer of its own fee and the one that was announced, until it must know', () => {
    const halved = { event: { fee_multiplier_override: 0.5 } }
    expect(shown([[10, fees(2)]], 12).rate).toBe(140_000)
    expect(shown([[10, fees(2)]], 31).rate).toBe(70_000)
    expect(shown([[10, fees(0.5)]], 12).rate).toBe(70_000)
    expect(shown([[10, fees(null)]], 12, halved).rate).toBe(70_000)
    expect(shown([], 12, halved).rate).toBe(35_000)
  })

  it('keeps a new closing time and new prices too', () => {
    const { after } = shown(
      [
        [10, { kind: 'market_close', ticker: SAS, closeMs: 7 }],
        [10, { kind: 'market_prices', ticker: SAS, grid: undefined }],
      ],
      11,
    )
    expect(after.markets.get(SAS)).toMatchObject({ closeMs: 7, grid: undefined })
  })

  it('is the same one again when a later one knew', () => {
    const { announced } = shown([[10, status('inactive')]], 31)
    const late = listing([entry('SAS'), entry('NYK')])
    expect(announced.over(late, 11 * S)).toBe(late)
  })
})
