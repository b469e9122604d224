import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import type { Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import type { OrderbookPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import type { CatalogMarket } from '../../../src/lib/model/game.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { runMonitor } from '../../../src/lib/roles/monitor.js'
import { createSimAccounts } from '../../../src/lib/sim/accounts.js'
import { startSimulator } from '../../../src/lib/sim/simulator.js'
import { KalshiCatalog } from '../../../src/lib/venues/kalshi/catalog.js'
import { PolymarketCatalog } from '../../../src/lib/venues/polymarket/catalog.js'
import { until } from '../poll.js'
import { testRole } from './role-harness.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'arbees-monitor-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

interface Frame {
  readonly venue: Venue
  readonly at_ms: number
  readonly frame: unknown
}

/** Simulated venues on free ports; with frames, they play those instead of the scenario. */
async function simulator(dir: string, frames: readonly Frame[] = []) {
  const accountsDir = join(dir, 'account')
  await createSimAccounts(accountsDir)
  const tape = join(dir, 'tape.jsonl')
  await writeFile(tape, frames.map((frame) => JSON.stringify(frame)).join('\n'))
  const sim = await startSimulator({
    seed: 1,
    speed: 1,
    ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
    accountsDir,
    ...(frames.length === 0 ? {} : { tape }),
    onNotice: () => undefined,
  })
  cleanups.push(() => sim.close())
  const { kalshiRest, kalshiWs, clob, polyWs, gamma } = sim.urls
  const settings: Partial<Record<SettingKey, string>> = {
    data_dir: dir,
    'kalshi.rest_url': kalshiRest,
    'kalshi.ws_url': kalshiWs,
    'polymarket.clob_url': clob,
    'polymarket.ws_url': polyWs,
    'polymarket.gamma_url': gamma,
  }
  return settings
}

/** A monitor and what a subscriber hears of it. */
async function monitor(
  venue: Venue,
  settings: Partial<Record<SettingKey, string>>,
  options: { catalogMs?: number } = {},
) {
  const role = testRole(venue, { ...settings, [`endpoints.${venue}`]: 'tcp://127.0.0.1:*' })
  cleanups.push(() => role.context.lifecycle.close())
  void runMonitor(role.context, venue, options)
  await until(() => role.url() !== undefined, 'the publisher is bound')
  const received: Received[] = []
  const beats: Heartbeat[] = []
  const subscriber = new Subscriber({
    endpoints: [{ publisher: venue, url: role.url()!, sources: sourcesOf(venue) }],
    prefixes: ['prices.', 'orderbook.'],
    env: 'sim',
    clock: systemClock,
    onMessage: (message) => received.push(message),
    onHeartbeat: (beat) => beats.push(beat),
  })
  cleanups.push(() => subscriber.close())
  return { received, beats, counts: () => beats.at(-1)?.counts ?? {}, lines: role.lines }
}

/** Settings by which exec trades with the monitor's own key. */
function sharedKey(dataDir: string): Partial<Record<SettingKey, string>> {
  const account = JSON.parse(readFileSync(join(dataDir, 'account/monitor.json'), 'utf8')) as {
    kalshi: object
  }
  const path = join(dataDir, 'trading.json')
  writeFileSync(path, JSON.stringify(account.kalshi), { mode: 0o600 })
  return { 'kalshi.trading_credentials_file': path }
}

const pricesOf = (received: readonly Received[]) =>
  received
    .filter(({ message }) => message.family === 'prices')
    .map(({ message }) => message.payload as PricesPayload)

describe.each<Venue>(['kalshi', 'poly'])('the %s monitor', (venue) => {
  it('publishes each change as orderbook, then prices, with the same book_seq and the same top', async () => {
    const dir = await tempDir()
    const settings = await simulator(dir)
    const { received, beats, lines } = await monitor(venue, { ...settings, ...sharedKey(dir) })
    await until(() => received.length >= 60, 'sixty messages', 20_000)
    const warned = lines.filter((line) => line.includes('the one that exec trades with'))
    expect(warned).toHaveLength(venue === 'kalshi' ? 1 : 0)
    const pairs = new Map<string, Received[]>()
    for (const item of received.slice(0, 60)) {
      const { market_id, book_seq } = item.message.payload as PricesPayload
      const key = `${market_id}#${book_seq}`
      pairs.set(key, [...(pairs.get(key) ?? []), item])
    }
    let live = 0
    for (const [first, second] of [...pairs.values()].filter(({ length }) => length === 2)) {
      const book = first!.message.payload as OrderbookPayload
      const price = second!.message.payload as PricesPayload
      expect([first!.message.family, second!.message.family]).toEqual(['orderbook', 'prices'])
      expect(book.state).toBe(price.state)
      expect([price.yes_bid, price.yes_bid_size]).toEqual(book.bids[0] ?? [null, null])
      expect([price.yes_ask, price.yes_ask_size]).toEqual(book.asks[0] ?? [null, null])
      if (price.state === 'LIVE') live++
    }
    expect(live).toBeGreaterThan(10)
    const { stamps } = received.at(-1)!.message.header
    expect(stamps.pub!).toBeGreaterThanOrEqual(stamps.recv!)
    await until(() => beats.at(-1)?.feeds[0]?.state === 'LIVE', 'the heartbeat says that the feed is LIVE')
    expect(beats.at(-1)!.feeds[0]).toMatchObject({ name: venue, proved_ago_us: expect.any(Number) })
  })
})

/** The first open market of a venue: the same evening lists the same markets again. */
async function listedMarket(venue: Venue): Promise<CatalogMarket> {
  const settings = await simulator(await tempDir())
  const catalog =
    venue === 'kalshi'
      ? new KalshiCatalog({ baseUrl: settings['kalshi.rest_url']! })
      : new PolymarketCatalog({ gammaUrl: settings['polymarket.gamma_url']! })
  cleanups.push(() => catalog.close())
  const { markets } = await catalog.openMarkets('nba', new AbortController().signal)
  return markets[0]!
}

/** What a market's quotes said, in order, each state once. */
const statesOf = (received: readonly Received[], marketId: string) =>
  pricesOf(received)
    .filter(({ market_id }) => market_id === marketId)
    .map(({ state }) => state)
    .filter((state, index, all) => state !== all[index - 1])

const refusals = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => name.startsWith('parse_errors:')))

