/** What a mirror leaves in Redis, written by hand. */

import type { Redis } from 'ioredis'
import { encode } from '../../../src/lib/messages/codec.js'
import { prices, signals } from '../messages/samples.js'

export const PRICE_STREAM = 'sim:prices:kalshi'
export const SIGNAL_STREAM = 'sim:signals:trades'

/** Messages `from` to `to` of a price or a signal source; number n is of `n` seconds after `startMs`. */
export async function writeMessages(
  redis: Redis,
  source: string,
  epoch: number,
  from: number,
  to: number,
  startMs = 0,
): Promise<void> {
  const [stream, topic, payload] = source.endsWith('.prices')
    ? [PRICE_STREAM, `prices.kalshi.${prices.market_id}`, prices]
    : [SIGNAL_STREAM, `signals.trade.${signals.id}`, signals]
  const pipeline = redis.pipeline()
  for (let seq = from; seq <= to; seq++) {
    const timestampMs = startMs + seq * 1_000
    const data = encode({ env: 'sim', source, epoch, seq, timestampMs, host: 'h', stamps: {} }, payload)
    pipeline.xadd(stream, '*', 'topic', topic, 'data', data, 'source', source, 'epoch', epoch, 'seq', seq)
  }
  await pipeline.exec()
}

/** `to` is empty where the end is not known; `id` is Redis's own unless said. */
export const writeGap = (
  redis: Redis,
  channel: string,
  epoch: number,
  from: number,
  to: number | '',
  reason: string,
  id = '*',
) => {
  const fields = { channel, epoch, from, to, reason }
  return redis.xadd('sim:arbees:gaps', id, ...Object.entries(fields).flat())
}
