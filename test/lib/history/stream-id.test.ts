import { describe, expect, it } from 'vitest'
import { idBefore, idBehind, isIdBefore, readStreamId, timeOfId } from '../../../src/lib/history/stream-id.js'

const MAX = '18446744073709551615'

describe('ids of entries', () => {
  it.each([
    ['0-0', '0-1', undefined],
    ['5-0', '5-1', `4-${MAX}`],
    ['5-7', '5-8', '5-6'],
    [`5-${MAX}`, '6-0', '5-18446744073709551614'],
    ['1769500000123-9007199254740993', '1769500000123-9007199254740994', '1769500000123-9007199254740992'],
  ])('%s lies between its neighbors', (id, behind, before) => {
    expect(idBehind(id)).toBe(behind)
    expect(idBefore(id)).toBe(before)
    expect(isIdBefore(id, behind)).toBe(true)
    expect(isIdBefore(behind, id)).toBe(false)
    expect(isIdBefore(id, id)).toBe(false)
  })

  it('are compared as numbers', () => {
    expect(isIdBefore('9-0', '10-0')).toBe(true)
    expect(isIdBefore('9-10', '9-9')).toBe(false)
    expect(timeOfId('1769500000123-4')).toBe(1_769_500_000_123)
  })

  it('are read as operators type them', () => {
    expect(readStreamId('1769500000123')).toBe('1769500000123-0')
    expect(readStreamId('5-7')).toBe('5-7')
  })

  it.each(['', '-', '+', '5-', 'a-1', '5-7-9', '-5', '1e3', '99999999999999999999-0'])(
    '%j is none',
    (text) => {
      expect(() => readStreamId(text)).toThrow(expect.objectContaining({ code: 'BAD_STREAM_ID', exit: 2 }))
    },
  )
})
