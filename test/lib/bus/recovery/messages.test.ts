import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MAX_REQUEST_BYTES,
  formatReply,
  formatRequest,
  parseReply,
  parseRequest,
} from '../../../../src/lib/bus/recovery/messages.js'
import type { RecoveryReply, RecoveryRequest } from '../../../../src/lib/bus/recovery/messages.js'

const RANGE = { v: 1, id: 7, op: 'range', source: 'kalshi.prices', epoch: 5, from: 1 }
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

  it.each<RecoveryReply>([
    { op: 'pong', id: 0 },
    { op: 'halted', id: 4, level: 'entries' },
    { op: 'halted', id: 4, level: 'all', env: 'prod', mode: 'live' },
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
