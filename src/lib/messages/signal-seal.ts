/**
 * The seal of a signal: what a shard and exec share a key for, whatever path the signal takes. It covers all that exec
 * acts on: who said it, in which place of the sequence, when, and the whole plan. Manual orders are sealed with the same
 * key.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ManualOrder } from '../model/manual-order.js'
import type { Env } from '../model/venue.js'
import type { Header, SignalsPayload } from './payloads.js'

/** The part of the envelope that is sealed. `shardOutUs` is what exec tells a signal's age by on the same host. */
export interface SealedHeader {
  readonly env: Env
  readonly source: string
  readonly epoch: number
  readonly seq: number
  readonly timestampMs: number
  readonly host: string
  readonly shardOutUs: number | undefined
}

const SEAL = /^[0-9a-f]{64}$/

/** The payload with its `hmac`. */
export function sealSignal(key: Buffer, header: SealedHeader, payload: SignalsPayload): SignalsPayload {
  return { ...payload, hmac: sealOf(key, header, payload).toString('hex') }
}

/** What is wrong with the seal of a signal that arrived; undefined when it is whole. Takes the same time for any seal. */
export function wrongSeal(
  key: Buffer,
  { env, source, epoch, seq, timestamp_ms: timestampMs, host, stamps }: Header,
  { hmac, ...payload }: SignalsPayload,
): 'missing' | 'wrong' | undefined {
  if (hmac === undefined) return 'missing'
  if (!SEAL.test(hmac)) return 'wrong'
  const header = { env, source, epoch, seq, timestampMs, host, shardOutUs: stamps.shard_out }
  return isEqual(sealOf(key, header, payload), hmac) ? undefined : 'wrong'
}

/** A manual order with its `hmac`: all that it says is covered, and no seal of a signal is one of an order. */
export const sealOrder = (key: Buffer, order: ManualOrder): ManualOrder => ({
  ...order,
  hmac: orderSealOf(key, order).toString('hex'),
})

/** Whether it comes whole from a holder of the key. */
export const isSealedOrder = (key: Buffer, order: ManualOrder): boolean =>
  order.hmac !== undefined && SEAL.test(order.hmac) && isEqual(orderSealOf(key, order), order.hmac)

const isEqual = (seal: Buffer, hex: string): boolean => timingSafeEqual(seal, Buffer.from(hex, 'hex'))

/** HMAC-SHA256 over the word `order`, a newline, and a JSON list of its values by name. */
function orderSealOf(key: Buffer, { hmac: _own, ...order }: ManualOrder): Buffer {
  const facts = Object.entries(order).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHmac('sha256', key)
    .update(`order\n${JSON.stringify(facts)}`)
    .digest()
}

/** HMAC-SHA256 over a JSON list of the header's values, a newline, and the payload's JSON as it was sent. */
function sealOf(key: Buffer, header: SealedHeader, payload: SignalsPayload): Buffer {
  const { env, source, epoch, seq, timestampMs, host, shardOutUs } = header
  const facts = JSON.stringify([env, source, epoch, seq, timestampMs, host, shardOutUs ?? null])
  return createHmac('sha256', key)
    .update(`${facts}\n${JSON.stringify(payload)}`)
    .digest()
}
