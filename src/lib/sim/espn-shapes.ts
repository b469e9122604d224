/** ESPN's scoreboard shapes, with the field paths that readers rely on. */

import { viewGame, type GameView, type SimGame } from './market.js'
import { LEAGUE_FACTS, type SimLeague, type SimTeam } from './teams.js'

const ORDINALS = ['', '1st', '2nd', '3rd', '4th'] as const

export function scoreboardShape(league: SimLeague, dates: string, events: readonly unknown[]): unknown {
  const facts = LEAGUE_FACTS[league]
  const year = Number(dates.slice(0, 4))
  const day = [dates.slice(0, 4), dates.slice(4, 6), dates.slice(6, 8)]
    .filter((part) => part !== '')
    .join('-')
  return {
    leagues: [
      {
        id: facts.espnLeagueId,
        uid: `s:${facts.espnSportId}~l:${facts.espnLeagueId}`,
        name: facts.espnName,
        abbreviation: league.toUpperCase(),
        slug: league,
        season: { year, type: { id: '2', type: 2, name: 'Regular Season', abbreviation: 'reg' } },
        calendarType: 'day',
        calendarIsWhitelist: true,
        calendar: [],
      },
    ],
    season: { type: 2, year },
    day: { date: day },
    events,
  }
}

export function eventShape(game: SimGame, atMs: number): unknown {
  const facts = LEAGUE_FACTS[game.league]
  const uid = `s:${facts.espnSportId}~l:${facts.espnLeagueId}~e:${game.gameId}`
  // No seconds, as the scoreboard writes dates.
  const date = `${new Date(game.startMs).toISOString().slice(0, 16)}Z`
  const view = viewGame(game, atMs)
  const status = statusShape(game, view)
  return {
    id: game.gameId,
    uid,
    date,
    name: `${full(game.away)} at ${full(game.home)}`,
    shortName: `${game.away.espn} @ ${game.home.espn}`,
    season: { year: Number(game.easternDate.slice(0, 4)), type: 2, slug: 'regular-season' },
    competitions: [
      {
        id: game.gameId,
        uid: `${uid}~c:${game.gameId}`,
        date,
        type: { id: '1', abbreviation: 'STD' },
        timeValid: true,
        neutralSite: false,
        recent: true,
        competitors: [competitor(game, view, 'home'), competitor(game, view, 'away')],
        ...(view.status === 'live' && view.lastPlay !== undefined && { situation: situation(game, view) }),
        status,
        format: { regulation: { periods: facts.periods } },
        startDate: date,
      },
    ],
    status,
  }
}

const full = (team: SimTeam): string => `${team.city} ${team.name}`

function competitor(game: SimGame, view: GameView, homeAway: 'home' | 'away'): unknown {
  const facts = LEAGUE_FACTS[game.league]
  const team = game[homeAway]
  const uid = `s:${facts.espnSportId}~l:${facts.espnLeagueId}~t:${team.espnId}`
  const other = homeAway === 'home' ? view.away : view.home
  return {
    id: team.espnId,
    uid,
    type: 'team',
    order: homeAway === 'home' ? 0 : 1,
    homeAway,
    ...(view.status === 'final' && { winner: view[homeAway] > other }),
    team: {
      id: team.espnId,
      uid,
      location: team.city,
      name: team.name,
      abbreviation: team.espn,
      displayName: full(team),
      shortDisplayName: team.name,
      isActive: true,
    },
    score: String(view[homeAway]),
    records: [{ name: 'overall', abbreviation: 'Total', type: 'total', summary: '0-0' }],
  }
}

function statusShape(game: SimGame, view: GameView): unknown {
  const { periodName } = LEAGUE_FACTS[game.league]
  switch (view.status) {
    case 'pre':
      return {
        clock: 0,
        displayClock: '0:00',
        period: 0,
        type: statusType('1', 'STATUS_SCHEDULED', 'pre', 'Scheduled', 'Scheduled', 'Scheduled'),
      }
    case 'final':
      return {
        clock: 0,
        displayClock: '0.0',
        period: view.period,
        type: statusType('3', 'STATUS_FINAL', 'post', 'Final', 'Final', 'Final'),
      }
    case 'live': {
      const clock = Math.floor(view.clockS)
      const text = `${Math.floor(clock / 60)}:${String(clock % 60).padStart(2, '0')}`
      const ordinal = ORDINALS[view.period] ?? `${view.period}th`
      return {
        clock,
        displayClock: text,
        period: view.period,
        type: statusType(
          '2',
          'STATUS_IN_PROGRESS',
          'in',
          'In Progress',
          `${text} - ${ordinal} ${periodName}`,
          `${text} - ${ordinal}`,
        ),
      }
    }
  }
}

function statusType(
  id: string,
  name: string,
  state: 'pre' | 'in' | 'post',
  description: string,
  detail: string,
  shortDetail: string,
): unknown {
  return { id, name, state, completed: state === 'post', description, detail, shortDetail }
}

/** What the last play says; win probability is there for basketball and football, not for hockey. */
function situation(game: SimGame, view: GameView): unknown {
  const play = view.lastPlay
  if (play === undefined) return {}
  const number = game.plays.indexOf(play) + 1
  let homeE4 = game.openingFairE4
  for (const past of game.plays.slice(0, number)) homeE4 += past.moveE4
  const home = Math.min(0.99, Math.max(0.01, Math.round(homeE4 / 10) / 1000))
  const team = game[play.side]
  const lastPlay = {
    id: `${game.gameId}${String(number).padStart(3, '0')}`,
    type: { id: '1', text: play.points > 0 ? 'Score' : 'Play' },
    text: play.text,
    scoreValue: play.points,
    team: { id: team.espnId },
    ...(game.league !== 'nhl' && {
      probability: {
        tiePercentage: 0,
        homeWinPercentage: home,
        awayWinPercentage: Math.round((1 - home) * 1000) / 1000,
      },
    }),
  }
  if (game.league !== 'nfl') return { lastPlay }
  return {
    lastPlay,
    down: 1 + (number % 4),
    distance: 10,
    yardLine: 20 + ((number * 17) % 60),
    possession: game[play.side === 'home' ? 'away' : 'home'].espnId,
    isRedZone: false,
    homeTimeouts: 2,
    awayTimeouts: 2,
  }
}
