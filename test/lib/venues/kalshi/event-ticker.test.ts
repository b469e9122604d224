import { describe, expect, it } from 'vitest'

import { marketSuffix, parseEventTicker } from '../../../../src/lib/venues/kalshi/event-ticker.js'

const parse = (series: string, event: string, suffixes: readonly string[]) =>
  parseEventTicker(
    series,
    event,
    suffixes.map((suffix) => `${event}-${suffix}`),
  )

describe('Kalshi event tickers', () => {
  const atTime = (easternTime: string) => ({ easternTime })
  const game = (gameNumber: 1 | 2) => ({ gameNumber })

  it.each([
    ['KXNBAGAME', 'KXNBAGAME-26JUN13NYKSAS', ['SAS', 'NYK'], '2026-06-13', ['NYK', 'SAS'], {}],
    [
      'KXMLBGAME',
      'KXMLBGAME-26JUN211335CINNYY',
      ['NYY', 'CIN'],
      '2026-06-21',
      ['CIN', 'NYY'],
      atTime('13:35'),
    ],
    [
      'KXMLBGAME',
      'KXMLBGAME-26SEP051605AZWSHG2',
      ['AZ', 'WSH'],
      '2026-09-05',
      ['AZ', 'WSH'],
      { ...atTime('16:05'), ...game(2) },
    ],
    ['KXMLBGAME', 'KXMLBGAME-26SEP05WSHATHG1', ['WSH', 'ATH'], '2026-09-05', ['WSH', 'ATH'], game(1)],
    ['KXMLBGAME', 'KXMLBGAME-26SEP050005LADSF', ['SF', 'LAD'], '2026-09-05', ['LAD', 'SF'], atTime('00:05')],
    ['KXNHLGAME', 'KXNHLGAME-26OCT10LATB', ['TB', 'LA'], '2026-10-10', ['LA', 'TB'], {}],
    ['KXNHLGAME', 'KXNHLGAME-26OCT10NJVGK', ['NJ', 'VGK'], '2026-10-10', ['NJ', 'VGK'], {}],
    ['KXNFLGAME', 'KXNFLGAME-26DEC31LALAC', ['LAC', 'LA'], '2026-12-31', ['LA', 'LAC'], {}],
    ['KXNCAAFGAME', 'KXNCAAFGAME-25DEC27M-OHFRES', ['M-OH', 'FRES'], '2025-12-27', ['M-OH', 'FRES'], {}],
    ['KXNCAAMBGAME', 'KXNCAAMBGAME-26FEB10MILWIUIN', ['IUIN', 'MILW'], '2026-02-10', ['MILW', 'IUIN'], {}],
    ['KXWNBAGAME', 'KXWNBAGAME-28FEB29LVPDX', ['LV', 'PDX'], '2028-02-29', ['LV', 'PDX'], {}],
    ['KXWNBAGAME', 'KXWNBAGAME-28FEB29CONNPDX', ['CONN', 'PDX'], '2028-02-29', ['CONN', 'PDX'], {}],
  ] as const)('%s %s with markets %j', (series, event, suffixes, easternDate, teams, more) => {
    const expected = { kind: 'moneyline', easternDate, teams, ...more }
    expect(parse(series, event, suffixes)).toEqual(expected)
    expect(parse(series, event, suffixes.toReversed())).toEqual(expected)
  })

  it.each([
    [['ARS', 'TIE', 'LFC'], { kind: 'three_way', easternDate: '2026-10-24', teams: ['ARS', 'LFC'] }],
    [['TIE', 'LFC', 'ARS'], { kind: 'three_way', easternDate: '2026-10-24', teams: ['ARS', 'LFC'] }],
    [['ARS', 'CHE', 'LFC'], 'markets_of_event_3'],
    [['ARS', 'TIE', 'TIE'], 'markets_of_event_3'],
    [['ARS', 'TIE', 'LFC', 'CHE'], 'markets_of_event_4'],
    [['ARS', 'TIE', 'CHE'], 'team_codes'],
    [['ARS', 'TIE'], 'team_codes'],
    [['ARS'], 'markets_of_event_1'],
    [[], 'markets_of_event_0'],
  ])('a soccer game with markets %j', (suffixes, expected) => {
    expect(parse('KXEPLGAME', 'KXEPLGAME-26OCT24ARSLFC', suffixes)).toEqual(expected)
  })

  it.each([
    ['KXNBAGAME-26JUN13NYKSAS', ['NYK', 'BOS'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSAS', ['NYK', 'NYK'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSASX', ['NYK', 'SAS'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSASG3', ['NYK', 'SAS'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSAS', ['NYK', 'TIE'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSAS', ['NYK', 'S4S'], 'market_suffix'],
    ['KXNBAGAME-26JUN31NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-27FEB29NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-26JUX13NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-26JUN00NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-26JUN132565NYKSAS', ['NYK', 'SAS'], 'event_ticker'],
    ['KXNBAGAME-26JUN132400NYKSAS', ['NYK', 'SAS'], 'event_ticker'],
    ['KXNBAGAME-UNPARSEABLE', ['NYK', 'SAS'], 'event_ticker'],
    ['KXNBASPREAD-26JUN13NYKSAS', ['NYK', 'SAS'], 'event_ticker'],
    ['KXNBAGAME-26JUN13', ['NYK', 'SAS'], 'event_ticker'],
  ] as const)('%s with markets %j is refused: %s', (event, suffixes, reason) => {
    expect(parse('KXNBAGAME', event, suffixes)).toBe(reason)
  })

  it.each([
    ['KXNBAGAME-26JUN13NYKSAS-NYK', 'NYK'],
    ['KXNBAGAME-26JUN13NYKSAS-', undefined],
    ['KXNBAGAME-26JUN13NYKSAS', undefined],
    ['KXNBAGAME-26JUN13NYKSAS-N1K', undefined],
    ['KXNBAGAME-26JUN14NYKSAS-NYK', undefined],
    ['KXNBAGAME-26JUN13NYKSAS-NYK-X', undefined],
  ])('the suffix of %s is %s', (ticker, suffix) => {
    expect(marketSuffix('KXNBAGAME-26JUN13NYKSAS', ticker)).toBe(suffix)
  })
})
