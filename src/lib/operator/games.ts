/** `arbees games`: the games of a running deployment, what both markets give the home team, and what a model says. */

import type { BusKeys } from '../bus/curve.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { readPublisher } from '../history/publisher-past.js'
import { decode } from '../messages/codec.js'
import type { GamesPayload } from '../messages/payloads.js'
import { pricesSource } from '../messages/sources.js'
import { LEAGUES } from '../model/game.js'
import type { GameStatus, League } from '../model/game.js'
import { VENUES } from '../model/venue.js'
import { endpointOf } from '../roles/wiring.js'
import { GameTape } from './game-tape.js'
import type { GameView, HomeQuote } from './game-tape.js'
import { newestMessages } from './newest-messages.js'

export interface GameRow {
  readonly league: League
  readonly game_id: string
  readonly home: string
  readonly away: string
  readonly home_score: number
  readonly away_score: number
  readonly status: GameStatus
  /** Who the status is from. */
  readonly provider: string
  readonly period: number
  readonly clock_s: number | null
  readonly start_ms: number
  readonly shard: number
  /** Since the scoreboard was read, ms. */
  readonly age_ms: number
  /** YES on the home team; null where nobody quotes it, or the quote is not LIVE. */
  readonly kalshi: HomeQuote | null
  readonly polymarket: HomeQuote | null
  /** Chances of the home team, 0 to 1: before the game, and now. */
  readonly prior: number | null
  readonly espn: number | null
  readonly model: {
    readonly home: number
    readonly away: number
    readonly draw: number
    readonly sd: number
  } | null
  /** Why there is no model. */
  readonly abstains: string | null
}

export interface GamesReport {
  readonly env: string
  readonly games: readonly GameRow[]
  /** Publishers that did not answer: what they know is missing. */
  readonly silent: readonly string[]
}

/** Throws `BAD_LEAGUE` (usage). */
export function knownLeague(name: string | undefined): League | undefined {
  const league = LEAGUES.find((each) => each === name)
  if (name === undefined || league !== undefined) return league
  throw new ArbeesError('BAD_LEAGUE', `'${sanitize(name, 40)}' is no league of ours`, {
    exit: EXIT.USAGE,
    hint: `one of ${LEAGUES.join(', ')}`,
  })
}

export interface GamesOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly keys: BusKeys | undefined
  readonly league?: string | undefined
}

/** Throws `NO_GAMES` (exit 3) when the orchestrator does not answer. */
export async function lookAtGames({ settings, clock, keys, league }: GamesOptions): Promise<GamesReport> {
  const tape = new GameTape()
  const games = await newestMessages(settings, clock, keys, 'orchestrator.games')
  if (games === undefined) {
    throw new ArbeesError('NO_GAMES', 'the orchestrator does not answer', {
      exit: EXIT.UNHEALTHY,
      hint: 'is it running? arbees status; or start everything with: arbees up',
    })
  }
  const wanted = games.flatMap(({ payload }) =>
    'home' in payload && (league === undefined || payload.league === league) ? [payload] : [],
  )
  const silent = await readPriors({ settings, clock, keys, tape, games: wanted })
  for (const venue of VENUES) {
    const prices = await newestMessages(settings, clock, keys, pricesSource(venue))
    for (const message of prices ?? []) tape.apply(message, message.header.timestamp_ms)
    if (prices === undefined) silent.add(venue)
  }
  for (const message of games) tape.apply(message, message.header.timestamp_ms)
  const views = wanted.flatMap(({ game_id: id }) => tape.view(id) ?? [])
  return {
    env: settings.env,
    games: views.map((view) => gameRow(view, clock.nowMs())).sort(byPlay),
    silent: [...silent],
  }
}

interface Priors extends GamesOptions {
  readonly tape: GameTape
  readonly games: readonly GamesPayload[]
}

/** Quotes of the last minutes before a start. */
const BEFORE_START_MS = 10 * 60_000
/** So much of a journal is read for one start. */
const MOST_MESSAGES = 20_000

/** What Kalshi's journal still has of what was quoted before each start. Who does not answer is returned. */
async function readPriors({ settings, clock, keys, tape, games }: Priors): Promise<Set<string>> {
  const silent = new Set<string>()
  const begun = games.filter(({ status, markets }) => status === 'live' && markets.length > 0)
  const starts = new Set(begun.map(({ start_ms: startMs }) => startMs))
  if (starts.size === 0) return silent
  const client = new RecoveryClient({ endpoint: endpointOf(settings, 'kalshi'), clock, keys })
  try {
    for (const startMs of [...starts].sort((a, b) => a - b)) {
      let left = MOST_MESSAGES
      const past = readPublisher({
        ...{ client, source: pricesSource('kalshi'), env: settings.env, before: undefined },
        from: { sinceMs: startMs - BEFORE_START_MS },
        onNoAnswer: () => silent.add('kalshi'),
        onProblem: () => undefined,
      })
      pages: for await (const page of past) {
        for (const item of page) {
          if (item.kind !== 'message') continue
          if (item.timestampMs > startMs || left-- <= 0) break pages
          const decoded = decode(item.topic, item.data, settings.env)
          if (decoded.kind === 'message') tape.apply(decoded.message, item.timestampMs)
        }
      }
      for (const game of begun) if (game.start_ms === startMs) tape.notePrior(game)
    }
  } finally {
    client.close()
  }
  return silent
}

function gameRow({ game, quotes, prior, model }: GameView, nowMs: number): GameRow {
  const { league, gameId, home, away, status, provider, period, clockS, startMs, shard, homeWinPpm } = game
  return {
    ...{ league, game_id: gameId, home: home.code, away: away.code },
    ...{ home_score: home.score, away_score: away.score, status, provider, period },
    ...{ clock_s: clockS ?? null, start_ms: startMs, shard, age_ms: Math.max(0, nowMs - game.fetchedMs) },
    kalshi: quotes.kalshi ?? null,
    polymarket: quotes.poly ?? null,
    prior: prior === undefined ? null : rounded(prior),
    espn: homeWinPpm === undefined ? null : homeWinPpm / 1e6,
    model:
      model.kind === 'abstains'
        ? null
        : {
            ...{ home: rounded(model.home), away: rounded(model.away), draw: rounded(model.draw) },
            sd: rounded(model.sd),
          },
    abstains: model.kind === 'abstains' ? model.reason : null,
  }
}

const rounded = (share: number): number => Math.round(share * 10_000) / 10_000

const RANKS: Readonly<Record<GameStatus, number>> = { live: 0, pre: 1, final: 2, postponed: 2, canceled: 2 }
/** What is played first, then by the start. */
const byPlay = (a: GameRow, b: GameRow): number =>
  RANKS[a.status] - RANKS[b.status] || a.start_ms - b.start_ms || (a.game_id < b.game_id ? -1 : 1)
