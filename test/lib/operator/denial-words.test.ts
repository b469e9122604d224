import { describe, expect, it } from 'vitest'
import type { VenueDenialCode } from '../../../src/lib/model/admission.js'
import { checkFigure, denialSentence } from '../../../src/lib/operator/denial-words.js'
import type { DenialCode } from '../../../src/lib/risk/limits.js'

interface Row {
  readonly checks: Parameters<typeof denialSentence>[1]
  /** What the sentence must tell beside its words. */
  readonly tells: readonly string[]
}

const none: Row = { checks: [], tells: [] }
const check = (name: string, value: number, limit: number, ...tells: string[]): Row => ({
  checks: [
    { name: 'age_ms', value: 3, limit: 1_500 },
    { name, value, limit },
  ],
  tells,
})

/** A new code needs a row here and a sentence there, or this does not compile. */
const VENUE_CODES: Readonly<Record<VenueDenialCode, Row>> = {
  RATE_LIMITED: check('write_tokens', 20, 6, '20 tokens needed', '6 there'),
  SHARD_CASH: check('shard_3_cash_micros', 37_100_000, 12_000_000, '$37.10', '$12.00', 'shard 3'),
  CASH_UNKNOWN: check('cash_age_ms', 75_000, 59_000, '1m15s', '59.0s'),
  EXCHANGE_PAUSED: check('shard_0_paused', 1, 0, 'shard 0'),
  MARKET_CLOSED: check('market_closed', 1, 0),
  ORDER_GROUP: check('shard_3_group', 1, 0, 'shard 3', 'arbees resume'),
}

const CODES: Readonly<Record<DenialCode | 'INTERRUPTED' | 'LEDGER_DUPLICATE', Row>> = {
  ...VENUE_CODES,
  BAD_PLAN: none,
  UNKNOWN_MARKET: check('age_ms', 3, 1_500),
  PAYOUT_OVERSTATED: none,
  SETTLEMENT_UNKNOWN: none,
  EXPIRED: check('age_ms', 1_900, 1_500, '1.9s', '1.5s'),
  FROM_FUTURE: check('age_ms', -400, 1_500, '400ms'),
  HALTED: check('age_ms', 3, 1_500, 'arbees resume'),
  STOPPING: none,
  RECOVERING: none,
  INTERRUPTED: none,
  LEDGER_FAILED: none,
  LEDGER_DUPLICATE: none,
  GAME_FINAL: none,
  QUARANTINED: none,
  PLAN_OPEN: none,
  NOT_HELD: check('sold_contracts_0', 5, 4, '5 asked for', '4 held'),
  ORDER_LIMIT: check('order_micros_1', 51_200_000, 50_000_000, '$51.20', 'limits.order_usd', '$50.00'),
  GAME_LIMIT: check('game_micros', 151_200_000, 150_000_000, '$151.20', 'limits.game_usd', '$150.00'),
  TOTAL_LIMIT: check('total_micros', 500_010_000, 500_000_000, '$500.01', 'limits.total_usd', '$500.00'),
  NOT_PLANNED: none,
}

describe('the sentence of a refusal', () => {
  it.each(Object.entries(CODES))('%s tells what was found and what is allowed', (code, { checks, tells }) => {
    const sentence = denialSentence(code, checks)
    expect(sentence).toMatch(/^[a-z].{8,}[^.:]$/)
    for (const figure of tells) expect(sentence).toContain(figure)
    // An older exec told no checks.
    expect(denialSentence(code)).toMatch(/^[a-z].{8,}[^.:]$/)
  })

  it('each code has its own', () => {
    const sentences = Object.keys(CODES).map((code) => denialSentence(code))
    expect(new Set(sentences).size).toBe(sentences.length)
  })

  it('is what follows the code where exec tells one, and none for a code of another version', () => {
    expect(denialSentence('OVERSIZE: it would spend 7: too much')).toBe('it would spend 7: too much')
    expect(denialSentence('SOMETHING_NEW')).toBeUndefined()
    expect(denialSentence('toString')).toBeUndefined()
  })

  it('names the account where the market names no shard', () => {
    const checks = [{ name: 'account_cash_micros', value: 2e6, limit: 1e6 }]
    expect(denialSentence('SHARD_CASH', checks)).toContain('$1.00 free on the account')
  })

  it.each([
    ['order_micros_0', 51_200_000, '$51.20'],
    ['total_micros', 50_000_100, '$50.0001'],
    ['age_ms', 44, '44ms'],
    ['write_tokens', 1_200, '1,200'],
  ])('%s %d reads %s', (name, value, text) => {
    expect(checkFigure(name, value)).toBe(text)
  })
})
