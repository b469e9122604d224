import { describe, expect, it } from 'vitest'
import { readPrefixes } from '../../../src/lib/operator/prefixes.js'

describe('topic prefixes as operators type them', () => {
  it('are every family when none is given', () => {
    const families = ['prices.', 'orderbook.', 'games.', 'signals.', 'orders.', 'trades.']
    expect(readPrefixes([])).toEqual({ prefixes: families, notes: [] })
    expect(readPrefixes(['*']).prefixes).toEqual(families)
  })

  it.each(['prices.kalshi.*', 'prices.kalshi.>'])('understand the wildcard of %s and say so', (text) => {
    const { prefixes, notes } = readPrefixes([text])
    expect(prefixes).toEqual(['prices.kalshi.'])
    expect(notes).toEqual([`'${text}' is read as the prefix 'prices.kalshi.'`])
  })

  it.each(['prices.*.KX', '*.kalshi.', 'prices.**'])('refuse the wildcard of %s as wrong usage', (text) => {
    expect(() => readPrefixes([text])).toThrow(expect.objectContaining({ code: 'BAD_PREFIX', exit: 2 }))
  })

  it.each(['prices.k', 'prices', 'health.kal'])('point out the missing dot of %s', (text) => {
    const { prefixes, notes } = readPrefixes([text])
    expect(prefixes).toEqual([text])
    expect(notes.join()).toContain(`'${text}' has no closing dot: it also matches ${text}2`)
  })

  it.each([
    'prices.kalshi.',
    'prices.kalshi.KXNBA-X',
    'games.discovered',
    'health.',
    'replay.run1.prices.kalshi.',
  ])('take %s as it is', (text) => expect(readPrefixes([text])).toEqual({ prefixes: [text], notes: [] }))

  it('name the families when there is no such one', () => {
    expect(readPrefixes(['price.kalshi.']).notes.join()).toContain('the families are prices, orderbook')
  })

  it('subscribe once to what is given twice', () => {
    expect(readPrefixes(['games.', 'games.', 'games.*']).prefixes).toEqual(['games.'])
  })
})
