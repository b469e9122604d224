import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseScoreboard } from '../../../../src/lib/games/scoreboard.js'
import { TeamCodeBook } from '../../../../src/lib/games/team-codes.js'
import type { Speller } from '../../../../src/lib/games/team-codes.js'
import { winProbability } from '../../../../src/lib/games/win-probability/win-probability.js'
import { LEAGUES } from '../../../../src/lib/model/game.js'
import type { Game, League } from '../../../../src/lib/model/game.js'

const folder = join(process.env['ARBEES_FIXTURES'] ?? '', 'espn')
const recorded = existsSync(folder) && process.env['ARBEES_FIXTURES'] !== undefined

/** The body of any recording: a scoreboard, or a single event. */
function bodyOf(file: string): { readonly league: string; readonly events: readonly unknown[] } {
  const body = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>
  const events = Array.isArray(body['events']) ? (body['events'] as unknown[]) : [body]
  return { league: file.split('_')[0] ?? '', events }
}

const FILE_NAMES: Readonly<Record<string, string>> = {
  ncaaf: 'cfb',
  ncaab: 'cbb',
  ncaam: 'cbb',
  soccer: 'epl',
}

interface Row {
  readonly file: string
  readonly game: Game
}

/** Every live game of every recording whose teams we know. */
function liveGames(): Row[] {
  const codes = new EveryTeam()
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const { league: named, events } = bodyOf(file)
      const league = LEAGUES.find((each) => each === (FILE_NAMES[named] ?? named))
      if (league === undefined) return []
      const reading = parseScoreboard({ events }, { league, codes, fetchedMs: 0 })
      if (reading.kind === 'refused') return []
      return reading.games.filter(({ status }) => status === 'live').map((game) => ({ file, game }))
    })
}

/** Teams of old seasons too: here their strength is all that we do not know of them. */
class EveryTeam extends TeamCodeBook {
  override codeOf(league: League, speller: Speller, spelled: string): string | undefined {
    return super.codeOf(league, speller, spelled) ?? spelled
  }
}

/** What the model gives the home team more than the provider, as measured; it knows nothing of the teams' strength. */
const OFF: Readonly<Record<string, number>> = {
  'PHI@BOS': -0.097,
  'SF@CHI': 0.001,
  'PHI@DET': -0.021,
  'BAL@NYJ': 0,
  'JAX@WSH': 0.01,
  'CLE@CAR': 0.074,
}
const MARGIN = 0.008

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(7)

describe.runIf(recorded)('the models beside the provider', () => {
  const rows = recorded ? liveGames() : []
  const find = (home: string, away: string) =>
    rows.find(({ game }) => game.home.code === home && game.away.code === away)!.game

  it('say what they say of every recorded live game', () => {
    const errors: number[] = []
    const lines = rows.map(({ game }) => {
      const { home, away, period, clockS, situation, homeWinPpm } = game
      const result = winProbability(game, undefined)
      const espn = homeWinPpm === undefined ? undefined : homeWinPpm / 1e6
      const state = [
        `${game.league} ${away.code}@${home.code}`.padEnd(13),
        `${home.score - away.score}`.padStart(4),
        `P${period} ${clockS ?? '-'} s`.padEnd(10),
        (situation?.possession ?? situation?.half ?? '-').padEnd(7),
      ].join(' ')
      if (result.kind === 'abstains')
        return (
          `${state} abstains: ${result.reason}`.padEnd(58) +
          (espn === undefined ? '' : ` espn ${percent(espn)}`)
        )
      if (espn !== undefined) {
        const off = result.home - espn
        errors.push(Math.abs(off))
        expect(Math.abs(off - OFF[`${away.code}@${home.code}`]!), state).toBeLessThan(MARGIN)
        // No farther off than it says that it may be.
        expect(Math.abs(off), state).toBeLessThan(0.003 + 1.5 * result.sd)
      }
      const draw = result.draw > 0 ? ` draw ${percent(result.draw)}` : ''
      const beside = espn === undefined ? '' : ` espn ${percent(espn)}  off ${percent(result.home - espn)}`
      return `${state} ${percent(result.home)} ± ${percent(result.sd)}${draw}${beside}`
    })
    console.log(['home lead, clock, ball: model without a prior, provider', ...lines].join('\n'))
    expect(errors).toHaveLength(Object.keys(OFF).length)
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.04)
  })

  it.each([
    ['CAR', 'CLE'],
    ['CIN', 'PIT'],
  ])(
    'say nothing of %s against %s without the ball, and no more than that is worth with it',
    (home, away) => {
      const game = find(home, away)
      const { situation: _, ...blind } = game
      expect(winProbability(blind, undefined)).toEqual({ kind: 'abstains', reason: 'no_possession' })
      const seen = winProbability(game, undefined)
      if (seen.kind === 'abstains') expect(seen.reason).toBe('last_chance')
      else expect(Math.abs(seen.home - game.homeWinPpm! / 1e6)).toBeLessThan(0.09)
    },
  )
})
