/**
 * The first design's dual mode, `--redis-publish`: what a role publishes on the bus also goes out as a bare body by
 * Redis `PUBLISH`, best effort, for services that have not moved yet. None of our roles reads it.
 */

import type { GamesPayload, PricesPayload, SignalsPayload } from '../messages/payloads.js'
import { BestEffortPublisher } from '../redis/best-effort-publisher.js'
import { redisKeys } from '../redis/keys.js'
import type { RedisKeys } from '../redis/keys.js'
import type { RoleContext } from './role.js'

export class RedisPublish {
  private readonly keys: RedisKeys

  constructor(
    private readonly context: RoleContext,
    private readonly publisher: BestEffortPublisher,
  ) {
    this.keys = redisKeys(context.settings.env)
  }

  /** `prices:<venue>:<id>`; nothing unless both sides are quoted: the first design's body has no place for a missing one. */
  price({ venue, market_id: id, yes_bid: bid, yes_ask: ask }: PricesPayload): void {
    if (typeof bid !== 'number' || typeof ask !== 'number') return
    const timestampMs = this.context.clock.nowMs()
    const body = `{"ticker":${JSON.stringify(id)},"yes_bid":${bid},"yes_ask":${ask},"timestamp_ms":${timestampMs}}`
    this.publisher.publish(this.keys.priceChannel(venue, id), body)
  }

  /** `games:<league>:<id>`. */
  game(payload: GamesPayload): void {
    this.publisher.publish(this.keys.game(payload.league, payload.game_id), JSON.stringify(payload))
  }

  /** `signals:trades`. */
  signal(payload: SignalsPayload): void {
    this.publisher.publish(this.keys.signals(), JSON.stringify(payload))
  }
}

/** Undefined unless the role was told to. Throws `BAD_REDIS_URL` (exit 4). */
export function openRedisPublish(context: RoleContext): RedisPublish | undefined {
  const { settings, counters, lifecycle, log, name } = context
  if (!settings.redis_publish) return undefined
  const publisher = new BestEffortPublisher({
    url: settings.redis_url,
    name: `arbees-${name}-publish`,
    onPublished: (count) => counters.add('redis_published', undefined, count),
    onDropped: (count, reason) => counters.add('redis_dropped', reason, count),
    onDown: ({ message }) => log.warn(`${message}: nothing is kept for readers of the first design`),
  })
  lifecycle.defer('redis publish', () => publisher.close())
  return new RedisPublish(context, publisher)
}
