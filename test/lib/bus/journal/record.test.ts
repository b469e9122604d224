import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  findRecord,
  isTorn,
  readRecord,
  readRecords,
  recordBytes,
  writeRecord,
} from '../../../../src/lib/bus/journal/record.js'

const parts = fc.record({
  epoch: fc.maxSafeNat(),
  seq: fc.maxSafeNat(),
  timestampMs: fc.maxSafeNat(),
  topic: fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
  text: fc.string({ unit: 'grapheme', maxLength: 300 }),
})

function encoded(each: {
  epoch: number
  seq: number
  timestampMs: number
  topic: Buffer
  text: string
}): Buffer {
  const bytes = Buffer.alloc(recordBytes(each.topic, Buffer.byteLength(each.text)))
  const { dataStart, end } = writeRecord(bytes, 0, each)
  expect(end).toBe(bytes.length)
  expect(bytes.subarray(dataStart, end).toString()).toBe(each.text)
  return bytes
}

const RECORD = encoded({
  epoch: 1_769_500_000_123,
  seq: 2 ** 40 + 7,
  timestampMs: 1_769_500_012_345,
  topic: Buffer.from('prices.kalshi.KX'),
  text: '{"v":1,"team":"Köln"}',
})

describe('a record', () => {
  it('comes back as it was written, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 5 }), (all) => {
        const records = readRecords(Buffer.concat(all.map(encoded)))
        expect(records?.map(({ data, ...rest }) => ({ ...rest, text: data.toString() }))).toEqual(
          all.map(({ topic, ...rest }) => ({ ...rest, topic: topic.toString() })),
        )
      }),
    )
  })

  it('is incomplete at every offset that it is cut at, and torn', () => {
    for (let length = 0; length < RECORD.length; length++) {
      const cut = RECORD.subarray(0, length)
      expect(readRecord(cut, 0)).toEqual({ kind: 'incomplete' })
      expect(isTorn(cut, 0)).toBe(true)
      expect(length === 0 || readRecords(cut) === undefined).toBe(true)
    }
  })

  it('is refused with any one bit turned over, and not taken for a torn one', () => {
    for (let bit = 0; bit < RECORD.length * 8; bit++) {
      const bytes = Buffer.from(RECORD)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(readRecord(bytes, 0).kind).not.toBe('record')
      expect(isTorn(bytes, 0)).toBe(false)
      expect(readRecords(bytes)).toBeUndefined()
    }
  })

  it('is found behind bytes that are none, by its epoch and a seq that is not too low', () => {
    const bytes = Buffer.concat([Buffer.alloc(77, 0xa5), RECORD])
    const epoch = 1_769_500_000_123
    expect(findRecord(bytes, 0, { epoch, seq: 1 })).toEqual({ offset: 77, seq: 2 ** 40 + 7 })
    expect(findRecord(bytes, 0, { epoch, seq: 2 ** 40 + 8 })).toBeUndefined()
    expect(findRecord(bytes, 0, { epoch: epoch + 1, seq: 1 })).toBeUndefined()
  })

  it('never throws on bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (garbage, offset) => {
        readRecord(Buffer.from(garbage), Math.min(offset, garbage.length))
        readRecords(Buffer.from(garbage))
        isTorn(Buffer.from(garbage), 0)
      }),
    )
  })
})
