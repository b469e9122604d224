import { describe, expect, it } from 'vitest'
import { TEAM_CODES, TeamCodeBook, spellingsOf } from '../../../src/lib/games/team-codes.js'
import type { Speller } from '../../../src/lib/games/team-codes.js'
import { LEAGUES } from '../../../src/lib/model/game.js'
import type { League } from '../../../src/lib/model/game.js'

const codes = new TeamCodeBook()
const SPELLERS: readonly Speller[] = ['espn', 'kalshi', 'poly']

describe('team codes', () => {
  it.each<[League, number]>([
    ['nba', 30],
    ['nfl', 32],
    ['nhl', 32],
    ['mlb', 30],
    ['wnba', 15],
  ])('list every team of the %s: %i', (league, count) => {
    expect(new Set(TEAM_CODES[league]?.map(({ code }) => code)).size).toBe(count)
    expect(TEAM_CODES[league]).toHaveLength(count)
  })

  it('never mean two teams by one spelling', () => {
    for (const league of LEAGUES) {
      for (const speller of SPELLERS) {
        const all = (TEAM_CODES[league] ?? []).flatMap((team) => spellingsOf(team, speller))
        expect(new Set(all).size, `${league} ${speller}`).toBe(all.length)
      }
    }
  })

  it.each<[League, Speller, string, string]>([
    ['nba', 'kalshi', 'GSW', 'GS'],
    ['nba', 'kalshi', 'NOP', 'NO'],
    ['nba', 'kalshi', 'NYK', 'NY'],
    ['nba', 'kalshi', 'SAS', 'SA'],
    ['nba', 'poly', 'uta', 'UTAH'],
    ['nba', 'poly', 'was', 'WSH'],
    ['nba', 'kalshi', 'PHX', 'PHX'],
    ['nfl', 'kalshi', 'JAC', 'JAX'],
    ['nfl', 'poly', 'jax', 'JAX'],
    ['nfl', 'kalshi', 'LA', 'LAR'],
    ['nfl', 'poly', 'lar', 'LAR'],
    ['nhl', 'poly', 'cal', 'CGY'],
    ['nhl', 'poly', 'lak', 'LA'],
    ['nhl', 'poly', 'mon', 'MTL'],
    ['nhl', 'poly', 'las', 'VGK'],
    ['nhl', 'kalshi', 'UTA', 'UTAH'],
    ['nhl', 'poly', 'utah', 'UTAH'],
    ['mlb', 'kalshi', 'AZ', 'ARI'],
    ['mlb', 'poly', 'oak', 'ATH'],
    ['mlb', 'kalshi', 'CWS', 'CHW'],
    ['wnba', 'kalshi', 'CONN', 'CON'],
    ['wnba', 'kalshi', 'PDX', 'POR'],
    ['wnba', 'poly', 'gsv', 'GS'],
    ['cfb', 'espn', 'M-OH', 'M-OH'],
    ['cfb', 'espn', 'ta&m', 'TA&M'],
  ])('%s on %s: %s is %s', (league, speller, spelled, code) => {
    expect(codes.codeOf(league, speller, spelled)).toBe(code)
  })

  it.each<[League, Speller, string]>([
    ['nba', 'kalshi', 'GS'],
    ['nba', 'kalshi', 'JAC'],
    ['nfl', 'kalshi', 'JAX'],
    ['nhl', 'poly', 'vgk'],
    ['nba', 'espn', 'constructor'],
    ['nba', 'poly', ''],
    // No table: a venue's code proves nothing by itself.
    ['cfb', 'kalshi', 'OSU'],
    ['epl', 'poly', 'ars'],
    ['cfb', 'espn', 'OHIO STATE'],
  ])('%s on %s: %s is unknown', (league, speller, spelled) => {
    expect(codes.codeOf(league, speller, spelled)).toBeUndefined()
  })
})
