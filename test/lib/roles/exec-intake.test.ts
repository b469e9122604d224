import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gamesPayload } from '../../../src/lib/messages/convert.js'
import type { GameState } from '../../../src/lib/model/game.js'
import type { SettlementRules } from '../../../src/lib/model/settlement.js'
import type { Env, Mode } from '../../../src/lib/model/venue.js'
import { ExecIntake } from '../../../src/lib/roles/exec-intake.js'
import { ExecMarkets } from '../../../src/lib/roles/exec-markets.js'
import { Histogram } from '../../../src/lib/telemetry/histogram.js'
import { Harness } from '../execution/harness.js'
import { HttpVenue } from '../execution/http-venue.js'
import { GAME_ID, kalshiMarket, polyMarket, signal } from '../risk/samples.js'
import { testRole } from './role-harness.js'

const KNOWN: SettlementRules = {
  overtime: 'included',
  tie: 'impossible',
  postponed: 'stays',
  canceled: 'half',
}
const TEAM = { code: 'MIA', name: 'Miami', score: 0 }

let venue: HttpVenue
let harness: Harness

beforeEach(async () => {
  venue = new HttpVenue(() => ({ kind: 'fill', perMille: 1000 }))
  await venue.listen()
  harness = new Harness({ url: venue.url })
})

afterEach(async () => {
  harness.close()
  await venue.close()
})

/** A signal as exec of that env and mode takes it, where Kalshi's market says that of a canceled game; what was counted. */
async function taken(env: Env, mode: Mode, canceled: SettlementRules['canceled']) {
  const { context } = testRole('exec', {})
  const game: GameState = {
    ...{ league: 'nba', gameId: GAME_ID, home: TEAM, away: { ...TEAM, code: 'BOS' }, status: 'live' },
    ...{ period: 1, startMs: 0, provider: 'test', fetchedMs: 0, shard: 0 },
    markets: [
      polyMarket({ settlement: KNOWN }),
      kalshiMarket({ settlement: { ...KNOWN, canceled }, venueSelection: 'MIA' }),
    ],
  }
  const markets = new ExecMarkets()
  expect(markets.applyGame(gamesPayload(game))).toBeUndefined()
  const execution = { ...harness.execution, env, mode }
  const intake = new ExecIntake(context, execution, harness.plans, markets, new Histogram())
  const arrival = { signal: signal(), signalMs: 1, trace: 'kalshi.prices/1/1', ageMs: () => 1, stamps: {} }
  intake.take(arrival)
  await harness.settled()
  await context.lifecycle.close()
  return context.counters.snapshot()
}

describe('an end of the game that a venue says nothing about', () => {
  it.each(['demo', 'prod'] as const)(
    'denies a plan with real orders in %s, and nothing is sent',
    async (env) => {
      expect(await taken(env, 'live', 'unknown')).toMatchObject({ 'denied:SETTLEMENT_UNKNOWN': 1 })
      expect(venue.received).toEqual([])
    },
  )

  it.each([
    ['on paper', 'demo', 'paper', 'unknown'],
    ['on simulated data', 'sim', 'live', 'unknown'],
    ['where all is said', 'demo', 'live', 'half'],
  ] as const)('denies nothing %s', async (_, env, mode, canceled) => {
    expect(await taken(env, mode, canceled)).toMatchObject({ plans: 1 })
    expect(venue.received).toHaveLength(2)
  })
})
