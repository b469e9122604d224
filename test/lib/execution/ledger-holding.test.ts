import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { Ledger } from '../../../src/lib/execution/ledger.js'
import type { Outcome, Side, Venue } from '../../../src/lib/model/venue.js'

const GAME = 'g'
let dataDir: string
let ledger: Ledger
let orders = 0
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'arbees-holding-'))
  ledger = Ledger.open({ dataDir, env: 'sim', mode: 'live', clock: systemClock })
})
afterEach(() => {
  ledger.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** One order of ten contracts, `filled` of it with an end of that kind; none where it is in flight. */
type Traded = readonly [
  side: Side,
  outcome: Outcome,
  end?: 'filled' | 'partial' | 'none' | 'rejected' | 'unknown',
  filled?: number,
  more?: {
    readonly venue?: Venue
    readonly settled?: true
    readonly voided?: number
    readonly market?: string
  },
]

function trade([side, outcome, end, filled = 10, more = {}]: Traded): void {
  const { venue = 'kalshi', market: marketId = 'm' } = more
  const subject = { signalId: `s${++orders}`, orderId: `o${orders}`, gameId: GAME }
  ledger.intent(subject, { request: { venue, marketId, outcome, side }, sizeE2: 1000 }, '{}')
  if (end === 'unknown') ledger.append(end, subject, { left: true, filledE6: filled * 1e6 })
  else if (end === 'filled' || end === 'partial') ledger.append(end, subject, { filledE6: filled * 1e6 })
  else if (end !== undefined) ledger.append(end, subject)
  const { signalId, orderId, gameId } = subject
  if (more.voided !== undefined)
    ledger.append('naked', { signalId, gameId }, { reason: 'voided', orderId, voidedE6: more.voided * 1e6 })
  if (more.settled === true) ledger.append('settled', { signalId, orderId })
}

const poly = { venue: 'poly', settled: true } as const

describe('what is held for certain', () => {
  it.each<[string, number, Traded[]]>([
    ['is nothing where nothing was traded', 0, []],
    [
      'is what was bought',
      13,
      [
        ['buy', 'yes', 'filled'],
        ['buy', 'yes', 'partial', 3],
      ],
    ],
    [
      'is less what was sold',
      6,
      [
        ['buy', 'yes', 'filled'],
        ['sell', 'yes', 'partial', 4],
      ],
    ],
    ['is not what was bought of the other outcome', -10, [['buy', 'no', 'filled']]],
    ['is what was sold of the other outcome', 10, [['sell', 'no', 'filled']]],
    [
      'is not what found no seller',
      0,
      [
        ['buy', 'yes', 'none'],
        ['buy', 'yes', 'rejected'],
      ],
    ],
    [
      'is not what is being bought',
      10,
      [
        ['buy', 'yes', 'filled'],
        ['buy', 'yes'],
      ],
    ],
    [
      'is less all that is being sold',
      0,
      [
        ['buy', 'yes', 'filled'],
        ['sell', 'yes'],
      ],
    ],
    [
      'is less all that may have been sold',
      0,
      [
        ['buy', 'yes', 'filled'],
        ['sell', 'yes', 'unknown', 2],
      ],
    ],
    ['is not what may have been bought', 0, [['buy', 'yes', 'unknown', 2]]],
    ['is not what another market holds', 0, [['buy', 'yes', 'filled', 10, { market: 'other' }]]],
    ['is not what another venue holds', 0, [['buy', 'yes', 'filled', 10, poly]]],
  ])('%s', (_name, held, traded) => {
    traded.forEach(trade)
    const market = {
      venue: 'kalshi',
      marketId: 'm',
      gameId: GAME,
      outcome: 'yes',
      mustSettle: false,
    } as const
    expect(ledger.heldE6(market)).toBe(held * 1e6)
  })

  it.each<[string, number, Traded[]]>([
    [
      'is what has settled',
      10,
      [
        ['buy', 'yes', 'filled', 10, poly],
        ['buy', 'yes', 'filled', 5, { venue: 'poly' }],
      ],
    ],
    ['is not what was given up', 7, [['buy', 'yes', 'filled', 10, { ...poly, voided: 3 }]]],
    [
      'is each outcome for itself',
      10,
      [
        ['buy', 'yes', 'filled', 10, poly],
        ['buy', 'no', 'filled', 10, poly],
      ],
    ],
    ['is less a sale that has not settled', 6, [['buy', 'yes', 'filled', 10, poly], ['sell', 'yes', 'filled', 4, { venue: 'poly' }]]], // prettier-ignore
  ])('%s, where fills are provisional', (_name, held, traded) => {
    traded.forEach(trade)
    const market = { venue: 'poly', marketId: 'm', gameId: GAME, outcome: 'yes', mustSettle: true } as const
    expect(ledger.heldE6(market)).toBe(held * 1e6)
  })

  it('is less what somebody sold beside us, and not more for what he bought', () => {
    trade(['buy', 'yes', 'filled'])
    const market = {
      venue: 'kalshi',
      marketId: 'm',
      gameId: GAME,
      outcome: 'yes',
      mustSettle: false,
    } as const
    ledger.append('accepted', {}, { venue: 'kalshi', positions: { m: -4_000_000 } })
    expect(ledger.heldE6(market)).toBe(6e6)
    ledger.append('accepted', {}, { venue: 'kalshi', positions: { m: 4_000_000 } })
    expect(ledger.heldE6(market)).toBe(10e6)
  })
})
