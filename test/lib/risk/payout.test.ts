import { describe, expect, it } from 'vitest'
import type { SettlementRules } from '../../../src/lib/model/settlement.js'
import type { Signal } from '../../../src/lib/model/signal.js'
import { payoutDenial } from '../../../src/lib/risk/payout.js'
import type { PayoutQuestion } from '../../../src/lib/risk/payout.js'
import { kalshiMarket, polyMarket, signal } from './samples.js'

const KNOWN: SettlementRules = {
  overtime: 'included',
  tie: 'impossible',
  postponed: 'stays',
  canceled: 'half',
}
const TEAMS = ['MIA', 'BOS'] as const

/** Asks of 20 contracts, by default with real money and with rules that are known. */
function denialOf(
  change: Partial<Signal>,
  [poly, kalshi]: readonly [Partial<SettlementRules>, Partial<SettlementRules>] = [{}, {}],
  more: Partial<PayoutQuestion> = {},
) {
  const markets = [
    polyMarket({ settlement: { ...KNOWN, ...poly } }),
    kalshiMarket({ settlement: { ...KNOWN, ...kalshi } }),
  ]
  const plan = { ...signal(), ...change }
  return payoutDenial({ signal: plan, markets, teams: TEAMS, isRealMoney: true, ...more })
}

describe('what a plan pays, by the markets that exec was told of', () => {
  it('must be what its signal says', () => {
    expect(denialOf({})).toBeUndefined()
    expect(denialOf({ worstPayoutMicros: 20_000_001 })).toBe('PAYOUT_OVERSTATED')
    expect(denialOf({ worstPayoutMicros: 19_000_000 })).toBeUndefined()
  })

  it('is less where the legs do not cover every end of the game, whatever the signal says', () => {
    const [poly, kalshi] = signal().legs
    expect(denialOf({ legs: [{ ...poly!, outcome: 'yes' }, kalshi!] })).toBe('PAYOUT_OVERSTATED')
    const differ = [{ tie: 'half' }, { tie: 'no' }] as const
    expect(denialOf({}, differ)).toBe('PAYOUT_OVERSTATED')
    expect(denialOf({ worstPayoutMicros: 10_000_000 }, differ)).toBeUndefined()
  })

  it.each([
    ['overtime', { overtime: 'unknown' }],
    ['a tie', { tie: 'unknown' }],
    ['a postponed game', { postponed: 'unknown' }],
    ['a canceled game', { canceled: 'unknown' }],
  ] as const)('must be known for %s where money is real', (_, rules) => {
    for (const both of [[rules, {}] as const, [{}, rules] as const]) {
      expect(denialOf({}, both)).toBe('SETTLEMENT_UNKNOWN')
      expect(denialOf({}, both, { isRealMoney: false })).toBeUndefined()
    }
  })

  it('is unknown where no message has told of it', () => {
    const markets = [polyMarket(), kalshiMarket()]
    expect(denialOf({}, undefined, { markets })).toBe('SETTLEMENT_UNKNOWN')
  })

  it("is nobody's promise in an order that somebody typed", () => {
    expect(denialOf({ kind: 'manual', worstPayoutMicros: 1e9 })).toBeUndefined()
  })

  it.each([true, false])(
    'is nothing where a market or its game is not known (real money: %s)',
    (isRealMoney) => {
      const poly = polyMarket({ settlement: KNOWN })
      for (const markets of [[poly, undefined], [undefined, kalshiMarket()], [poly], []])
        expect(denialOf({}, undefined, { markets, isRealMoney })).toBe('UNKNOWN_MARKET')
      expect(denialOf({}, undefined, { teams: undefined, isRealMoney })).toBe('UNKNOWN_MARKET')
    },
  )
})
