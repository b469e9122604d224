import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MAX_REQUEST_BYTES,
  formatReply,
  formatRequest,
  parseReply,
  parseRequest,
} from '../../../../src/lib/bus/recovery/messages.js'
import type { ManualAnswer, ManualOrder } from '../../../../src/lib/model/manual-order.js'
import type { RecoveryReply, RecoveryRequest } from '../../../../src/lib/bus/recovery/messages.js'

const RANGE = { v: 1, id: 7, op: 'range', source: 'kalshi.prices', epoch: 5, from: 1 }
const ORDER = {
  ...{ order_id: '0123456789abcdef0123456789abcdef', env: 'sim', mode: 'live', by: 'ops' },
  ...{ venue: 'kalshi', market_id: 'M-1', outcome: 'yes', side: 'buy', limit: 0.57, size: 10 },
  ...{ valid_ms: 1500, asked_ms: 5, asked_us: 6, host: 'h/boot' },
} as const
const asked = (more: object) => JSON.stringify({ v: 1, id: 7, op: 'order', order: { ...ORDER, ...more } })
const reasonOf = (text: string | Buffer) => {
  const parsed = parseRequest(Buffer.from(text))
  return parsed.kind === 'bad' ? parsed.reason : 'request'
}

describe('a recovery request', () => {
  const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
  const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  const source = fc.stringMatching(/^[a-z0-9.-]{1,64}$/)
  const request: fc.Arbitrary<RecoveryRequest> = fc.oneof(
    fc.record({ op: fc.constant('ping' as const), id: count }),
    fc.record({
      op: fc.constant('halt' as const),
      id: count,
      level: fc.constantFrom('entries' as const, 'all' as const),
      reason: fc.stringMatching(/^[a-z ]{0,9}[a-z]$/),
      by: fc.stringMatching(/^[a-z]{1,9}$/),
    }),
    fc.record({
      op: fc.constant('order' as const),
      id: count,
      order: fc.record({
        ...Object.fromEntries(Object.entries(ORDER).map(([key, value]) => [key, fc.constant(value)])),
        limit: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
        asked_us: count,
        hmac: fc.stringMatching(/^[0-9a-f]{64}$/),
      }) as unknown as fc.Arbitrary<ManualOrder>,
    }),
    fc.record({ op: fc.constant('range' as const), id: count, source, epoch: count, from: seq }),
    fc.record({ op: fc.constant('snapshot' as const), id: count, source, cursor: count }),
  )

  it('arrives as it was sent', () => {
    fc.assert(
      fc.property(request, (sent) => {
        expect(parseRequest(Buffer.from(formatRequest(sent)))).toEqual({ kind: 'request', request: sent })
      }),
    )
    const bounded: RecoveryRequest = { op: 'range', id: 1, source: 'a', epoch: 0, from: 3, to: 3 }
    expect(parseRequest(Buffer.from(formatRequest(bounded)))).toEqual({ kind: 'request', request: bounded })
  })

  it.each<[string, string]>([
    ['', 'not_json'],
    ['{"v":1', 'not_json'],
    ['[1]', 'not_an_object'],
    ['null', 'not_an_object'],
    ['7', 'not_an_object'],
    [JSON.stringify({ ...RANGE, v: 2 }), 'bad_version'],
    [JSON.stringify({ ...RANGE, v: '1' }), 'bad_version'],
    [JSON.stringify({ ...RANGE, id: undefined }), 'bad_id'],
    [JSON.stringify({ ...RANGE, id: -1 }), 'bad_id'],
    [JSON.stringify({ ...RANGE, id: 1.5 }), 'bad_id'],
    [JSON.stringify({ ...RANGE, op: 'rm' }), 'bad_op'],
    [JSON.stringify({ ...RANGE, op: ['range'] }), 'bad_op'],
    [JSON.stringify({ ...RANGE, source: '../../etc/passwd' }), 'bad_field'],
    [JSON.stringify({ ...RANGE, source: 5 }), 'bad_field'],
    [JSON.stringify({ ...RANGE, source: 'a'.repeat(65) }), 'bad_field'],
    [JSON.stringify({ ...RANGE, epoch: -1 }), 'bad_field'],
    [JSON.stringify(RANGE).replace('"epoch":5', '"epoch":1e400'), 'bad_field'],
    [JSON.stringify({ ...RANGE, from: 0 }), 'bad_field'],
    [JSON.stringify({ ...RANGE, from: '1' }), 'bad_field'],
    [JSON.stringify({ ...RANGE, from: 2 ** 53 }), 'bad_field'],
    [JSON.stringify({ ...RANGE, from: 5, to: 4 }), 'bad_field'],
    [JSON.stringify({ ...RANGE, to: null }), 'bad_field'],
    [JSON.stringify({ ...RANGE, op: 'snapshot' }), 'bad_field'],
    [JSON.stringify({ ...RANGE, op: 'snapshot', cursor: -1 }), 'bad_field'],
    [JSON.stringify({ ...RANGE, padding: 'x'.repeat(MAX_REQUEST_BYTES) }), 'oversize'],
    [JSON.stringify({ v: 1, id: 7, op: 'order' }), 'bad_field'],
    [JSON.stringify({ v: 1, id: 7, op: 'order', order: [] }), 'bad_field'],
    [asked({ order_id: 'x' }), 'bad_field'],
    [asked({ order_id: ORDER.order_id.toUpperCase() }), 'bad_field'],
    [asked({ env: 'moon' }), 'bad_field'],
    [asked({ mode: undefined }), 'bad_field'],
    [asked({ venue: 'polymarket' }), 'bad_field'],
    [asked({ market_id: '' }), 'bad_field'],
    [asked({ market_id: 'x'.repeat(201) }), 'bad_field'],
    [asked({ outcome: 'YES' }), 'bad_field'],
    [asked({ side: 'short' }), 'bad_field'],
    [asked({ limit: '0.57' }), 'bad_field'],
    [asked({ size: null }), 'bad_field'],
    [asked({ valid_ms: -1 }), 'bad_field'],
    [asked({ asked_ms: 1.5 }), 'bad_field'],
    [asked({ asked_us: undefined }), 'bad_field'],
    [asked({ host: 7 }), 'bad_field'],
    [asked({ hmac: 7 }), 'bad_field'],
  ])('is refused when it is %s', (text, reason) => {
    expect(reasonOf(text)).toBe(reason)
  })

  it('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(parseRequest(Buffer.from(bytes)).kind).toBe('bad')
      }),
    )
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseRequest(Buffer.from(text)).kind).toBe('bad')
      }),
    )
  })
})

