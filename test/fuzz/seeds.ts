/** One valid message of each kind as it crosses the bus. */

import { encode } from '../../src/lib/messages/codec.js'
import type { Heartbeat } from '../../src/lib/messages/heartbeat.js'
import * as samples from '../lib/messages/samples.js'
import type { Frames } from './mutate.js'

const EPOCH = 1_769_500_000_000

const envelope = (source: string, seq: number, payload: object): string =>
  encode(
    {
      env: 'sim',
      source,
      epoch: EPOCH,
      seq,
      prev: 0,
      timestampMs: EPOCH,
      host: 'h boot',
      stamps: { pub: 1, recv: 1 },
    },
    payload,
  )

export const pricesFrames = (seq: number, epoch = EPOCH): Frames => {
  const topic = `prices.kalshi.${samples.prices.market_id}`
  const text = envelope('kalshi.prices', seq, samples.prices)
  return [Buffer.from(topic), Buffer.from(text.replaceAll(String(EPOCH), String(epoch)))]
}

export const heartbeat: Heartbeat = {
  v: 1,
  publisher: 'kalshi',
  env: 'sim',
  host: 'h boot',
  pid: 1,
  timestamp_ms: EPOCH,
  mono_us: 1,
  channels: [
    { source: 'kalshi.prices', epoch: EPOCH, last_seq: 3, oldest: { epoch: EPOCH, seq: 1 }, journal: 'on' },
  ],
  feeds: [{ name: 'kalshi', state: 'LIVE', proved_ago_us: 5, markets: 3, reconnects: 0 }],
  counts: { quotes: 4 },
  hops: { frame_to_quote: { p50_us: 1, p99_us: 2, n: 3 } },
  closing: false,
}

/** What a SUB of every family may be sent. */
export const busSeeds: readonly Frames[] = [
  pricesFrames(1),
  pricesFrames(2),
  [
    Buffer.from(`orderbook.kalshi.${samples.prices.market_id}`),
    Buffer.from(envelope('kalshi.orderbook', 1, { ...samples.orderbook, venue: 'kalshi' })),
  ],
  [Buffer.from('games.nba.401'), Buffer.from(envelope('orchestrator.games', 1, samples.games))],
  [Buffer.from('signals.trade.abc'), Buffer.from(envelope('shard-0.signals', 1, samples.signals))],
  [Buffer.from('orders.kalshi.o'), Buffer.from(envelope('exec.orders', 1, samples.orders))],
  [Buffer.from('trades.partial.o'), Buffer.from(envelope('exec.trades', 1, samples.trades))],
  [Buffer.from('health.kalshi'), Buffer.from(JSON.stringify(heartbeat))],
  [
    Buffer.from('prices.kalshi.T'),
    Buffer.from('{"ticker":"T","yes_bid":0.4,"yes_ask":0.5,"timestamp_ms":1769500000000}'),
  ],
]
