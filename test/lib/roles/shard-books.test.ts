import { describe, expect, it } from 'vitest'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import type { Header, PricesPayload, Stamps } from '../../../src/lib/messages/payloads.js'
import { gameStateOf } from '../../../src/lib/messages/convert.js'
import type { GameMarket, GameState } from '../../../src/lib/model/game.js'
import { ShardBooks } from '../../../src/lib/roles/shard-books.js'
import type { Combination } from '../../../src/lib/strategy/combination.js'
import * as samples from '../messages/samples.js'
import { market, sides } from '../strategy/setup.js'

const WALL_MS = 1_769_500_000_000
const SECOND = 1_000_000

function books(index = 0) {
  const gone: Combination[] = []
  const worthless: string[] = []
  const shard = new ShardBooks({
    ...{ index, lease: undefined, onNew: () => undefined },
    host: 'here/1',
    nowMs: () => WALL_MS,
    onGone: (combination) => gone.push(combination),
    onWorthless: ({ key, row }) => worthless.push(`${key} ${row}`),
  })
  for (const source of ['kalshi.prices', 'kalshi.orderbook', 'poly.prices', 'poly.orderbook'])
    shard.applyState(source, true)
  return { shard, gone, worthless }
}

const header = (source: string, seq: number, change: Partial<Header> = {}): Header => ({
  v: 1,
  env: 'sim',
  source,
  epoch: 1,
  seq,
  timestamp_ms: WALL_MS,
  host: 'here/1',
  trace: 't',
  stamps: {},
  ...change,
})

const KALSHI_ID = 'KXNBAGAME-25DEC01HOUUTA-HOU'
const price = (id = KALSHI_ID, selection = 'HOU'): PricesPayload => ({
  ...samples.prices,
  venue: id.startsWith('0x') ? 'poly' : 'kalshi',
  market_id: id,
  selection,
})

const MARKETS: readonly GameMarket[] = [market('kalshi'), market('poly')]
const { handover: _, ...SAMPLE } = gameStateOf(samples.games)!
const game = (change: Partial<GameState> = {}): GameState => ({
  ...SAMPLE,
  home: { code: 'UTAH', name: 'Utah Jazz', score: 90 },
  away: { code: 'HOU', name: 'Houston Rockets', score: 88 },
  markets: MARKETS,
  ...change,
})

const beat = (change: Partial<Heartbeat> = {}): Heartbeat => ({
  v: 1,
  publisher: 'kalshi',
  env: 'sim',
  host: 'here/1',
  pid: 1,
  timestamp_ms: WALL_MS,
  mono_us: 10 * SECOND,
  channels: [],
  feeds: [{ name: 'kalshi', state: 'LIVE', proved_ago_us: 40_000, markets: 1, reconnects: 0 }],
  counts: {},
  hops: {},
  closing: false,
  ...change,
})

