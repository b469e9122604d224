/**
 * The part of the orchestrator that gives games to shards, over the real bus, with games that need no venue. As the
 * control it is naive: a game is another shard's the moment that it says so.
 */

import { BENCH_GAMES } from '../../src/lib/bench/pipeline-markets.js'
import { loadSettings } from '../../src/lib/core/config.js'
import { ShardAssignments } from '../../src/lib/games/shard-assignments.js'
import { gamesPayload } from '../../src/lib/messages/convert.js'
import { GAMES_SOURCE } from '../../src/lib/messages/sources.js'
import { formatTopic } from '../../src/lib/messages/topics.js'
import { bindPublisher } from '../../src/lib/roles/bind-publisher.js'
import { createRoleContext } from '../../src/lib/roles/role.js'
import { followShards } from '../../src/lib/roles/shard-fleet.js'
import { onCommands, readConfig, tell } from './child.js'

const REPUBLISH_MS = 1_000

const { isNaive } = readConfig<{ readonly isNaive: boolean }>()
const context = await createRoleContext('orchestrator', loadSettings({ environment: process.env }))
const { clock, settings } = context
const publisher = await bindPublisher(context, 'orchestrator')
const channel = publisher.channel(GAMES_SOURCE)
const assignments = new ShardAssignments(settings.shards)
const fleet = followShards(context, assignments)

function publish(): void {
  if (!fleet.isSettled || publisher.joinGraceLeftMs() > 0) return
  const nowMs = clock.nowMs()
  const games = BENCH_GAMES.map((game) => game.stateAt(nowMs))
  for (const { handover, ...state } of assignments.assign(games, nowMs)) {
    const told = isNaive || handover === undefined ? state : { ...state, handover }
    channel.publish(
      formatTopic({ family: 'games', scope: state.league, id: state.gameId }),
      gamesPayload(told),
    )
  }
}

fleet.onChange(publish)
const timer = setInterval(publish, REPUBLISH_MS)
onCommands(
  () => undefined,
  async () => {
    clearInterval(timer)
    await context.lifecycle.close()
  },
)
tell('ready')
