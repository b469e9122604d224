import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import type { Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import type { OrderbookPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { runMonitor } from '../../../src/lib/roles/monitor.js'
import { createSimAccounts } from '../../../src/lib/sim/accounts.js'
import { startSimulator } from '../../../src/lib/sim/simulator.js'
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
async function monitor(venue: Venue, settings: Partial<Record<SettingKey, string>>) {
  const role = testRole(venue, { ...settings, [`endpoints.${venue}`]: 'tcp://127.0.0.1:*' })
  cleanups.push(() => role.context.lifecycle.close())
  void runMonitor(role.context, venue)
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
  return { received, beats, counts: () => beats.at(-1)?.counts ?? {} }
}

const pricesOf = (received: readonly Received[]) =>
  received
    .filter(({ message }) => message.family === 'prices')
    .map(({ message }) => message.payload as PricesPayload)

describe.each<Venue>(['kalshi', 'poly'])('the %s monitor', (venue) => {
  it('publishes each change as orderbook, then prices, with the same book_seq and the same top', async () => {
    const { received, beats } = await monitor(venue, await simulator(await tempDir()))
    await until(() => received.length >= 60, 'sixty messages', 20_000)
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

describe('bad input', () => {
  const snapshot = (ticker: string, changes: object = {}) => ({
    type: 'orderbook_snapshot',
    sid: 1,
    seq: 1,
    msg: { market_ticker: ticker, market_id: 'x', yes_dollars_fp: [['0.4700', '3.00']], ...changes },
  })
  const text = JSON.stringify(snapshot('T'))
  const hostile: readonly (readonly [string, unknown, string])[] = [
    ['bytes that are not JSON', '{"type":', 'not_json'],
    ['an array', '[1,2]', 'not_an_object'],
    ['a price over 1', snapshot('T', { yes_dollars_fp: [['1.5000', '3.00']] }), 'bad_price'],
    ['a negative size', snapshot('T', { yes_dollars_fp: [['0.5000', '-3.00']] }), 'bad_size'],
    ['1e400', text.replace('"0.4700"', '1e400'), 'bad_'],
    ['NaN', text.replace('"0.4700"', 'NaN'), 'not_json'],
    [
      'retired cents',
      { type: 'orderbook_snapshot', sid: 1, seq: 1, msg: { market_ticker: 'T', yes: [[10, 100]] } },
      'retired_form',
    ],
  ]

  it.each(hostile)(
    'from Kalshi, %s, is counted by reason in the heartbeat and makes no quote',
    async (_, frame, reason) => {
      const settings = await simulator(await tempDir(), [
        { venue: 'kalshi', at_ms: 0, frame },
        { venue: 'kalshi', at_ms: 50, frame: '{"type":"never seen","sid":9}' },
      ])
      const { received, counts } = await monitor('kalshi', settings)
      await until(
        () => Object.keys(counts()).some((name) => name.startsWith('unknown_frames:')),
        'both frames were judged',
      )
      const named = Object.keys(counts()).filter((name) => name.startsWith('parse_errors:'))
      expect(named.length).toBeGreaterThan(0)
      expect(named.every((name) => name.startsWith(`parse_errors:${reason}`))).toBe(true)
      expect(pricesOf(received).filter(({ state }) => state === 'LIVE')).toEqual([])
    },
  )

  it('from Polymarket is counted by reason in the heartbeat and makes no quote', async () => {
    const book = {
      event_type: 'book',
      market: '0x1',
      asset_id: '1',
      timestamp: '1',
      hash: 'x',
      bids: [],
      asks: [],
    }
    const settings = await simulator(await tempDir(), [
      { venue: 'poly', at_ms: 0, frame: '{"event_type":' },
      { venue: 'poly', at_ms: 10, frame: '7' },
      { venue: 'poly', at_ms: 20, frame: [{ ...book, bids: [{ price: '1.2', size: '1' }] }] },
      { venue: 'poly', at_ms: 30, frame: [{ ...book, asks: [{ price: '0.5', size: '-1' }] }] },
      { venue: 'poly', at_ms: 40, frame: [{ event_type: 'settlement_preview' }] },
    ])
    const { received, counts } = await monitor('poly', settings)
    await until(() => (counts()['unknown_frames:settlement_preview'] ?? 0) > 0, 'the unknown form is named')
    const refused = Object.entries(counts()).filter(([name]) => name.startsWith('parse_errors:'))
    expect(refused.reduce((sum, [, count]) => sum + count, 0)).toBe(4)
    expect(pricesOf(received).filter(({ state }) => state === 'LIVE')).toEqual([])
  })
})
