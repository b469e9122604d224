import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldReader } from '../../../src/lib/operator/tap-fields.js'
import { parseWhere } from '../../../src/lib/operator/where.js'

const ITEM = {
  topic: 'prices.kalshi.KX',
  source: 'kalshi.prices',
  epoch: 7,
  seq: 42,
  timestampMs: 1_000,
  ageUs: 310,
  text: JSON.stringify({
    seq: 42,
    timestamp_ms: 1_000,
    yes_bid: 0.99,
    stamps: { pub: 5 },
    payload: {
      state: 'LIVE',
      yes_bid: 0.4,
      yes_ask: null,
      closing: false,
      label: 'it\'s "so"',
      home: { score: 3 },
      legs: [{ venue: 'poly' }],
    },
  }),
}
const holds = (text: string): boolean => parseWhere(text).test(fieldReader(ITEM))

describe('a condition on a message', () => {
  it.each([
    ['yes_bid < 0.41', true],
    ['yes_bid<.4', false],
    ['yes_bid <= 0.4 and yes_bid >= 4e-1', true],
    ['0.3 < yes_bid', true],
    ['yes_bid > -1', true],
    ['yes_ask = null', true],
    ['yes_ask != null', false],
    ['nothing = null', true],
    ['nothing < 1', false],
    ['not nothing < 1', true],
    ['yes_ask < 1', false],
    ['state < 1', false],
    ["state = 'LIVE'", true],
    ['state == "LIVE"', true],
    ["state != 'LIVE'", false],
    ["state < 'M'", true],
    ["state >= 'LIVE'", true],
    ['closing = false', true],
    ['closing = 0', false],
    [`label = 'it\\'s "so"'`, true],
    ['home.score = 3', true],
    ["legs.0.venue = 'poly'", true],
    ["legs.1.venue = 'poly'", false],
    // Of the payload first, then of the envelope, then what tap adds.
    ['yes_bid = 0.4', true],
    ['seq = 42 and stamps.pub = 5', true],
    ["topic = 'prices.kalshi.KX' and age_us < 1000", true],
    ['constructor = null and home.toString = null', true],
    // not binds closer than and, and closer than or.
    ['seq = 42 or seq = 1 and seq = 2', true],
    ['(seq = 42 or seq = 1) and seq = 2', false],
    ['not seq = 1 and seq = 42', true],
    ['not (seq = 42 and seq = 1)', true],
    ['NOT seq = 1 AND TRUE = true', true],
    ['not not seq = 42', true],
  ])('%s is %s', (text, expected) => expect(holds(text)).toBe(expected))

  it.each([
    ['', 1, 'expected a field or a value, found the end'],
    ['yes_ask <', 10, 'expected a field or a value, found the end'],
    ['yes_ask 0.4', 9, "expected one of = != < <= > >=, found '0.4'"],
    ['state', 6, 'expected one of'],
    ['yes_ask < 0.4 state = 1', 15, 'expected and, or, or the end'],
    ['(seq = 1', 9, 'expected ), found the end'],
    ['seq = 1)', 8, "found ')'"],
    ["state = 'LIVE", 9, 'a string without its closing quote'],
    ['seq ! 1', 5, "'!' alone is nothing"],
    ['seq = 1 && seq = 2', 9, "nothing begins with '&'"],
    ['seq = 1e', 7, "nothing begins with '1'"],
    ['seq = 12.3.4', 7, "nothing begins with '1'"],
    ['home..score = 1', 1, "nothing begins with 'h'"],
    ['seq = ; process.exit()', 7, "nothing begins with ';'"],
    ['a = '.repeat(600), 2_000, 'too long'],
  ])('refuses %s at column %i', (text, column, problem) => {
    expect(() => parseWhere(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_WHERE',
        exit: 2,
        message: expect.stringContaining(`column ${column}: `),
      }),
    )
    expect(() => parseWhere(text)).toThrow(problem)
  })

  it('refuses or takes any text, and neither hangs nor breaks', () => {
    const words = fc.constantFrom(
      'seq',
      '=',
      '<',
      'and',
      'or',
      'not',
      '(',
      ')',
      '1',
      "'x'",
      'null',
      '!',
      '.',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((each) => each.join(' ')),
        ),
        (text) => {
          let where
          try {
            where = parseWhere(text)
          } catch (error) {
            expect(error).toMatchObject({ code: 'BAD_WHERE' })
            return
          }
          expect(typeof where.test(fieldReader(ITEM))).toBe('boolean')
        },
      ),
    )
    expect(() => parseWhere('('.repeat(1_999))).toThrow('expected a field')
  })

  it('compares numbers as numbers are compared', () => {
    const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())
    fc.assert(
      fc.property(number, number, (a, b) => {
        const is = (sign: string) => holds(`${a} ${sign} ${b}`)
        expect([is('<'), is('<='), is('='), is('!='), is('>='), is('>')]).toEqual([
          a < b,
          a <= b,
          a === b,
          a !== b,
          a >= b,
          a > b,
        ])
      }),
    )
  })

  it('knows which fields no message has had', () => {
    const where = parseWhere('yes_bit < 0.4 or yes_ask = null or home.score > 9')
    expect([...where.unseen]).toEqual(['yes_bit', 'yes_ask', 'home.score'])
    where.test(fieldReader(ITEM))
    // What stands behind something that held was not looked at.
    expect([...where.unseen]).toEqual(['yes_bit', 'home.score'])
  })
})