describe('bad input about a market that is followed and LIVE', () => {
  const book = (ticker: string, changes: object = {}) => ({
    type: 'orderbook_snapshot',
    sid: 1,
    seq: 1,
    msg: { market_ticker: ticker, market_id: 'x', yes_dollars_fp: [['0.4700', '3.00']], ...changes },
  })
  const delta = (ticker: string, changes: object = {}) => ({
    type: 'orderbook_delta',
    sid: 1,
    seq: 2,
    msg: {
      market_ticker: ticker,
      market_id: 'x',
      price_dollars: '0.4600',
      delta_fp: '1.00',
      side: 'yes',
      ts_ms: 1,
      ...changes,
    },
  })
  const text = (ticker: string) => JSON.stringify(delta(ticker))
  const hostile: readonly (readonly [string, (ticker: string) => unknown, string])[] = [
    ['bytes that are not JSON', () => '{"type":', 'not_json'],
    ['NaN', (ticker) => text(ticker).replace('"0.4600"', 'NaN'), 'not_json'],
    ['an array', () => '[1,2]', 'not_an_object'],
    [
      'a __proto__ key',
      (ticker) => text(ticker).replace('"side"', '"__proto__":{"a":1},"side"'),
      'proto_key',
    ],
    ['a price over 1', (ticker) => delta(ticker, { price_dollars: '1.5000' }), 'bad_price'],
    ['1e400', (ticker) => text(ticker).replace('"0.4600"', '1e400'), 'bad_price'],
    ['a wrong type', (ticker) => delta(ticker, { delta_fp: { toString: 1 } }), 'bad_size'],
    [
      'more taken away than rests',
      (ticker) => delta(ticker, { price_dollars: '0.4700', delta_fp: '-9.00' }),
      'negative_level',
    ],
    [
      'retired cents',
      (ticker) => ({ ...delta(ticker), msg: { market_ticker: ticker, price: 46, delta: 1, side: 'yes' } }),
      'retired_form',
    ],
    ['a market nobody asked for', () => delta('KXNOBODY-26NOV23AAABBB-AAA'), 'unknown_market'],
    ['more than the socket takes', () => `"${'x'.repeat(65 * 1024 * 1024)}"`, 'oversize'],
  ]

  it.each(hostile)(
    'from Kalshi: %s is counted by reason, and the quote is LIVE no more',
    async (_, frame, reason) => {
      const { marketId } = await listedMarket('kalshi')
      const settings = await simulator(await tempDir(), [
        { venue: 'kalshi', at_ms: 0, frame: book(marketId) },
        { venue: 'kalshi', at_ms: 300, frame: frame(marketId) },
      ])
      const { received, counts } = await monitor('kalshi', settings)
      await until(() => statesOf(received, marketId).includes('LIVE'), 'the quote is LIVE')
      await until(() => Object.keys(refusals(counts())).length > 0, 'the frame is counted')
      // What follows may be refused too: the tape goes on where the session begins anew.
      expect(Object.keys(refusals(counts()))[0]).toBe(`parse_errors:${reason}`)
      await until(() => statesOf(received, marketId)[1] === 'BROKEN', 'the quote is BROKEN')
      expect(({} as Record<string, unknown>)['a']).toBeUndefined()
    },
  )

  it('from Polymarket: each is counted by reason, never a crash, never a quote', async () => {
    const { marketId, tokenIds } = await listedMarket('poly')
    const [yes] = tokenIds!
    const dump = {
      event_type: 'book',
      market: marketId,
      asset_id: yes,
      timestamp: '1',
      hash: 'x',
      bids: [],
      asks: [],
    }
    const change = (entry: object) => ({
      event_type: 'price_change',
      market: marketId,
      timestamp: '2',
      price_changes: [
        {
          asset_id: yes,
          price: '0.4',
          size: '1',
          side: 'BUY',
          hash: 'x',
          best_bid: '0.4',
          best_ask: '',
          ...entry,
        },
      ],
    })
    const frames: readonly (readonly [unknown, string])[] = [
      ['{"event_type":', 'not_json'],
      ['[NaN]', 'not_json'],
      ['7', 'not_object'],
      [[{ ...dump, bids: [{ price: '1.2', size: '1' }] }], 'bad_price'],
      [[{ ...dump, asks: [{ price: '0.5', size: '-1' }] }], 'bad_size'],
      [JSON.stringify([change({})]).replace('"0.4"', '1e400'), 'bad_price'],
      [[change({ side: { toString: 1, valueOf: 1 } })], 'bad_side'],
    ]
    const settings = await simulator(await tempDir(), [
      ...frames.map(([frame], index): Frame => ({ venue: 'poly', at_ms: index * 10, frame })),
      { venue: 'poly', at_ms: 200, frame: [{ event_type: 'settlement_preview' }] },
    ])
    const { received, counts } = await monitor('poly', settings)
    await until(() => (counts()['unknown_frames:settlement_preview'] ?? 0) > 0, 'the unknown form is named')
    const expected: Record<string, number> = {}
    for (const [, reason] of frames)
      expected[`parse_errors:${reason}`] = (expected[`parse_errors:${reason}`] ?? 0) + 1
    expect(refusals(counts())).toEqual(expected)
    expect(statesOf(received, marketId)).not.toContain('LIVE')
  })
})