describe('a recovery reply', () => {
  const RANGE_REPLY: RecoveryReply = {
    op: 'range',
    ...{ id: 7, source: 'kalshi.prices', epoch: 5, from: 1, count: 2, known: true },
    ...{ hole: { to: 9, reason: 'retention' }, last: 12, end: 'known', next: 6 },
  }
  const SNAPSHOT_REPLY: RecoveryReply = {
    op: 'snapshot',
    ...{ id: 7, source: 'kalshi.prices', epoch: 5, seq: 12, complete: true, count: 3, next: null },
  }

  const TOLD: ManualAnswer = {
    env: 'sim',
    mode: 'live',
    ...{ signal_id: 'manual-1', order_id: 'o', state: 'filled', filled: 2, over: true },
    checks: [{ name: 'age_ms', value: 1, limit: 2 }],
  }

  it.each<RecoveryReply>([
    { op: 'pong', id: 0 },
    { op: 'halted', id: 4, level: 'entries' },
    { op: 'halted', id: 4, level: 'all', env: 'prod', mode: 'live' },
    { op: 'ordered', id: 4, answer: { env: 'sim', mode: 'live', refused: 'OTHER_EXEC' } },
    { op: 'ordered', id: 4, answer: TOLD },
    { op: 'ordered', id: 4, answer: { ...TOLD, reason: 'x', cash_micros: 5, fees_micros: 0 } },
    { op: 'refused', id: 3, reason: 'not_exec' },
    RANGE_REPLY,
    { ...RANGE_REPLY, hole: null, end: null, next: null, known: false },
    SNAPSHOT_REPLY,
    { ...SNAPSHOT_REPLY, next: 500 },
    { op: 'rate_limited', id: 3, retry_ms: 20 },
    { op: 'refused', id: 3, reason: 'unknown_source' },
  ])('arrives as it was sent: $op', (reply) => {
    expect(parseReply(Buffer.from(formatReply(reply)))).toEqual(reply)
  })

  it('says that exec has halted whatever it says of itself', () => {
    const reply = { v: 1, op: 'halted', id: 4, level: 'all', env: 'moon', mode: 7 }
    expect(parseReply(Buffer.from(JSON.stringify(reply)))).toEqual({ op: 'halted', id: 4, level: 'all' })
  })

  it.each<[string, object]>([
    ['no version', { op: 'pong', id: 1, v: undefined }],
    ['no id', { ...RANGE_REPLY, id: undefined }],
    ['no level', { op: 'halted', id: 1 }],
    ['no answer', { op: 'ordered', id: 1 }],
    ['an answer of nobody', { op: 'ordered', id: 1, answer: { ...TOLD, env: undefined } }],
    ['a refusal that we do not know', { op: 'ordered', id: 1, answer: { ...TOLD, refused: 'why' } }],
    ['an answer without a state', { op: 'ordered', id: 1, answer: { ...TOLD, state: 7 } }],
    [
      'an answer that does not say whether it is over',
      { op: 'ordered', id: 1, answer: { ...TOLD, over: 1 } },
    ],
    ['another kind', { ...RANGE_REPLY, op: 'range2' }],
    ['a count above a chunk', { ...RANGE_REPLY, count: 501 }],
    ['a hole of no reason', { ...RANGE_REPLY, hole: { to: 9, reason: 'laziness' } }],
    ['a hole that is a number', { ...RANGE_REPLY, hole: 9 }],
    ['an end that is no word', { ...RANGE_REPLY, end: 'soon' }],
    ['a next that is a text', { ...RANGE_REPLY, next: '6' }],
    ['a source of our own making', { ...RANGE_REPLY, source: 'A B' }],
    ['a snapshot without a position', { ...SNAPSHOT_REPLY, seq: undefined }],
    ['a snapshot whose cursor stands still', { ...SNAPSHOT_REPLY, next: 0 }],
    ['a refusal without a reason', { op: 'refused', id: 3, reason: 'because' }],
    ['a wait that is no time', { op: 'rate_limited', id: 3, retry_ms: -5 }],
  ])('is none with %s', (_, reply) => {
    expect(parseReply(Buffer.from(JSON.stringify({ v: 1, ...reply })))).toBeUndefined()
  })
})
