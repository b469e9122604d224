/** Messages of one quote on its way to an order. */

import type { Message } from '../../../src/lib/messages/codec.js'
import type { Header, OrdersPayload, Stamps } from '../../../src/lib/messages/payloads.js'
import { tryParseTopic } from '../../../src/lib/messages/topics.js'
import * as samples from '../messages/samples.js'

export const WALL_MS = 1_769_500_000_000

/** A host whose wall clock said `wallMs` when its monotonic one said 0. */
export interface SampleHost {
  readonly host: string
  readonly wallMs: number
}
export const HERE: SampleHost = { host: 'here/1', wallMs: WALL_MS }

function headerOf(source: string, seq: number, stamps: Stamps, at: SampleHost = HERE): Header {
  return {
    v: 1,
    env: 'sim',
    source,
    epoch: 1,
    seq,
    timestamp_ms: at.wallMs + (stamps.pub ?? 0) / 1000,
    host: at.host,
    trace: `${source}/1/${seq}`,
    stamps,
  }
}

export const priceOf = (seq: number, stamps: Stamps, at?: SampleHost): Message => ({
  family: 'prices',
  topic: tryParseTopic('prices.kalshi.KX')!,
  header: headerOf('kalshi.prices', seq, stamps, at),
  payload: samples.prices,
})

/** A signal whose trigger is the price `trigger`. */
export const signalOf = (id: string, trigger: number, stamps: Stamps, at?: SampleHost): Message => ({
  family: 'signals',
  topic: tryParseTopic(`signals.trade.${id}`)!,
  header: { ...headerOf('shard-0.signals', 1, stamps, at), trace: `kalshi.prices/1/${trigger}` },
  payload: { ...samples.signals, id },
})

export const orderOf = (
  signalId: string,
  trigger: number,
  stamps: Stamps,
  payload: Partial<OrdersPayload> = {},
  at?: SampleHost,
): Message => ({
  family: 'orders',
  topic: tryParseTopic(`orders.kalshi.o-${signalId}`)!,
  header: { ...headerOf('exec.orders', 1, stamps, at), trace: `kalshi.prices/1/${trigger}` },
  payload: { ...samples.orders, order_id: `o-${signalId}`, signal_id: signalId, state: 'sent', ...payload },
})
