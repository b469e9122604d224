/**
 * The shards as the orchestrator hears them: who can trade, and when games must move for it. A deployment of one shard
 * is not listened to: there is nobody to move a game to.
 */

import { Subscriber } from '../bus/subscriber.js'
import type { ShardAssignments } from '../games/shard-assignments.js'
import { ShardRoster } from '../games/shard-roster.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { GameState } from '../model/game.js'
import { countProblem } from './count-problem.js'
import type { RoleContext } from './role.js'
import { shardEndpoints } from './wiring.js'

const LOOK_MS = 250

export interface ShardFleet {
  /** It is known who can trade: before that a game is given to nobody. */
  readonly isSettled: boolean
  /** Games are to be assigned anew. */
  onChange(assign: () => void): void
  /** Shows how many games each shard has. */
  count(states: readonly GameState[]): void
}

const LONE: ShardFleet = { isSettled: true, onChange: () => undefined, count: () => undefined }

/** Listens until the role ends. Throws `UNKNOWN_KEY` (exit 4). */
export function followShards(context: RoleContext, assignments: ShardAssignments): ShardFleet {
  return context.settings.shards === 1 ? LONE : new HeardShards(context, assignments)
}

class HeardShards implements ShardFleet {
  private readonly roster: ShardRoster
  private readonly publishers: readonly string[]
  private assign: () => void = () => undefined

  constructor(
    private readonly context: RoleContext,
    private readonly assignments: ShardAssignments,
  ) {
    const { settings, clock, keys, lifecycle, counters } = context
    this.roster = new ShardRoster(settings.shards, clock.monoUs())
    const endpoints = shardEndpoints(settings)
    this.publishers = endpoints.map(({ publisher }) => publisher)
    const subscriber = new Subscriber({
      ...{ endpoints, prefixes: [], env: settings.env, clock, keys },
      onMessage: () => undefined,
      onHeartbeat: (heartbeat, endpoint, recvUs) => this.heard(heartbeat, endpoint.publisher, recvUs),
      onProblem: (problem) => countProblem(counters, problem),
    })
    lifecycle.defer('shards', () => subscriber.close())
    const timer = setInterval(() => this.look(), LOOK_MS)
    lifecycle.defer('look at the shards', () => clearInterval(timer))
  }

  get isSettled(): boolean {
    return this.roster.isSettled
  }

  onChange(assign: () => void): void {
    this.assign = assign
  }

  count(states: readonly GameState[]): void {
    const { counters } = this.context
    counters.add('moves', undefined, this.assignments.moves - counters.get('moves'))
    for (const [index, publisher] of this.publishers.entries()) {
      counters.set(`shard_games:${publisher}`, states.filter(({ shard }) => shard === index).length)
    }
  }

  private heard({ closing, counts }: Heartbeat, publisher: string, recvUs: number): void {
    const index = this.publishers.indexOf(publisher)
    this.roster.heard(index, { closing, fenced: counts['fenced'] === 1 }, recvUs)
  }

  private look(): void {
    const { counters, clock, log } = this.context
    const before = this.roster.able
    if (!this.roster.look(clock.monoUs())) {
      if (this.assignments.isWaiting) this.assign()
      return
    }
    const { able } = this.roster
    for (const [index, publisher] of this.publishers.entries()) {
      const isAble = able.includes(index)
      const wasAble = before.includes(index)
      counters.set(`shard_down:${publisher}`, isAble ? 0 : 1)
      if (isAble && !wasAble) log.info(`${publisher} trades`)
      else if (wasAble && !isAble) log.warn(`${publisher} is gone: its games move to the others`)
      else if (!isAble && before.length === 0) log.warn(`${publisher} has not come`)
    }
    if (able.length === 0) log.warn('no shard trades: the games stay where they are')
    this.assignments.setAble(able, (shard) => this.roster.isClosed(shard))
    this.assign()
  }
}
