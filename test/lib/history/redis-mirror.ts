/** Writes into a real Redis what the mirror would: envelopes into streams, checkpoints, heartbeats. */

import { encode } from '../../../src/lib/messages/codec.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import type { Position } from '../../../src/lib/bus/position.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { topicPrefixOf } from '../../../src/lib/messages/sources.js'
import { prices, signals } from '../messages/samples.js'
import type { TestRedis } from '../redis/support.js'

const keys = redisKeys('sim')

export const envelopeOf = (source: string, { epoch, seq }: Position, env: 'sim' | 'prod' = 'sim'): string =>
  encode(
    { env, source, epoch, seq, timestampMs: Date.now(), host: 'h', stamps: { pub: 1 } },
    source.endsWith('.prices') ? { ...prices, book_seq: seq } : { ...signals, id: `id-${epoch}-${seq}` },
  )

export const topicOf = (source: string, { epoch, seq }: Position): string =>
  source.endsWith('.prices')
    ? `${topicPrefixOf(source)}${prices.market_id}`
    : `${topicPrefixOf(source)}id-${epoch}-${seq}`

export const heartbeatOf = (publisher: string, at: Readonly<Record<string, Position>>): Heartbeat => ({
  v: 1,
  publisher,
  env: 'sim',
  host: 'h',
  pid: 1,
  timestamp_ms: Date.now(),
  mono_us: Number(process.hrtime.bigint() / 1000n),
  channels: Object.entries(at).map(([source, { epoch, seq }]) => ({
    source,
    epoch,
    last_seq: seq,
    oldest: null,
    journal: 'on',
  })),
  feeds: [],
  counts: {},
  hops: {},
  closing: false,
})

/** Messages `from` to `to` of an epoch, and the checkpoint behind them. */
export async function mirrorTo(
  redis: TestRedis,
  source: string,
  epoch: number,
  from: number,
  to: number,
): Promise<void> {
  const pipeline = redis.look.pipeline()
  for (let seq = from; seq <= to; seq++) {
    const at = { epoch, seq }
    const fields = ['topic', topicOf(source, at), 'data', envelopeOf(source, at), 'source', source]
    pipeline.xadd(keys.streamsOf(source)[0]!, '*', ...fields, 'epoch', epoch, 'seq', seq)
  }
  pipeline.hset(keys.checkpoint(source), 'epoch', epoch, 'seq', to, 'closed', '0')
  await pipeline.exec()
}

export const mirrorHealth = (redis: TestRedis, beat: Heartbeat): Promise<unknown> =>
  redis.look.set(keys.health(beat.publisher), JSON.stringify(beat))
