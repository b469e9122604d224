import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineOf, parseLine } from '../../../../src/lib/history/recording/line.js'
import { gap, past } from '../past-samples.js'

const withoutEnd = (line: Buffer) => line.subarray(0, -1)

describe('a line of a recording', () => {
  const source = fc.constantFrom('kalshi.prices', 'shard-0.signals', 'x')
  const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })

  it('gives back every message as it was, whatever its bytes and its topic', () => {
    const message = fc.record({
      kind: fc.constant('message' as const),
      source,
      topic: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('","envelope":{"a":1}')),
      epoch: count,
      seq: count,
      timestampMs: fc.integer(),
      data: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    })
    fc.assert(
      fc.property(message, (given) => {
        const line = lineOf(given)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        const read = parseLine(withoutEnd(line)) as typeof given
        const text = ({ data, ...rest }: typeof given) => JSON.stringify(rest) + data.toString('hex')
        expect(text(read)).toBe(text(given))
      }),
    )
  })

  it('gives back gaps, and the end of its file', () => {
    for (const each of [gap(3, 7, 'retention'), gap(3, null, 'epoch_end_unknown')]) {
      const line = lineOf({ kind: 'gap', gap: each, afterMs: 1, timestampMs: 2 })
      expect(parseLine(withoutEnd(line))).toEqual({ kind: 'gap', gap: each })
    }
    expect(parseLine(withoutEnd(lineOf({ kind: 'end' })))).toEqual({ kind: 'end' })
  })

  it('shows the envelope as it was sent to whoever looks at it', () => {
    expect(
      withoutEnd(lineOf(past(3, 1_003)))
        .toString()
        .slice(9),
    ).toBe(
      '{"topic":"prices.kalshi.KX","source":"kalshi.prices","epoch":7,"seq":3,"timestamp_ms":1003,"envelope":{"seq":3}}',
    )
  })

  it('is refused where one bit of it is another, or a part is missing', () => {
    const line = withoutEnd(lineOf(past(3)))
    for (let bit = 0; bit < line.length * 8; bit++) {
      const damaged = Buffer.from(line)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      const isSameCrc =
        bit < 64 && damaged.toString('latin1', 0, 8).toLowerCase() === line.toString('latin1', 0, 8)
      if (!isSameCrc) expect(parseLine(damaged)).toBeUndefined()
    }
    for (let length = 0; length < line.length; length++) {
      expect(parseLine(line.subarray(0, length))).toBeUndefined()
    }
  })

  it.each([
    '{"end":false}',
    '[]',
    '{"gap":{"source":"a b","epoch":1,"from":1,"to":2,"reason":"x"}}',
    '{"gap":{"source":"a","epoch":1,"from":1,"to":2,"reason":"\\u001b[2J"}}',
    '{"gap":{"source":"a","epoch":1,"from":-1,"to":2,"reason":"x"}}',
    '{"topic":"t","source":"a","epoch":1,"seq":1,"timestamp_ms":1e999,"envelope":{}}',
    '{"topic":"t","source":"a","epoch":1,"seq":1.5,"timestamp_ms":1,"envelope":{}}',
    '{"topic":"t","source":"a","epoch":1,"seq":1,"timestamp_ms":1}',
  ])('is none that says %s', (json) => {
    // The crc is right: somebody meant it.
    expect(parseLine(Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}`))).toBeUndefined()
  })
})
