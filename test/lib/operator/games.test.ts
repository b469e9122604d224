import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import { journalRoot } from '../../../src/lib/bus/journal/paths.js'
import type { GamesPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import { knownLeague, lookAtGames } from '../../../src/lib/operator/games.js'
import { renderGames, renderGamesScore } from '../../../src/lib/operator/games-view.js'
import { scoreGames } from '../../../src/lib/operator/run-games-score.js'
import * as samples from '../messages/samples.js'

const ANY_PORT = 'tcp://127.0.0.1:*'
const NOW = 1_769_500_000_000
const START = NOW - 30 * 60_000
const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** Publishers whose clock is ours, each with a journal, and the settings that find them. */
async function deployment(names: readonly ('kalshi' | 'poly' | 'orchestrator')[]) {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-games-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  const clock = new ManualClock(NOW - 60 * 60_000)
  const flags: Record<string, string> = { data_dir: dir, env: 'sim' }
  for (const name of ['kalshi', 'poly', 'orchestrator'] as const) {
    flags[`endpoints.${name}`] = 'tcp://127.0.0.1:1'
    flags[`recovery.${name}`] = 'tcp://127.0.0.1:1'
  }
  const root = journalRoot(loadSettings({ flags, environment: {} }).settings)
  const publishers = new Map<string, Publisher>()
  for (const name of names) {
    const publisher = await Publisher.bind({
      ...{ name, url: ANY_PORT, recoveryUrl: ANY_PORT, env: 'sim', clock },
      ...{ sources: sourcesOf(name), journal: { root, retainBytes: 1e7 } },
    })
    cleanups.push(() => publisher.close())
    flags[`endpoints.${name}`] = publisher.url
    flags[`recovery.${name}`] = publisher.recoveryUrl!
    publishers.set(name, publisher)
  }
  const loaded = loadSettings({ flags, environment: {} })
  return {
    clock,
    loaded,
    close: () => {
      for (const publisher of publishers.values()) publisher.close()
    },
    quote: (change: Partial<PricesPayload>) => {
      const quote = { ...samples.prices, ...change }
      publishers
        .get(quote.venue)!
        .channel(`${quote.venue}.prices`)
        .publish(`prices.${quote.venue}.${quote.market_id}`, quote)
    },
    game: (change: Partial<GamesPayload>) => {
      const game: GamesPayload = { ...GAME, ...change }
      publishers
        .get('orchestrator')!
        .channel('orchestrator.games')
        .publish(`games.${game.league}.${game.game_id}`, game)
    },
    look: (league?: string) => lookAtGames({ settings: loaded.settings, clock, keys: undefined, league }),
  }
}

const [POLY, KALSHI] = samples.games.markets
const HOME = 'KX-UTAH'
const { situation: _, ...BASE } = samples.games
/** UTAH at home; Kalshi lists a market on it, Polymarket one on the visitors. */
const GAME: GamesPayload = {
  ...BASE,
  clock_s: 300,
  start_ms: START,
  fetched_ms: NOW - 4000,
  markets: [
    { ...KALSHI!, market_id: HOME, venue: 'kalshi', selection: 'UTAH' },
    { ...POLY!, market_id: '0xabc', venue: 'poly', selection: 'GS' },
  ],
}

describe('the games', () => {
  it('are told with both prices of the home team, what the market said before, and the model', async () => {
    const { clock, quote, game, look } = await deployment(['kalshi', 'poly', 'orchestrator'])
    quote({ market_id: HOME, yes_bid: 0.3, yes_ask: 0.32 })
    clock.advanceMs(25 * 60_000)
    quote({ market_id: HOME, yes_bid: 0.69, yes_ask: 0.71 })
    clock.advanceMs(35 * 60_000)
    quote({ market_id: HOME, yes_bid: 0.8, yes_ask: 0.82 })
    quote({ venue: 'poly', market_id: '0xabc', selection: 'GSW', yes_bid: 0.18, yes_ask: 0.21 })
    game({})
    game({ game_id: '402', status: 'final', provider: 'polymarket', markets: [] })
    game({ game_id: '403', league: 'nhl', status: 'pre', markets: [], start_ms: NOW })
    const report = await look()
    expect(report.silent).toEqual([])
    const [live, pre, over] = report.games
    expect(live).toMatchObject({
      ...{ home: 'UTAH', away: 'GS', home_score: 90, away_score: 88, clock_s: 300, age_ms: 4000, shard: 0 },
      kalshi: { bid: 0.8, ask: 0.82 },
      polymarket: { bid: 0.79, ask: 0.82 },
      prior: 0.7,
      espn: 0.612,
      abstains: null,
    })
    expect(live!.model!.home).toBeGreaterThan(0.6)
    expect(pre).toMatchObject({ game_id: '403', kalshi: null, polymarket: null, prior: null })
    expect(over).toMatchObject({ status: 'final', model: null, abstains: 'over' })
    const text = renderGames(report, { width: 160, color: false })
    expect(text).toContain('nba GS at UTAH  88-90  P4 5:00')
    expect(text).toContain('0.800/0.820')
    expect(text).toContain('final (polymarket)')
    expect((await look('nhl')).games.map(({ game_id: id }) => id)).toEqual(['403'])
  })

  it('are told without prices where a monitor is silent, and its quotes are not when they are not LIVE', async () => {
    const { clock, quote, game, look } = await deployment(['poly', 'orchestrator'])
    clock.advanceMs(60 * 60_000)
    quote({ venue: 'poly', market_id: '0xabc', state: 'STALE', yes_bid: 0.18, yes_ask: 0.21 })
    game({})
    const { games, silent } = await look()
    expect(silent).toEqual(['kalshi'])
    expect(games[0]).toMatchObject({ kalshi: null, polymarket: null, prior: null })
    expect(renderGames({ env: 'sim', games, silent }, { width: 100, color: false })).toContain(
      'no answer: kalshi',
    )
  })

  it('are an error where no orchestrator answers, and so is a league that is none', async () => {
    const { look } = await deployment(['kalshi'])
    await expect(look()).rejects.toMatchObject({ code: 'NO_GAMES' })
    expect(knownLeague('nba')).toBe('nba')
    expect(knownLeague(undefined)).toBeUndefined()
    expect(() => knownLeague('nab')).toThrow("'nab' is no league of ours")
  })
})

describe('the score of forecasts', () => {
  it('is of what each said while games were live that have ended since, read from the journals', async () => {
    const place = await deployment(['kalshi', 'poly', 'orchestrator'])
    const { clock, quote, game, loaded, close } = place
    clock.advanceMs(29 * 60_000)
    quote({ market_id: HOME, yes_bid: 0.59, yes_ask: 0.61 })
    clock.advanceMs(1000)
    game({ status: 'pre', period: 0 })
    clock.advanceMs(25 * 60_000)
    // One that nobody finishes, and one that only the second source calls final.
    for (const id of ['401', '402', '403']) game({ game_id: id })
    clock.advanceMs(5000)
    // Too soon for another sample.
    game({})
    clock.advanceMs(10_000)
    quote({ market_id: HOME, yes_bid: 0.9, yes_ask: 0.92 })
    game({ home: { code: 'UTAH', name: 'Utah', score: 99 }, home_win_ppm: 950_000 })
    clock.advanceMs(60_000)
    const result = { status: 'final', home: { code: 'UTAH', name: 'Utah', score: 101 } } as const
    game(result)
    game({ ...result, game_id: '402', provider: 'polymarket' })
    // Of 90 minutes, and of 120.
    game({ ...result, game_id: '501', league: 'epl', period: 2 })
    game({ ...result, game_id: '502', league: 'epl', period: 4 })
    close()
    const options = { loaded, from: 'journal', file: undefined, league: undefined } as const
    const nothing = { sinceMs: undefined, untilMs: undefined, talk: () => undefined }
    const { signal } = new AbortController()
    const score = await scoreGames({ ...options, ...nothing, signal })
    expect(score).toMatchObject({ games: 2, without_result: 3, abstentions: {} })
    const of = (name: string) => score.forecasters.find((each) => each.name === name)!
    expect(of('espn').score).toMatchObject({ count: 2 })
    expect(of('espn').score!.brier).toBeCloseTo((0.388 ** 2 + 0.05 ** 2) / 2, 9)
    expect(of('kalshi').score!.brier).toBeCloseTo((0.4 ** 2 + 0.09 ** 2) / 2, 9)
    expect(of('model')).toMatchObject({ games: 1, score: { count: 2 } })
    expect(of('kalshi_beside').score).toEqual(of('kalshi').score)
    expect(of('polymarket')).toEqual({ name: 'polymarket', games: 0, score: null })
    expect(renderGamesScore(score, { width: 120, color: false })).toContain(
      '2 games with a result, 3 without',
    )
    expect(await scoreGames({ ...options, ...nothing, signal, league: 'nhl' })).toMatchObject({ games: 0 })
    // What it said is of a time that is left out.
    const late = await scoreGames({ ...options, ...nothing, signal, sinceMs: clock.nowMs() - 1000 })
    expect(late).toMatchObject({ games: 2, forecasters: [{ score: null }, {}, {}, {}, {}] })
  })
})
