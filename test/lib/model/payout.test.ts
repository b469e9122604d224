import { describe, expect, it } from 'vitest'
import { worstPayout } from '../../../src/lib/model/payout.js'
import type { SettledLeg, SettlementRow } from '../../../src/lib/model/payout.js'
import type { SettlementRules } from '../../../src/lib/model/settlement.js'

const TEAMS = ['KC', 'BUF'] as const
/** Overtime counts, no ties, a postponed game is waited for, a canceled one pays half. */
const PLAIN: SettlementRules = {
  overtime: 'included',
  tie: 'impossible',
  postponed: 'stays',
  canceled: 'half',
}

/** `kalshi KC yes`, with rules beside the plain ones. */
function leg(
  text: string,
  rules: Partial<SettlementRules> | 'none' = {},
  kind: SettledLeg['kind'] = 'moneyline',
) {
  const [venue, selection, outcome] = text.split(' ') as [SettledLeg['venue'], string, SettledLeg['outcome']]
  const known = rules === 'none' ? {} : { settlement: { ...PLAIN, ...rules } }
  return { venue, kind, selection, outcome, ...known }
}
type Rules = Parameters<typeof leg>[1]

const pays = (...legs: SettledLeg[]) => {
  const { micros, row, unknown } = worstPayout(legs, TEAMS)
  return [micros / 1e6, row, unknown.join(' ')]
}
/** A team at Kalshi and its opponents at Polymarket, one set of rules for each. */
const cross = (kalshi: Rules, poly: Rules) => pays(leg('kalshi KC yes', kalshi), leg('poly KC no', poly))
/** YES, or NO, of both teams' markets at Kalshi. */
const mirrored = (outcome: string, kc: Rules, buf: Rules = kc) =>
  pays(leg(`kalshi KC ${outcome}`, kc), leg(`kalshi BUF ${outcome}`, buf))
const basket = (outcome: string, rules: Rules, draw: Rules = rules) =>
  pays(
    leg(`kalshi KC ${outcome}`, rules, 'three_way'),
    leg(`kalshi BUF ${outcome}`, rules, 'three_way'),
    leg(`poly draw ${outcome}`, draw, 'three_way'),
  )

type Paid = ReturnType<typeof pays>
const SOCCER = { overtime: 'excluded', tie: 'no' } as const
const sure = (dollars: number): Paid => [dollars, 'regulation', '']
const worst = (dollars: number, row: SettlementRow, unknown = ''): Paid => [dollars, row, unknown]