describe('what a shard knows of a market', () => {
  it('counts as proved when its own bytes came, by the clock of this host', () => {
    const { shard } = books()
    const stamps: Stamps = { recv: 5 * SECOND, pub: 5 * SECOND + 300 }
    const { book } = shard.applyQuote(price(), header('kalshi.prices', 1, { stamps }), 5 * SECOND + 400)
    expect(book.provedUs).toBe(5 * SECOND)
  })

  it('counts as older, never as younger, when it comes from another host', () => {
    const { shard } = books()
    const stamps: Stamps = { recv: 77, pub: 1077 }
    const from = (timestampMs: number) =>
      shard.applyQuote(
        price(),
        header('kalshi.prices', 1, { host: 'there/1', stamps, timestamp_ms: timestampMs }),
        5 * SECOND,
      ).book.provedUs
    // A tenth of a second is allowed for the clocks, a millisecond passed between its receive and its publish.
    expect(from(WALL_MS - 20)).toBe(5 * SECOND - 20_000 - 100_000 - 1000)
    expect(from(WALL_MS + 5000)).toBe(5 * SECOND - 100_000 - 1000)
  })

  it.each<[string, Partial<PricesPayload>, Stamps]>([
    ['STALE', { state: 'STALE' }, { recv: 5 * SECOND }],
    ['BROKEN', { state: 'BROKEN' }, { recv: 5 * SECOND }],
    ['LIVE without a receive stamp', {}, {}],
  ])('is not proved by a quote that is %s', (_, change, stamps) => {
    const { shard } = books()
    const payload = { ...price(), ...change }
    expect(shard.applyQuote(payload, header('kalshi.prices', 1, { stamps }), 5 * SECOND).book.provedUs).toBe(
      -Infinity,
    )
  })

  it('is proved by the least proved feed of its monitor, in heartbeats', () => {
    const { shard } = books()
    const { book } = shard.applyQuote(price(), header('kalshi.prices', 1), 1)
    shard.applyHeartbeat(beat(), 10 * SECOND + 50)
    expect([book.provedUs, book.feed.heardUs]).toEqual([10 * SECOND - 40_000, 10 * SECOND])
    const [feed] = beat().feeds
    shard.applyHeartbeat(beat({ feeds: [feed!, { ...feed!, proved_ago_us: 900_000 }] }), 10 * SECOND + 50)
    expect(book.provedUs).toBe(10 * SECOND - 900_000)
    shard.applyHeartbeat(beat({ feeds: [feed!, { ...feed!, proved_ago_us: null }] }), 10 * SECOND + 50)
    expect(book.provedUs).toBe(-Infinity)
    shard.applyHeartbeat(beat({ feeds: [] }), 10 * SECOND + 50)
    expect(book.provedUs).toBe(-Infinity)
    shard.applyHeartbeat(beat({ host: 'there/1', mono_us: 3, timestamp_ms: WALL_MS - 30 }), 10 * SECOND)
    expect(book.provedUs).toBe(10 * SECOND - 30_000 - 100_000 - 40_000)
  })

  it('does not believe the heartbeat of an earlier life', () => {
    const { shard } = books()
    const { book } = shard.applyQuote(price(), header('kalshi.prices', 1, { epoch: 5 }), 1)
    const channel = { source: 'kalshi.prices', epoch: 4, last_seq: 9, oldest: null, journal: 'none' as const }
    expect(shard.applyHeartbeat(beat({ channels: [channel] }), 10 * SECOND)).toBe(false)
    expect(book.feed.heardUs).toBe(-Infinity)
  })

  it('is not whole before its own book and quote came, though its channels are live and proved', () => {
    const { shard } = books()
    shard.applyGame(game(), WALL_MS, 1)
    shard.applyHeartbeat(beat({ publisher: 'poly' }), 10 * SECOND)
    const [pair] = shard.applyQuote(price(), header('kalshi.prices', 1), 2).combinations
    const { book } = sides(pair!).poly
    const steps = [
      () => shard.applyQuote(price('0xdef'), header('poly.prices', 1), 3),
      () => shard.applyQuote(price('0xabc'), header('poly.prices', 2), 4),
      () => shard.applyBook({ ...samples.orderbook, venue: 'poly', market_id: '0xabc' }, bookHeader, 5),
    ]
    const bookHeader = header('poly.orderbook', 1)
    const wholeAfter = steps.map((step) => {
      step()
      return [book.isWhole, book.quoteState]
    })
    expect(wholeAfter).toEqual([
      [false, 'BROKEN'],
      [false, 'LIVE'],
      [true, 'LIVE'],
    ])
  })

  it('is broken by the heartbeat of a new life, before any message of it', () => {
    const { shard } = books()
    const { book } = shard.applyQuote(price(), header('kalshi.prices', 1, { epoch: 5 }), 1)
    shard.applyBook(
      { ...samples.orderbook, venue: 'kalshi', market_id: KALSHI_ID },
      header('kalshi.orderbook', 1),
      1,
    )
    expect(book.isWhole).toBe(true)
    const channel = { source: 'kalshi.prices', epoch: 6, last_seq: 0, oldest: null, journal: 'none' as const }
    shard.applyHeartbeat(beat({ channels: [channel] }), 10 * SECOND)
    expect(book.isWhole).toBe(false)
  })
})

