/** `arbees games --score`: how good the model, the provider and both markets were over games that have ended. */

import { scoreForecasts } from '../games/forecast-score.js'
import type { Forecast, ForecastScore } from '../games/forecast-score.js'
import type { PastItem } from '../history/past.js'
import { messageOfEntry } from '../history/entry-message.js'
import type { GamesPayload } from '../messages/payloads.js'
import { SECOND_SOURCE } from '../model/game.js'
import type { Env } from '../model/venue.js'
import { GameTape, middle } from './game-tape.js'

export interface ForecasterScore {
  readonly name: string
  readonly games: number
  /** Null where it said nothing of a game that ended. */
  readonly score: ForecastScore | null
}

export interface GamesScore {
  /** Games with a winner, or a draw where that is an end. */
  readonly games: number
  readonly without_result: number
  readonly forecasters: readonly ForecasterScore[]
  /** Samples that the model said nothing of, by its reason. */
  readonly abstentions: Readonly<Record<string, number>>
}

/** `kalshi_beside` is the market at the moments of which the model said something: what the model is to be held against. */
const FORECASTERS = ['model', 'kalshi_beside', 'espn', 'kalshi', 'polymarket'] as const
type Forecaster = (typeof FORECASTERS)[number]

interface Sample {
  readonly forecasts: Readonly<Partial<Record<Forecaster, number>>>
  readonly abstains: string | undefined
}

/** States come every 5 s and say much the same. */
const SAMPLE_EVERY_MS = 15_000

export class GamesScorer {
  private readonly tape = new GameTape()
  private readonly samples = new Map<string, { lastMs: number; readonly all: Sample[] }>()

  constructor(private readonly env: Env) {}

  /** In order; what is not of games and prices, or cannot be read, is passed over. */
  apply(items: readonly PastItem[]): void {
    for (const item of items) {
      if (item.kind !== 'message' || !/^(games|prices)\./.test(item.topic)) continue
      const message = messageOfEntry(item, this.env)
      if ('reason' in message) continue
      this.tape.apply(message, item.timestampMs)
      if (message.family === 'games' && 'home' in message.payload)
        this.sample(message.payload, item.timestampMs)
    }
  }

  score(league?: string): GamesScore {
    const finals = [...this.tape.payloads()].filter((game) => league === undefined || game.league === league)
    const decided = finals.filter(hasResult)
    const abstentions: Record<string, number> = {}
    const said = new Map<Forecaster, { readonly forecasts: Forecast[]; readonly games: Set<string> }>(
      FORECASTERS.map((name) => [name, { forecasts: [], games: new Set() }]),
    )
    for (const game of decided) {
      const cameTrue = game.home.score > game.away.score
      for (const { forecasts, abstains } of this.samples.get(game.game_id)?.all ?? []) {
        if (abstains !== undefined) abstentions[abstains] = (abstentions[abstains] ?? 0) + 1
        for (const [name, { forecasts: all, games }] of said) {
          const p = forecasts[name]
          if (p === undefined) continue
          all.push({ p, cameTrue })
          games.add(game.game_id)
        }
      }
    }
    return {
      games: decided.length,
      without_result: finals.length - decided.length,
      forecasters: [...said].map(([name, { forecasts, games }]) => ({
        name,
        games: games.size,
        score: scoreForecasts(forecasts) ?? null,
      })),
      abstentions,
    }
  }

  private sample({ game_id: id, status }: GamesPayload, timestampMs: number): void {
    if (status !== 'live') return
    const known = this.samples.get(id) ?? { lastMs: -Infinity, all: [] }
    this.samples.set(id, known)
    if (timestampMs - known.lastMs < SAMPLE_EVERY_MS) return
    const view = this.tape.view(id)
    if (view === undefined) return
    known.lastMs = timestampMs
    const { model, quotes, game } = view
    const said = model.kind === 'estimate' ? model.home : undefined
    const kalshi = middle(quotes.kalshi)
    const poly = middle(quotes.poly)
    known.all.push({
      forecasts: {
        ...(said === undefined ? {} : { model: said }),
        ...(said === undefined || kalshi === undefined ? {} : { kalshi_beside: kalshi }),
        ...(game.homeWinPpm === undefined ? {} : { espn: game.homeWinPpm / 1e6 }),
        ...(kalshi === undefined ? {} : { kalshi }),
        ...(poly === undefined ? {} : { polymarket: poly }),
      },
      abstains: model.kind === 'abstains' ? model.reason : undefined,
    })
  }
}

/**
 * Level at the end is a result in soccer alone; elsewhere it pays by rules that are no forecast. In soccer the result
 * is that of 90 minutes: after extra time the score does not say what that was.
 */
function hasResult({ status, provider, league, period, home, away }: GamesPayload): boolean {
  if (status !== 'final' || provider === SECOND_SOURCE) return false
  return SOCCER.has(league) ? period <= 2 : home.score !== away.score
}

const SOCCER: ReadonlySet<string> = new Set(['epl', 'mls'])
