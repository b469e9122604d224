import { describe, expect, it } from 'vitest'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import type { RedisKeys } from '../../../src/lib/redis/keys.js'

const NAMES: readonly (readonly [name: string, prod: string, of: (keys: RedisKeys) => string])[] = [
  ['prices', 'prices:kalshi', (keys) => keys.prices('kalshi')],
  ['order books', 'orderbook:poly', (keys) => keys.orderbook('poly')],
  ['signals', 'signals:trades', (keys) => keys.signals()],
  ['live orders', 'orders:history', (keys) => keys.orders('live')],
  ['paper orders', 'paper:orders:history', (keys) => keys.orders('paper')],
  ['live trades', 'trades:history', (keys) => keys.trades('live')],
  ['paper trades', 'paper:trades:history', (keys) => keys.trades('paper')],
  ['game messages', 'games:events', (keys) => keys.gameEvents()],
  ['a game', 'games:nba:401', (keys) => keys.game('nba', '401')],
  ["a market's game", 'market:KXNBA-26:game_id', (keys) => keys.marketGame('KXNBA-26')],
  ['a checkpoint', 'arbees:checkpoint:kalshi.prices', (keys) => keys.checkpoint('kalshi.prices')],
  ['gaps', 'arbees:gaps', (keys) => keys.gaps()],
  ["a monitor's health", 'arbees:health:monitor:poly', (keys) => keys.health('poly')],
  ["a shard's health", 'arbees:health:shard:3', (keys) => keys.health('shard-3')],
  ['the health of others', 'arbees:health:exec:0', (keys) => keys.health('exec')],
  ["the stream of a venue's prices", 'prices:poly', (keys) => keys.streamsOf('poly.prices').join()],
  ["the stream of a venue's books", 'orderbook:kalshi', (keys) => keys.streamsOf('kalshi.orderbook').join()],
  ['the stream of games', 'games:events', (keys) => keys.streamsOf('orchestrator.games').join()],
  ['the stream of all shards', 'signals:trades', (keys) => keys.streamsOf('shard-2.signals').join()],
  ['the halt', 'arbees:halt', (keys) => keys.halt()],
  ['bare prices', 'prices:kalshi:KXNBA-26', (keys) => keys.priceChannel('kalshi', 'KXNBA-26')],
]

describe('redis keys', () => {
  it.each(NAMES)("%s: the first design's own name in prod, behind the env elsewhere", (_, prod, of) => {
    expect(of(redisKeys('prod'))).toBe(prod)
    expect(of(redisKeys('sim'))).toBe(`sim:${prod}`)
    expect(of(redisKeys('demo'))).toBe(`demo:${prod}`)
  })

  it.each(['orders', 'trades'])('a stream a mode for %s', (family) => {
    expect(redisKeys('sim').streamsOf(`exec.${family}`)).toEqual([
      `sim:paper:${family}:history`,
      `sim:${family}:history`,
    ])
  })

  it.each(['other.prices', 'legacy.somewhere', 'replay.run.kalshi.prices', ''])(
    'knows no stream for %j',
    (source) => {
      expect(redisKeys('sim').streamsOf(source)).toEqual([])
    },
  )

  it.each(['', 'a b', 'a\nb', '\u001b[31m', 'caf\u00e9', '\u202eabc', 'x'.repeat(201)])(
    'refuses %j as part of a key',
    (part) => {
      expect(() => redisKeys('sim').marketGame(part)).toThrow(expect.objectContaining({ code: 'BAD_KEY' }))
    },
  )
})
