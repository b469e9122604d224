import { afterEach, expect, it } from 'vitest'
import { until } from '../poll.js'
import { JournaledMonitors } from './journaled-monitors.js'
import { CHEAP_HERE, COND, HOU, RICH_THERE, gameState } from './shard-stage.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

it('a shard that comes late trades on a market that has been quiet since before it came', async () => {
  const monitors = await JournaledMonitors.bind(cleanups)
  const game = gameState()
  monitors.orchestrator.channel('orchestrator.games').publish(`games.${game.league}.${game.game_id}`, game)
  for (let market = 0; market < 700; market++) monitors.quote('poly', `0x${market}`, RICH_THERE)
  monitors.quote('poly', COND, RICH_THERE)
  await new Promise(setImmediate)

  const { counters } = (await monitors.startShard()).context
  const known = () => ['games', 'quotes', 'books'].map((name) => counters.get(name))
  await until(() => known().every((count) => count > 0), 'it begins to know the past')
  await until(() => known().join() === '1,701,701', `it knows all of it: ${known().join()}`)
  await until(() => (monitors.quote('kalshi', HOU, CHEAP_HERE), counters.get('signals') > 0), 'it trades')
  expect([counters.get('gaps'), counters.total('parse_errors')]).toEqual([0, 0])
})