describe('the combinations of a shard', () => {
  it('follow the game: made, remade when its markets change, freed when another shard has it', () => {
    const { shard, gone } = books()
    shard.applyGame(game(), WALL_MS, 1)
    const { combinations: pairs } = shard.applyQuote(price(), header('kalshi.prices', 1), 2)
    expect(pairs).toHaveLength(2)
    shard.applyGame(game({ period: 5, fetchedMs: 9 }), WALL_MS, 3)
    expect(shard.applyQuote(price(), header('kalshi.prices', 2), 4).combinations).toEqual(pairs)
    expect(gone).toEqual([])
    const dearer = { ...MARKETS[1]!, fees: { ratePpm: 60_000, roundUpToMicros: 10 } }
    shard.applyGame(game({ markets: [MARKETS[0]!, dearer] }), WALL_MS, 5)
    expect(gone).toHaveLength(2)
    const [fresh] = shard.applyQuote(price(), header('kalshi.prices', 3), 6).combinations
    expect(sides(fresh!).poly.market.fees.ratePpm).toBe(60_000)
    expect(sides(fresh!).kalshi.selectionAgrees).toBe(true)
    shard.applyGame(game({ shard: 1 }), WALL_MS, 7)
    expect(shard.applyQuote(price(), header('kalshi.prices', 4), 8).combinations).toEqual([])
    expect([shard.gameCount, shard.combinationCount, gone.length]).toEqual([0, 0, 4])
  })

  it('are made of books that came before the game', () => {
    const { shard } = books()
    shard.applyQuote(price('0xabc'), header('poly.prices', 1), 1)
    shard.applyGame(game(), WALL_MS, 2)
    const [pair] = shard.applyQuote(price(), header('kalshi.prices', 1), 3).combinations
    expect(sides(pair!).poly.book.quoteSeq).toBe(7)
    expect(sides(pair!).poly.selectionAgrees).toBe(true)
  })

  it('know when the scoreboard was read: its age when sent, by the clock of the sender, and the time since', () => {
    const { shard } = books()
    const fetchedUs = (fetchedMs: number) => {
      shard.applyGame(game({ fetchedMs }), WALL_MS, 9000 * SECOND)
      const { combinations: pairs } = shard.applyQuote(price(), header('kalshi.prices', 1), 9001 * SECOND)
      return pairs[0]!.game.fetchedUs
    }
    expect(fetchedUs(WALL_MS - 3_000)).toBe(8997 * SECOND)
    // Two hours ago, repeated ever since.
    expect(fetchedUs(WALL_MS - 7_200_000)).toBe(1800 * SECOND)
    expect(fetchedUs(WALL_MS)).toBe(9000 * SECOND)
    // Its clock stepped back: nothing is known.
    expect(fetchedUs(WALL_MS + 1)).toBe(-Infinity)
  })

  it('never share a market: of two games that claim one, the later has it', () => {
    const { shard, gone } = books()
    shard.applyGame(game(), WALL_MS, 1)
    shard.applyGame(game({ gameId: '402' }), WALL_MS, 2)
    const { combinations: pairs } = shard.applyQuote(price(), header('kalshi.prices', 1), 3)
    expect(pairs.map((pair) => pair.game.gameId)).toEqual(['402', '402'])
    expect(gone.map((pair) => pair.game.gameId)).toEqual(['401', '401'])
  })

  it('are freed ten minutes after the game is over, and not before', () => {
    const { shard } = books()
    shard.applyGame(game({ status: 'final' }), WALL_MS, 1)
    shard.applyGame(game({ status: 'final' }), WALL_MS, 600 * SECOND)
    expect(shard.combinationCount).toBe(2)
    shard.applyGame(game({ status: 'final' }), WALL_MS, 601 * SECOND)
    expect(shard.combinationCount).toBe(0)
    shard.applyGame(game({ status: 'final' }), WALL_MS, 602 * SECOND)
    expect([shard.gameCount, shard.combinationCount]).toEqual([1, 0])
    // The scoreboard took it back.
    shard.applyGame(game({ status: 'live' }), WALL_MS, 603 * SECOND)
    expect(shard.combinationCount).toBe(2)
  })

  it('are freed when nobody has spoken of the game for an hour', () => {
    const { shard } = books()
    shard.applyGame(game(), WALL_MS, SECOND)
    shard.applyGame(game({ gameId: '402', markets: [] }), WALL_MS, 3700 * SECOND)
    expect([shard.gameCount, shard.combinationCount]).toEqual([1, 0])
  })

  it('leave nothing behind: over or no longer listed, their markets go an hour after their last word', () => {
    const { shard } = books()
    shard.applyGame(game({ status: 'final' }), WALL_MS, SECOND)
    shard.applyQuote(price('0xlonely'), header('poly.prices', 1), 2 * SECOND)
    shard.applyGame(game({ status: 'final' }), WALL_MS, 700 * SECOND)
    expect([shard.gameCount, shard.combinationCount, shard.marketCount]).toEqual([1, 0, 3])
    shard.applyQuote(price(), header('kalshi.prices', 1), 4000 * SECOND)
    const other = game({ gameId: '402', markets: [] })
    shard.applyGame(other, WALL_MS, 4500 * SECOND)
    // The one that still speaks stays.
    expect([shard.gameCount, shard.marketCount]).toEqual([1, 1])
    shard.applyGame(other, WALL_MS, 8000 * SECOND)
    expect([shard.gameCount, shard.marketCount]).toEqual([1, 0])
  })

  it('keep the silent markets of a game that is spoken of', () => {
    const { shard } = books()
    for (const at of [1, 2000, 4000, 6000]) shard.applyGame(game(), WALL_MS, at * SECOND)
    expect([shard.combinationCount, shard.marketCount]).toEqual([2, 2])
    expect(shard.applyQuote(price(), header('kalshi.prices', 1), 6001 * SECOND).combinations).toHaveLength(2)
  })

  it('stay while markets of no game are forgotten beyond five thousand', () => {
    const { shard } = books()
    shard.applyGame(game(), WALL_MS, 1)
    for (let i = 0; i < 6000; i++) shard.applyQuote(price(`M${i}`), header('kalshi.prices', i + 1), 2)
    expect(shard.marketCount).toBe(5001)
    expect(shard.applyQuote(price(), header('kalshi.prices', 7000), 3).combinations).toHaveLength(2)
  })
})
