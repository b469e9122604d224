/**
 * Leagues and teams as each party spells them. The codes that differ between ESPN, Kalshi and Polymarket come
 * first in every list, so that a scenario's first games always exercise the alias tables.
 */

export const SIM_LEAGUES = ['nba', 'nhl', 'nfl'] as const
export type SimLeague = (typeof SIM_LEAGUES)[number]

export interface SimTeam {
  /** ESPN's team id and abbreviation. */
  readonly espnId: string
  readonly espn: string
  /** Upper case, as in market tickers. */
  readonly kalshi: string
  /** Lower case, as in slugs. */
  readonly poly: string
  readonly city: string
  readonly name: string
}

export interface LeagueFacts {
  readonly sport: 'basketball' | 'hockey' | 'football'
  readonly espnName: string
  /** ESPN's numeric ids in `uid`. */
  readonly espnSportId: string
  readonly espnLeagueId: string
  readonly periods: number
  readonly periodSeconds: number
  readonly periodName: string
  readonly kalshiSeries: string
  readonly kalshiTitle: string
  readonly kalshiStrike: string
  /** Which exchange shard holds the series: basketball moved to 3 in September 2026. */
  readonly exchangeIndex: number
  readonly gammaSeries: string
  readonly gammaTag: string
  readonly teams: readonly SimTeam[]
}

function team(
  espnId: string,
  espn: string,
  kalshi: string,
  poly: string,
  city: string,
  name: string,
): SimTeam {
  return { espnId, espn, kalshi, poly, city, name }
}

export const LEAGUE_FACTS: Readonly<Record<SimLeague, LeagueFacts>> = {
  nba: {
    sport: 'basketball',
    espnName: 'National Basketball Association',
    espnSportId: '40',
    espnLeagueId: '46',
    periods: 4,
    periodSeconds: 720,
    periodName: 'Quarter',
    kalshiSeries: 'KXNBAGAME',
    kalshiTitle: 'Professional Basketball Game',
    kalshiStrike: 'basketball_team',
    exchangeIndex: 3,
    gammaSeries: '10345',
    gammaTag: '745',
    teams: [
      team('9', 'GS', 'GSW', 'gsw', 'Golden State', 'Warriors'),
      team('26', 'UTAH', 'UTA', 'uta', 'Utah', 'Jazz'),
      team('27', 'WSH', 'WAS', 'was', 'Washington', 'Wizards'),
      team('18', 'NY', 'NYK', 'nyk', 'New York', 'Knicks'),
      team('24', 'SA', 'SAS', 'sas', 'San Antonio', 'Spurs'),
      team('3', 'NO', 'NOP', 'nop', 'New Orleans', 'Pelicans'),
      team('2', 'BOS', 'BOS', 'bos', 'Boston', 'Celtics'),
      team('14', 'MIA', 'MIA', 'mia', 'Miami', 'Heat'),
      team('21', 'PHX', 'PHX', 'phx', 'Phoenix', 'Suns'),
      team('13', 'LAL', 'LAL', 'lal', 'Los Angeles', 'Lakers'),
      team('7', 'DEN', 'DEN', 'den', 'Denver', 'Nuggets'),
      team('15', 'MIL', 'MIL', 'mil', 'Milwaukee', 'Bucks'),
    ],
  },
  nhl: {
    sport: 'hockey',
    espnName: 'National Hockey League',
    espnSportId: '70',
    espnLeagueId: '90',
    periods: 3,
    periodSeconds: 1200,
    periodName: 'Period',
    kalshiSeries: 'KXNHLGAME',
    kalshiTitle: 'Professional Hockey Game',
    kalshiStrike: 'hockey_team',
    exchangeIndex: 0,
    gammaSeries: '10346',
    gammaTag: '899',
    teams: [
      team('8', 'LA', 'LA', 'lak', 'Los Angeles', 'Kings'),
      team('10', 'MTL', 'MTL', 'mon', 'Montreal', 'Canadiens'),
      team('3', 'CGY', 'CGY', 'cal', 'Calgary', 'Flames'),
      team('37', 'VGK', 'VGK', 'las', 'Vegas', 'Golden Knights'),
      team('129764', 'UTAH', 'UTA', 'utah', 'Utah', 'Mammoth'),
      team('1', 'BOS', 'BOS', 'bos', 'Boston', 'Bruins'),
      team('13', 'NYR', 'NYR', 'nyr', 'New York', 'Rangers'),
      team('21', 'TOR', 'TOR', 'tor', 'Toronto', 'Maple Leafs'),
      team('11', 'NJ', 'NJ', 'nj', 'New Jersey', 'Devils'),
      team('20', 'TB', 'TB', 'tb', 'Tampa Bay', 'Lightning'),
      team('6', 'EDM', 'EDM', 'edm', 'Edmonton', 'Oilers'),
      team('17', 'COL', 'COL', 'col', 'Colorado', 'Avalanche'),
    ],
  },
  nfl: {
    sport: 'football',
    espnName: 'National Football League',
    espnSportId: '20',
    espnLeagueId: '28',
    periods: 4,
    periodSeconds: 900,
    periodName: 'Quarter',
    kalshiSeries: 'KXNFLGAME',
    kalshiTitle: 'Professional Football Game',
    kalshiStrike: 'football_team',
    exchangeIndex: 0,
    gammaSeries: '10187',
    gammaTag: '450',
    teams: [
      team('30', 'JAX', 'JAC', 'jax', 'Jacksonville', 'Jaguars'),
      team('28', 'WSH', 'WAS', 'was', 'Washington', 'Commanders'),
      team('14', 'LAR', 'LAR', 'la', 'Los Angeles', 'Rams'),
      team('2', 'BUF', 'BUF', 'buf', 'Buffalo', 'Bills'),
      team('12', 'KC', 'KC', 'kc', 'Kansas City', 'Chiefs'),
      team('25', 'SF', 'SF', 'sf', 'San Francisco', '49ers'),
      team('8', 'DET', 'DET', 'det', 'Detroit', 'Lions'),
      team('9', 'GB', 'GB', 'gb', 'Green Bay', 'Packers'),
      team('6', 'DAL', 'DAL', 'dal', 'Dallas', 'Cowboys'),
      team('3', 'CHI', 'CHI', 'chi', 'Chicago', 'Bears'),
    ],
  },
}