describe('what contracts pay together at worst', () => {
  it.each<[string, Paid, Paid]>([
    ['the same rules on both venues', cross({}, {}), sure(1)],
    ['NFL: a tie pays half on both', cross({ tie: 'half' }, { tie: 'half' }), sure(1)],
    ['a tie pays half here and nothing to YES there', cross({ tie: 'half' }, { tie: 'no' }), sure(1)],
    ['and the other way round', cross({ tie: 'no' }, { tie: 'half' }), worst(0.5, 'tie')],
    ['a tie pays YES nothing on either', cross({ tie: 'no' }, { tie: 'no' }), sure(1)],
    [
      'one says that there is none, the other pays half',
      cross({}, { tie: 'half' }),
      worst(1, 'regulation', 'tie postponed'),
    ],
    [
      'overtime is excluded here, where a draw after regulation pays half',
      cross({ overtime: 'excluded', tie: 'half' }, { tie: 'half' }),
      worst(0.5, 'overtime'),
    ],
    [
      'overtime is excluded here, where a draw after regulation pays nothing',
      cross({ overtime: 'excluded', tie: 'no' }, { tie: 'no' }),
      worst(0, 'overtime'),
    ],
    [
      'overtime is excluded here, and nobody says what a draw pays',
      cross({ overtime: 'excluded' }, {}),
      worst(1, 'regulation', 'overtime postponed'),
    ],
    [
      'a postponed game is waited for here, and not there',
      cross({}, { postponed: 'fair' }),
      worst(0, 'postponed'),
    ],
    ['it is waited for here and pays half there', cross({}, { postponed: 'half' }), worst(0.5, 'postponed')],
    [
      'each venue chooses a price for it',
      cross({ postponed: 'fair' }, { postponed: 'fair' }),
      worst(0, 'postponed'),
    ],
    ['it pays half on both', cross({ postponed: 'half' }, { postponed: 'half' }), sure(1)],
    [
      'a canceled game pays half here and what the venue likes there',
      cross({}, { canceled: 'fair' }),
      worst(0.5, 'canceled'),
    ],
    ['it pays what each likes', cross({ canceled: 'fair' }, { canceled: 'fair' }), worst(0, 'canceled')],
    [
      'nobody says what a canceled game pays',
      cross({}, { canceled: 'unknown' }),
      worst(1, 'regulation', 'canceled'),
    ],
    [
      'nobody says whether overtime counts',
      cross({ overtime: 'unknown' }, {}),
      worst(1, 'regulation', 'overtime postponed'),
    ],
    ['nobody says anything', cross('none', {}), worst(1, 'regulation', 'overtime tie postponed canceled')],
    [
      'an unknown cell hides no bad one beside it',
      cross({ tie: 'no', canceled: 'unknown' }, { tie: 'half' }),
      worst(0.5, 'tie', 'canceled'),
    ],
  ])('across venues: %s', (_, paid, expected) => {
    expect(paid).toEqual(expected)
  })

  it.each<[string, Paid, Paid]>([
    ['YES of both', mirrored('yes', {}), sure(1)],
    ['NO of both', mirrored('no', {}), sure(1)],
    ['YES of both, a tie pays nothing', mirrored('yes', { tie: 'no' }), worst(0, 'tie')],
    ['NO of both, a tie pays YES nothing', mirrored('no', { tie: 'no' }), sure(1)],
    ['YES of both, a tie pays half', mirrored('yes', { tie: 'half' }), sure(1)],
    [
      'one venue is of one mind on its price',
      mirrored('yes', { postponed: 'fair', canceled: 'fair' }),
      sure(1),
    ],
    ['its two markets differ', mirrored('yes', {}, { canceled: 'fair' }), worst(0.5, 'canceled')],
  ])('at one venue: %s', (_, paid, expected) => {
    expect(paid).toEqual(expected)
  })

  it.each<[string, Paid, Paid]>([
    ['YES of all three', basket('yes', SOCCER), sure(1)],
    ['NO of all three', basket('no', { ...SOCCER, canceled: 'fair' }), worst(1, 'canceled')],
    ['NO of all three, a canceled game pays half', basket('no', SOCCER), worst(1.5, 'canceled')],
    [
      'YES of all three, a canceled game pays what each likes',
      basket('yes', { ...SOCCER, canceled: 'fair' }),
      worst(0, 'canceled'),
    ],
    [
      'the draw counts overtime, the teams do not',
      basket('yes', SOCCER, { tie: 'no' }),
      worst(0, 'overtime'),
    ],
    [
      'nobody says what a tie is',
      basket('yes', { ...SOCCER, tie: 'unknown' }),
      worst(1, 'regulation', 'overtime tie postponed'),
    ],
  ])('of three outcomes: %s', (_, paid, expected) => {
    expect(paid).toEqual(expected)
  })

  it('a leg that pays on none of the teams counts for nothing', () => {
    expect(pays(leg('kalshi KC yes'), leg('poly NYJ no'))).toEqual(worst(0, 'regulation'))
    expect(pays(leg('kalshi KC yes'), leg('poly draw no'))).toEqual(worst(0, 'regulation'))
    expect(worstPayout([], TEAMS).micros).toBe(0)
  })

  it('YES of one team and YES of the other is a dollar, YES of one team twice is not', () => {
    expect(pays(leg('kalshi KC yes'), leg('poly BUF yes'))).toEqual(sure(1))
    expect(pays(leg('kalshi KC yes'), leg('poly KC yes'))).toEqual(worst(0, 'regulation'))
  })
})
