import { createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../src/lib/messages/codec.js'
import type { Header, SignalsPayload } from '../../../src/lib/messages/payloads.js'
import { sealSignal, wrongSeal } from '../../../src/lib/messages/signal-seal.js'
import * as samples from './samples.js'

const key = randomBytes(32)
const sealed = {
  env: 'sim',
  source: 'shard-0.signals',
  epoch: 1_769_500_000_123,
  seq: 7,
  timestampMs: 1_769_500_012_345,
  host: 'h/1',
  shardOutUs: 99,
} as const

/** As a shard sends it and as exec decodes it. */
function overTheWire(change: (text: string) => string = (text) => text) {
  const { shardOutUs, ...identity } = sealed
  const payload = sealSignal(key, sealed, samples.signals)
  const envelope = { ...identity, stamps: { shard_out: shardOutUs, pub: 101 } }
  const text = change(encode(envelope, payload))
  const decoded = decode(`signals.trade.${samples.signals.id}`, Buffer.from(text), 'sim')
  if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded))
  return { header: decoded.message.header, payload: decoded.message.payload as SignalsPayload }
}
const verdict = ({ header, payload }: { header: Header; payload: SignalsPayload }, by = key) =>
  wrongSeal(by, header, payload)

describe('the seal of a signal', () => {
  it('holds over the wire', () => {
    expect(verdict(overTheWire())).toBeUndefined()
  })

  it('is HMAC-SHA256 over what the comment says, so that others can make it', () => {
    const facts = ['sim', 'shard-0.signals', 1_769_500_000_123, 7, 1_769_500_012_345, 'h/1', 99]
    const expected = createHmac('sha256', key)
      .update(`${JSON.stringify(facts)}\n${JSON.stringify(samples.signals)}`)
      .digest('hex')
    expect(overTheWire().payload.hmac).toBe(expected)
  })

  it.each<[string, (text: string) => string]>([
    ['another source', (text) => text.replaceAll('shard-0.signals', 'shard-1.signals')],
    ['another epoch', (text) => text.replaceAll('1769500000123', '1769500000124')],
    ['another seq', (text) => text.replace('"seq":7', '"seq":8')],
    ['another time', (text) => text.replace('1769500012345', '1769500012346')],
    ['another host', (text) => text.replace('"h/1"', '"h/2"')],
    ['a younger decision', (text) => text.replace('"shard_out":99', '"shard_out":98')],
    ['no time of decision', (text) => text.replace('"shard_out":99,', '')],
    ['another limit', (text) => text.replace(/"limit":0\.(\d+)/, '"limit":0.99$1')],
    ['another size', (text) => text.replace(/"size":\d+/, '"size":1')],
    ['a longer life', (text) => text.replace(/"valid_ms":\d+/, '"valid_ms":9999999')],
    ['a field more', (text) => text.replace('"valid_ms"', '"note":1,"valid_ms"')],
    ['a later field that wins', (text) => text.replace(/\}\}$/, ',"valid_ms":9999999}}')],
    ['a later seal', (text) => text.replace(/\}\}$/, `,"hmac":"${'0'.repeat(64)}"}}`)],
    ['half a seal', (text) => text.replace(/"hmac":"[0-9a-f]{32}/, '"hmac":"')],
    [
      'a seal of another alphabet',
      (text) => text.replace(/"hmac":"[0-9a-f]{64}/, `"hmac":"${'é'.repeat(64)}`),
    ],
    [
      'a seal in capitals',
      (text) => text.replace(/"hmac":"([0-9a-f]{64})/, (_, hmac: string) => `"hmac":"${hmac.toUpperCase()}F`),
    ],
  ])('does not hold for %s', (_, change) => {
    const changed = overTheWire(change)
    expect(verdict(changed)).toBe('wrong')
  })

  it('is missed, and is not another key', () => {
    const { header, payload } = overTheWire()
    const { hmac, ...bare } = payload
    expect(hmac).toHaveLength(64)
    expect(wrongSeal(key, header, bare)).toBe('missing')
    expect(verdict(overTheWire(), randomBytes(32))).toBe('wrong')
  })

  it('survives what JSON does to numbers and texts', () => {
    fc.assert(
      fc.property(
        fc.record({
          id: fc.string({ minLength: 1 }),
          pair: fc.string({ minLength: 1 }),
          size: fc.double({ min: 0, max: 1e13, noNaN: true }),
        }),
        (change) => {
          const payload = sealSignal(key, sealed, { ...samples.signals, ...change })
          const { shardOutUs, timestampMs, ...rest } = sealed
          const header = {
            v: 1,
            ...rest,
            timestamp_ms: timestampMs,
            trace: 't',
            stamps: { shard_out: shardOutUs },
          } as const
          const received = JSON.parse(JSON.stringify(payload)) as SignalsPayload
          expect(wrongSeal(key, header, received)).toBeUndefined()
        },
      ),
    )
  })
})
