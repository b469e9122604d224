import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultPort, publisherNames, sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { isSource, topicPrefixOf } from '../../../src/lib/messages/sources.js'
import { FAMILIES, formatTopic, parseTopic, tryParseTopic } from '../../../src/lib/messages/topics.js'

describe('topics', () => {
  it.each([
    [
      'prices.kalshi.KXNBAGAME-26JAN15MIABOS-MIA',
      { family: 'prices', scope: 'kalshi', id: 'KXNBAGAME-26JAN15MIABOS-MIA' },
    ],
    [
      'prices.kalshi.KXBTCD-26JAN0217-T95999.99',
      { family: 'prices', scope: 'kalshi', id: 'KXBTCD-26JAN0217-T95999.99' },
    ],
    ['games.nba.401584847', { family: 'games', scope: 'nba', id: '401584847' }],
    ['games.discovered', { family: 'games', scope: 'discovered', id: '' }],
    ['signals.trade.abc', { family: 'signals', scope: 'trade', id: 'abc' }],
    ['replay.run-1.prices.poly.0xAb', { family: 'prices', scope: 'poly', id: '0xAb', run: 'run-1' }],
  ])('round-trips %s', (wire, topic) => {
    expect(parseTopic(wire)).toEqual(topic)
    expect(formatTopic(parseTopic(wire))).toBe(wire)
  })

  it.each([
    'prices',
    'prices.kalshi',
    'prices.kalshi.',
    'prices..x',
    'prices.Kalshi.x',
    'quotes.kalshi.x',
    'games.unknown',
    'prices.kalshi.a b',
    'prices.kalshi.\u001b[31m',
    'prices.kalshi.' + 'x'.repeat(201),
    'replay..prices.kalshi.x',
    'replay.a.replay.b.prices.kalshi.x',
    'health.kalshi',
    '',
  ])('refuses %j', (wire) => {
    expect(tryParseTopic(wire)).toBeUndefined()
    expect(() => parseTopic(wire)).toThrowError(expect.objectContaining({ code: 'BAD_TOPIC' }))
  })

  it('never builds a topic that it could not read back', () => {
    const part = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(fc.constantFrom(...FAMILIES), part, part, (family, scope, id) => {
        let wire: string
        try {
          wire = formatTopic({ family, scope, id })
        } catch {
          return
        }
        expect(parseTopic(wire)).toEqual({ family, scope, id })
      }),
    )
  })
})

describe('sources', () => {
  it('each belong to one publisher, and their prefix covers their topics', () => {
    const all = publisherNames(3).flatMap((publisher) => sourcesOf(publisher))
    expect(all).toEqual([
      'kalshi.orderbook',
      'kalshi.prices',
      'poly.orderbook',
      'poly.prices',
      'orchestrator.games',
      'shard-0.signals',
      'shard-1.signals',
      'shard-2.signals',
      'exec.orders',
      'exec.trades',
    ])
    expect(all.every(isSource)).toBe(true)
    expect(new Set(all).size).toBe(all.length)
    expect(topicPrefixOf('poly.orderbook')).toBe('orderbook.poly.')
    expect(topicPrefixOf('shard-2.signals')).toBe('signals.trade.')
  })

  it('have the documented ports', () => {
    expect(publisherNames(3).map(defaultPort)).toEqual([5555, 5556, 5557, 5558, 5571, 5572, 5560])
    expect(() => defaultPort('nobody')).toThrowError(expect.objectContaining({ code: 'UNKNOWN_PUBLISHER' }))
  })
})
