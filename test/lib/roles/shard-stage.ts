/** Both monitors and the orchestrator, played by a test, around a real shard. */

import { expect } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import type { Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import type {
  GamesPayload,
  OrderbookPayload,
  PricesPayload,
  SignalsPayload,
} from '../../../src/lib/messages/payloads.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import { until } from '../poll.js'
import { FakePublisher, testRole } from './role-harness.js'

export const HOU = 'KXNBAGAME-26JAN15HOUUTA-HOU'
export const UTA = 'KXNBAGAME-26JAN15HOUUTA-UTA'
export const COND = '0xabc'

const marketOf = (
  venue: 'kalshi' | 'poly',
  id: string,
  selection: string,
): GamesPayload['markets'][number] => ({
  venue,
  market_id: id,
  kind: 'moneyline',
  selection,
  venue_selection: id === UTA ? 'UTA' : 'HOU',
  tick: 0.01,
  size_step: venue === 'kalshi' ? 1 : 0.01,
  min_size: venue === 'kalshi' ? 1 : 5,
  fee:
    venue === 'kalshi'
      ? { rate_ppm: 70_000, round_up_micros: 100 }
      : { rate_ppm: 50_000, round_up_micros: 10 },
  taker_delay_ms: venue === 'kalshi' ? 0 : 1000,
})

export const gameState = (change: Partial<GamesPayload> = {}): GamesPayload => ({
  league: 'nba',
  game_id: '401',
  home: { code: 'UTAH', name: 'Utah Jazz', score: 90 },
  away: { code: 'HOU', name: 'Houston Rockets', score: 88 },
  status: 'live',
  period: 4,
  start_ms: 1_769_500_000_000,
  markets: [marketOf('kalshi', HOU, 'HOU'), marketOf('kalshi', UTA, 'UTAH'), marketOf('poly', COND, 'HOU')],
  shard: 0,
  provider: 'espn',
  fetched_ms: Date.now(),
  ...change,
})

interface Quoted {
  readonly bid?: readonly [number, number]
  readonly ask?: readonly [number, number]
  readonly state?: PricesPayload['state']
  readonly selection?: string
}

/** Both monitors and the orchestrator, played by the test, around a real shard. */
export async function stageShard(
  cleanups: (() => unknown)[],
  flags: Partial<Record<SettingKey, string>> = {},
) {
  const [kalshi, poly, orchestrator] = await Promise.all(
    ['kalshi', 'poly', 'orchestrator'].map((name) => FakePublisher.bind(name)),
  )
  if (kalshi === undefined || poly === undefined || orchestrator === undefined)
    throw new Error('no publishers')
  for (const publisher of [kalshi, poly, orchestrator]) cleanups.push(() => publisher.close())
  const role = testRole('shard-0', {
    'endpoints.kalshi': kalshi.url,
    'endpoints.poly': poly.url,
    'endpoints.orchestrator': orchestrator.url,
    'endpoints.shards': 'tcp://127.0.0.1:*',
    ...flags,
  })
  const { counters, lifecycle } = role.context
  cleanups.push(() => lifecycle.close())
  await runShard(role.context, 0)
  const signals: Received[] = []
  let joined = false
  const name = 'shard-0'
  const subscriber = new Subscriber({
    endpoints: [{ publisher: name, url: role.url()!, sources: sourcesOf(name) }],
    prefixes: ['signals.'],
    env: 'sim',
    clock: systemClock,
    onMessage: (received) => signals.push(received),
    onHeartbeat: () => (joined = true),
  })
  cleanups.push(() => subscriber.close())

  let bookSeq = 0
  const monitors = { kalshi, poly }
  const book = (venue: 'kalshi' | 'poly', id: string, quoted: Quoted, options = {}) => {
    const payload: OrderbookPayload = {
      venue,
      market_id: id,
      state: quoted.state ?? 'LIVE',
      bids: quoted.bid === undefined ? [] : [quoted.bid],
      asks: quoted.ask === undefined ? [] : [quoted.ask],
      book_seq: bookSeq,
    }
    return monitors[venue].publish(`${venue}.orderbook`, `orderbook.${venue}.${id}`, payload, options)
  }
  const price = (venue: 'kalshi' | 'poly', id: string, quoted: Quoted, options = {}) => {
    const payload: PricesPayload = {
      venue,
      market_id: id,
      selection: quoted.selection ?? (id === UTA ? 'UTA' : 'HOU'),
      state: quoted.state ?? 'LIVE',
      yes_bid: quoted.bid?.[0] ?? null,
      yes_ask: quoted.ask?.[0] ?? null,
      yes_bid_size: quoted.bid?.[1] ?? null,
      yes_ask_size: quoted.ask?.[1] ?? null,
      book_seq: bookSeq,
    }
    return monitors[venue].publish(`${venue}.prices`, `prices.${venue}.${id}`, payload, options)
  }
  /** One change of a book as a monitor publishes it. */
  const quote = (venue: 'kalshi' | 'poly', id: string, quoted: Quoted, options = {}) => {
    bookSeq++
    return { book: book(venue, id, quoted), price: price(venue, id, quoted, options) }
  }
  const game = (change: Partial<GamesPayload> = {}) => {
    const state = gameState(change)
    orchestrator.publish('orchestrator.games', `games.${state.league}.${state.game_id}`, state)
  }
  /** Something that each monitor's link counts in its own way, and that changes nothing else. */
  const mark = () => {
    kalshi.send('prices.kalshi.MARK', 'mark')
    poly.send('prices.poly.MARK', '[]')
  }
  const marks = () => ({
    kalshi: counters.get('parse_errors:not_json'),
    poly: counters.get('parse_errors:not_an_object'),
  })
  /** Waits until everything that the monitors sent before has been taken in. */
  const settled = async () => {
    const before = marks()
    mark()
    await until(
      () => marks().kalshi > before.kalshi && marks().poly > before.poly,
      'everything sent has been taken in',
    )
  }
  // PUB drops what is sent before a subscriber has joined.
  let warmed = 0
  await until(() => {
    game()
    mark()
    warmed++
    return joined && counters.get('games') === 1 && marks().kalshi > 0 && marks().poly > 0
  }, 'the shard and the test have joined')
  // None of the marks is still on its way, or a later one would be taken for it.
  const missed = { kalshi: 0, poly: 0 }
  await until(() => {
    const { kalshi: ours, poly: theirs } = marks()
    const same = missed.kalshi === warmed - ours && missed.poly === warmed - theirs
    missed.kalshi = warmed - ours
    missed.poly = warmed - theirs
    return same
  }, 'the marks have all come')
  expect(role.isReady()).toBe(true)
  const payloads = () => signals.map(({ message }) => message.payload as SignalsPayload)
  return { kalshi, poly, orchestrator, role, counters, signals, payloads, quote, book, price, game, settled }
}

/** YES of HOU at 0.45 here, NO of HOU at 0.50 there. */
export const CHEAP_HERE = { bid: [0.44, 50], ask: [0.45, 50] } as const
export const FAIR_HERE = { bid: [0.49, 50], ask: [0.51, 50] } as const
export const RICH_THERE = { bid: [0.5, 40], ask: [0.51, 40] } as const
