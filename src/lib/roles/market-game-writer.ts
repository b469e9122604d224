/**
 * Keeps `market:<id>:game_id` in Redis: what is new when it is new, everything again when Redis comes (back). Redis may
 * be absent; nothing waits for it.
 */

import { messageOf } from '../core/errors.js'
import { RedisLink } from '../redis/connection.js'
import { setMarketGames } from '../redis/market-map.js'
import type { MarketGame } from '../redis/market-map.js'
import type { RoleContext } from './role.js'

export class MarketGameWriter {
  private readonly link: RedisLink
  private entries: readonly MarketGame[] = []
  /** What Redis holds, as far as we know. */
  private written = new Map<string, string>()
  private writing = false

  constructor(private readonly context: RoleContext) {
    const { settings, log } = context
    this.link = new RedisLink({
      url: settings.redis_url,
      name: 'arbees-orchestrator',
      writes: true,
      onUp: () => {
        log.info(`Redis is up: ${this.link.shownUrl}`)
        this.written.clear()
        void this.flush()
      },
      onDown: (error) => log.warn(`no Redis for market:<id>:game_id: ${error.message}`),
    })
  }

  /** The whole map as it should be. */
  write(entries: readonly MarketGame[]): void {
    this.entries = entries
    void this.flush()
  }

  close(): void {
    this.link.close()
  }

  private async flush(): Promise<void> {
    if (this.writing) return
    this.writing = true
    try {
      for (let due = this.due(); this.link.isUp && due.length > 0; due = this.due()) {
        const { written } = this
        await setMarketGames(this.link.redis, this.context.settings.env, due)
        for (const { marketId, gameId } of due) written.set(marketId, gameId)
        this.context.counters.add('market_games', undefined, due.length)
      }
    } catch (error) {
      // The next update or reconnect tries again.
      this.context.counters.add('redis_errors')
      this.context.log.warn(`market:<id>:game_id not written: ${messageOf(error)}`)
    } finally {
      this.writing = false
    }
  }

  private due(): MarketGame[] {
    return this.entries.filter(({ marketId, gameId }) => this.written.get(marketId) !== gameId)
  }
}
