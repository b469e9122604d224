import { describe, expect, it } from 'vitest'

import { marketSuffix, parseEventTicker } from '../../../../src/lib/venues/kalshi/event-ticker.js'

describe('Kalshi event tickers', () => {
  it.each([
    ['KXNBAGAME', 'KXNBAGAME-26JUN13NYKSAS', ['SAS', 'NYK'], '2026-06-13', ['NYK', 'SAS']],
    ['KXMLBGAME', 'KXMLBGAME-26JUN211335CINNYY', ['NYY', 'CIN'], '2026-06-21', ['CIN', 'NYY']],
    ['KXMLBGAME', 'KXMLBGAME-26SEP051605AZWSHG2', ['AZ', 'WSH'], '2026-09-05', ['AZ', 'WSH']],
    ['KXMLBGAME', 'KXMLBGAME-26SEP05WSHATHG1', ['WSH', 'ATH'], '2026-09-05', ['WSH', 'ATH']],
    ['KXNHLGAME', 'KXNHLGAME-26OCT10LATB', ['TB', 'LA'], '2026-10-10', ['LA', 'TB']],
    ['KXNHLGAME', 'KXNHLGAME-26OCT10NJVGK', ['NJ', 'VGK'], '2026-10-10', ['NJ', 'VGK']],
    ['KXNFLGAME', 'KXNFLGAME-26DEC31LALAC', ['LAC', 'LA'], '2026-12-31', ['LA', 'LAC']],
    ['KXWNBAGAME', 'KXWNBAGAME-28FEB29LVPDX', ['LV', 'PDX'], '2028-02-29', ['LV', 'PDX']],
  ] as const)('%s %s with markets %j', (series, event, suffixes, easternDate, teams) => {
    expect(parseEventTicker(series, event, suffixes)).toEqual({ kind: 'game', easternDate, teams })
    expect(parseEventTicker(series, event, [suffixes[1], suffixes[0]])).toEqual({
      kind: 'game',
      easternDate,
      teams,
    })
  })

  it.each([
    ['KXNBAGAME-26JUN13NYKSAS', ['NYK', 'BOS'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSAS', ['NYK', 'NYK'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSASX', ['NYK', 'SAS'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSASG3', ['NYK', 'SAS'], 'team_codes'],
    ['KXNBAGAME-26JUN13NYKSAS', ['NYK', 'TIE'], 'team_codes'],
    ['KXNBAGAME-26JUN31NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-27FEB29NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-26JUX13NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-26JUN00NYKSAS', ['NYK', 'SAS'], 'event_date'],
    ['KXNBAGAME-26JUN132565NYKSAS', ['NYK', 'SAS'], 'event_ticker'],
    ['KXNBAGAME-UNPARSEABLE', ['NYK', 'SAS'], 'event_ticker'],
    ['KXNBASPREAD-26JUN13NYKSAS', ['NYK', 'SAS'], 'event_ticker'],
    ['KXNBAGAME-26JUN13', ['NYK', 'SAS'], 'event_ticker'],
  ] as const)('%s with markets %j is refused: %s', (event, suffixes, reason) => {
    expect(parseEventTicker('KXNBAGAME', event, suffixes)).toEqual({ kind: 'refused', reason })
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
