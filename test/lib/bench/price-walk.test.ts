import { describe, expect, it } from 'vitest'
import { PriceWalk } from '../../../src/lib/bench/price-walk.js'
import { decode, encode } from '../../../src/lib/messages/codec.js'

describe('the prices of the benchmark', () => {
  it('are real envelopes: they pass every check and carry the first-design fields', () => {
    const walk = new PriceWalk()
    for (let seq = 1; seq <= 500; seq++) {
      const { topic, payload, topLevel } = walk.next()
      const header = {
        env: 'sim',
        source: 'kalshi.prices',
        epoch: 1,
        seq,
        timestampMs: 1,
        host: 'h',
        stamps: {},
      } as const
      const text = encode(header, payload, topLevel)
      expect(decode(topic, Buffer.from(text), 'sim').kind).toBe('message')
      const { yes_bid: bid, yes_ask: ask, ticker } = JSON.parse(text) as Record<string, number | string>
      expect([bid, ask, ticker]).toEqual([payload.yes_bid, payload.yes_ask, payload.market_id])
    }
  })

  it('change, and are the same for the same seed', () => {
    const take = (seed?: number) => {
      const walk = new PriceWalk(seed)
      return Array.from({ length: 100 }, () => walk.next())
    }
    expect(take()).toEqual(take())
    expect(take(1)).not.toEqual(take(2))
    expect(new Set(take().map(({ payload }) => payload.yes_bid)).size).toBeGreaterThan(10)
    expect(new Set(take().map(({ topic }) => topic)).size).toBe(8)
  })
})