describe('a market that the venue lists no more', () => {
  it('is unfollowed: its last quote is BROKEN, also when nothing else is listed', async () => {
    const dir = await tempDir()
    const settings = await simulator(dir)
    let empty = false
    const proxy = createServer((request, response) => {
      void fetch(
        new URL(request.url!.replace('/trade-api/v2', ''), 'http://x').href.replace(
          'http://x',
          settings['kalshi.rest_url']!,
        ),
      ).then(async (answer) => {
        const body = await answer.text()
        const listed = request.url!.includes('/markets') && empty ? '{"markets":[],"cursor":""}' : body
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(listed)
      })
    })
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
    cleanups.push(() => {
      proxy.closeAllConnections()
      proxy.close()
    })
    const port = (proxy.address() as AddressInfo).port
    const { received } = await monitor(
      'kalshi',
      { ...settings, leagues: 'nba', 'kalshi.rest_url': `http://127.0.0.1:${port}/trade-api/v2` },
      { catalogMs: 200 },
    )
    await until(
      () => pricesOf(received).filter(({ state }) => state === 'LIVE').length > 8,
      'quotes are LIVE',
      20_000,
    )
    empty = true
    const markets = new Set(pricesOf(received).map(({ market_id }) => market_id))
    await until(
      () => [...markets].every((id) => statesOf(received, id).at(-1) === 'BROKEN'),
      'every quote is BROKEN',
    )
  })
})
