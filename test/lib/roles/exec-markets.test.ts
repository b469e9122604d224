import { describe, expect, it } from 'vitest'
import type { GameMarket } from '../../../src/lib/model/game.js'
import { gamesPayload } from '../../../src/lib/messages/convert.js'
import { SECOND_SOURCE } from '../../../src/lib/model/game.js'
import { createGateways } from '../../../src/lib/roles/exec-gateways.js'
import { ExecMarkets } from '../../../src/lib/roles/exec-markets.js'
import { Harness } from '../execution/harness.js'
import { kalshiMarket, orderOf, polyMarket, signal } from '../risk/samples.js'
import { testRole } from './role-harness.js'

const EPOCH = 7
const MARKET = 'KX-1'
const payload = (marketId = MARKET) =>
  ({
    venue: 'kalshi',
    market_id: marketId,
    state: 'LIVE',
    bids: [[0.44, 50]],
    asks: [[0.46, 50]],
    book_seq: 1,
  }) as const

const team = { code: 'MIA', name: 'Miami', score: 0 }
const gameWith = (gameId: string, listed: GameMarket[]) =>
  gamesPayload({
    league: 'nba',
    gameId,
    home: team,
    away: { ...team, code: 'BOS' },
    status: 'live',
    period: 1,
    startMs: 0,
    provider: 'test',
    fetchedMs: 0,
    markets: listed,
    shard: 0,
  })

/** A book that was told while its publisher's heartbeat is heard. */
function told(): ExecMarkets {
  const markets = new ExecMarkets()
  markets.beat('kalshi', { epoch: EPOCH, recvUs: 0, closing: false })
  markets.applyBook(payload(), EPOCH)
  return markets
}

describe('a book to fill on', () => {
  it('is shown while its publisher is heard', () => {
    expect(told().bookOf('kalshi', MARKET, 599_999)?.asks).toEqual([[4600, 5000]])
  })

  it('is not shown before a heartbeat was heard', () => {
    const markets = new ExecMarkets()
    markets.applyBook(payload(), EPOCH)
    expect(markets.bookOf('kalshi', MARKET, 0)).toBeUndefined()
  })

  it('is not shown while its publisher is silent for 600 ms, and again when it goes on without a gap', () => {
    const markets = told()
    expect(markets.bookOf('kalshi', MARKET, 600_000)).toBeUndefined()
    markets.beat('kalshi', { epoch: EPOCH, recvUs: 700_000, closing: false })
    expect(markets.bookOf('kalshi', MARKET, 700_000)).toBeDefined()
  })

  it('is gone when its publisher closes', () => {
    const markets = told()
    markets.beat('kalshi', { epoch: EPOCH, recvUs: 1, closing: true })
    expect(markets.bookCount).toBe(0)
    markets.beat('kalshi', { epoch: EPOCH, recvUs: 2, closing: false })
    expect(markets.bookOf('kalshi', MARKET, 3)).toBeUndefined()
  })

  it.each([
    [
      'heartbeat',
      (markets: ExecMarkets) => markets.beat('kalshi', { epoch: EPOCH + 1, recvUs: 1, closing: false }),
    ],
    ['book', (markets: ExecMarkets) => markets.applyBook(payload('KX-2'), EPOCH + 1)],
  ])('is gone with the first %s of a new epoch', (_, begin) => {
    const markets = told()
    begin(markets)
    markets.beat('kalshi', { epoch: EPOCH + 1, recvUs: 2, closing: false })
    expect(markets.bookOf('kalshi', MARKET, 3)).toBeUndefined()
  })

  it('of another publisher stays', () => {
    const markets = told()
    markets.beat('poly', { epoch: EPOCH + 1, recvUs: 1, closing: true })
    expect(markets.bookOf('kalshi', MARKET, 2)).toBeDefined()
  })
})

it('counts the markets at Kalshi whose shard is not told, until it is', () => {
  const markets = new ExecMarkets()
  const told = (listed: GameMarket) => markets.applyGame(gameWith('game', [listed]))
  told(kalshiMarket({ marketId: 'KX-1' }))
  told(polyMarket())
  expect(markets.shardlessCount).toBe(1)
  told(kalshiMarket({ marketId: 'KX-2', exchangeIndex: 0 }))
  told(kalshiMarket({ marketId: 'KX-1', exchangeIndex: 3 }))
  expect(markets.shardlessCount).toBe(0)
})

it('remembers the markets and books told of last, 5,000 at most', () => {
  const markets = new ExecMarkets()
  const marketOf = (index: number) => kalshiMarket({ marketId: `KX-${index}` })
  for (let index = 0; index < 5_100; index++) {
    markets.applyGame(gameWith(`game-${index}`, [marketOf(index)]))
    markets.applyGame(gameWith('game-0', [marketOf(0)]))
    markets.applyBook(payload(`KX-${index}`), EPOCH)
  }
  expect([markets.count, markets.bookCount]).toEqual([5_000, 5_000])
  const known = (index: number) =>
    markets.marketOf({ venue: 'kalshi', marketId: `KX-${index}` }, `game-${index}`)
  expect([0, 1, 5_099].map((index) => known(index) !== undefined)).toEqual([true, false, true])
})

describe('a final game', () => {
  it('frees what it held when the scoreboard says so, not when the second source does', () => {
    const harness = new Harness({ url: 'http://127.0.0.1:1' })
    try {
      const markets = new ExecMarkets()
      const final = { ...gameWith('401', []), status: 'final' } as const
      const released = () => !harness.ledger.appendOnce('game_final', { gameId: '401' })
      markets.releaseFinal({ ...final, provider: SECOND_SOURCE }, harness.execution)
      markets.releaseFinal(final, harness.execution)
      expect(released()).toBe(true)
      const other = { ...final, game_id: '402', provider: SECOND_SOURCE }
      markets.releaseFinal(other, harness.execution)
      expect(harness.ledger.appendOnce('game_final', { gameId: '402' })).toBe(true)
    } finally {
      harness.close()
    }
  })
})

it('gives an order on paper again what an earlier one took of a level that went meanwhile', async () => {
  const { context } = testRole('exec', { env: 'demo' })
  const markets = new ExecMarkets()
  const { kalshi } = createGateways(context, 'paper', markets, () => undefined)
  const market = kalshiMarket()
  const show = (ask: number) => {
    const { venue, marketId: market_id } = market
    markets.beat(venue, { epoch: EPOCH, recvUs: context.clock.monoUs(), closing: false })
    markets.applyBook({ ...payload(), venue, market_id, asks: [[ask, 50]] }, EPOCH)
  }
  const buy = async (attempt: number) => {
    const request = orderOf(signal(), 1, { attempt, orderId: `buy-${attempt}`, limitE4: 4600, sizeE2: 5_000 })
    const outcome = await kalshi.send(
      kalshi.prepare(request, market),
      () => undefined,
      () => true,
    )
    return outcome.kind
  }
  show(0.46)
  const first = [await buy(0), await buy(1)]
  show(0.6)
  show(0.46)
  expect([...first, await buy(2)]).toEqual(['filled', 'none', 'filled'])
  await context.lifecycle.close()
})
