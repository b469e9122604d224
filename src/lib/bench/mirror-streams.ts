/** What a mirror left in its Redis, by the seq of each entry. */

import type { Venue } from '../model/venue.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisLink } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { LuaScript } from '../redis/lua.js'
import { RedisPubSub } from '../redis/pubsub.js'
import { MIRROR_ENV } from './mirror-messages.js'

/** Seqs of the next entries behind the id ARGV[1], and the id of the last of them. */
const READ_SCRIPT = `
local seqs, last = {}, ARGV[1]
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', 5000)) do
  local id, fields = entry[1], entry[2]
  if id ~= ARGV[1] then
    last = id
    for i = 1, #fields, 2 do
      if fields[i] == 'seq' then seqs[#seqs + 1] = fields[i + 1] end
    end
  end
end
return {last, table.concat(seqs, ',')}
`

export class StreamCount {
  private readonly script = new LuaScript(READ_SCRIPT)
  private readonly info: RedisPubSub

  private constructor(
    private readonly link: RedisLink,
    url: string,
    private readonly venues: readonly Venue[],
  ) {
    this.info = new RedisPubSub(url)
  }

  /** Throws what `connectRedis` throws. */
  static async connect(url: string, venues: readonly Venue[]): Promise<StreamCount> {
    return new StreamCount(await connectRedis(url, 'bench'), url, venues)
  }

  /** Throws the entries away; whoever knows where it stands still does. */
  async empty(): Promise<void> {
    for (const venue of this.venues) await this.link.redis.xtrim(this.keyOf(venue), 'MAXLEN', 0)
  }

  /** Of `count` messages from each venue's first seq: how many are not there, and how many entries are too many. */
  async compare(
    firstSeqs: ReadonlyMap<Venue, number>,
    count: number,
  ): Promise<{ readonly lost: number; readonly duplicated: number }> {
    let lost = 0
    let duplicated = 0
    for (const [venue, first] of firstSeqs) {
      const seqs = await this.seqsOf(venue)
      const distinct = new Set(seqs.filter((seq) => seq >= first && seq < first + count))
      lost += count - distinct.size
      duplicated += seqs.length - distinct.size
    }
    return { lost, duplicated }
  }

  /** Processor time that the server has used since its start, us. */
  serverCpuUs(): Promise<number> {
    return this.info.serverCpuUs()
  }

  close(): void {
    this.link.close()
    this.info.close()
  }

  private async seqsOf(venue: Venue): Promise<readonly number[]> {
    const seqs: number[] = []
    for (let from = '0-0'; ;) {
      const reply: unknown = await this.script.run(this.link.redis, [this.keyOf(venue)], [from])
      const parts: readonly unknown[] = Array.isArray(reply) ? reply : []
      const [last, text] = parts
      if (typeof last !== 'string' || typeof text !== 'string' || text === '') return seqs
      for (const seq of text.split(',')) seqs.push(Number(seq))
      from = last
    }
  }

  private keyOf(venue: Venue): string {
    return redisKeys(MIRROR_ENV).prices(venue)
  }
}
