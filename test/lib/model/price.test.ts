import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatScaled,
  parsePriceE4,
  parseScaled,
  parseSizeE2,
  priceE4FromWire,
  priceToWire,
  sizeE2FromWire,
  sizeToWire,
} from '../../../src/lib/model/price.js'

describe('prices and sizes', () => {
  it.each([
    ['0.4700', 4700],
    ['.48', 4800],
    ['1', 10_000],
    ['0.000000', 0],
    ['0.12340000', 1234],
  ])('reads the price %s', (text, priceE4) => {
    expect(parsePriceE4(text)).toBe(priceE4)
  })

  it.each([
    '',
    '.',
    '-0.01',
    '1.0001',
    '0.12345',
    '1e-2',
    'NaN',
    '0x1',
    ' 0.5',
    '0.5 ',
    '1e400',
    '99999999999999999999',
  ])('refuses the price %j', (text) => {
    expect(parsePriceE4(text)).toBeUndefined()
  })

  it.each([
    ['3.00', 300],
    ['12.5', 1250],
    ['0.019', 1],
    ['3149725.72', 314_972_572],
  ])('reads the size %s, floored to a hundredth', (text, sizeE2) => {
    expect(parseSizeE2(text)).toBe(sizeE2)
  })

  it.each(['-3.00', '-0.001', '', 'abc', '9999999999999999'])('refuses the size %j', (text) => {
    expect(parseSizeE2(text)).toBeUndefined()
  })

  it('round-trips every integer through its decimal text', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.integer({ min: 0, max: 6 }),
        (value, digits) => {
          expect(parseScaled(formatScaled(value, digits), digits)).toBe(value)
        },
      ),
    )
  })

  it('round-trips every price and any size through the wire number', () => {
    for (let priceE4 = 0; priceE4 <= 10_000; priceE4++)
      expect(priceE4FromWire(priceToWire(priceE4))).toBe(priceE4)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e11 }), (sizeE2) => {
        expect(sizeE2FromWire(sizeToWire(sizeE2))).toBe(sizeE2)
      }),
    )
  })

  it.each([0.00005, 0.12345, -0.1, 1.1, NaN, Infinity])('refuses the wire price %d', (dollars) => {
    expect(priceE4FromWire(dollars)).toBeUndefined()
  })
})
