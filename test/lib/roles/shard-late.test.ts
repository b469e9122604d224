import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { OrderbookPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import { until } from '../poll.js'
import { testRole } from './role-harness.js'
import { CHEAP_HERE, COND, HOU, RICH_THERE, gameState } from './shard-stage.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function bind(name: string, root: string): Promise<Publisher> {
  const feed = { name, state: 'LIVE', proved_ago_us: 1_000, markets: 1, reconnects: 0 } as const
  const publisher = await Publisher.bind({
    ...{ name, url: 'tcp://127.0.0.1:*', recoveryUrl: 'tcp://127.0.0.1:*', env: 'sim', clock: systemClock },
    sources: sourcesOf(name),
    journal: { root: join(root, name), retainBytes: 16 * 1024 * 1024 },
    details: () => (name === 'orchestrator' ? {} : { feeds: [feed] }),
  })
  cleanups.push(() => publisher.close())
  return publisher
}

let bookSeq = 0
/** One change of a book as a monitor publishes it. */
function quote(publisher: Publisher, venue: Venue, id: string, { bid, ask }: typeof CHEAP_HERE): void {
  bookSeq++
  const stamps = { stamps: { recv: systemClock.monoUs() } }
  const state = { venue, market_id: id, state: 'LIVE', book_seq: bookSeq } as const
  const book: OrderbookPayload = { ...state, bids: [bid!], asks: [ask!] }
  publisher.channel(`${venue}.orderbook`).publish(`orderbook.${venue}.${id}`, book, stamps)
  const [yesBid, yesBidSize] = bid!
  const [yesAsk, yesAskSize] = ask!
  const sides = { yes_bid: yesBid, yes_ask: yesAsk, yes_bid_size: yesBidSize, yes_ask_size: yesAskSize }
  const price: PricesPayload = { ...state, selection: 'HOU', ...sides }
  publisher.channel(`${venue}.prices`).publish(`prices.${venue}.${id}`, price, stamps)
}

it('a shard that comes late trades on a market that has been quiet since before it came', async () => {
  const root = mkdtempSync(join(tmpdir(), 'arbees-late-'))
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
  const [kalshi, poly, orchestrator] = [
    await bind('kalshi', root),
    await bind('poly', root),
    await bind('orchestrator', root),
  ]
  const game = gameState()
  orchestrator.channel('orchestrator.games').publish(`games.${game.league}.${game.game_id}`, game)
  for (let market = 0; market < 700; market++) quote(poly, 'poly', `0x${market}`, RICH_THERE)
  quote(poly, 'poly', COND, RICH_THERE)
  await new Promise(setImmediate)

  const role = testRole('shard-0', {
    'endpoints.kalshi': kalshi.url,
    'endpoints.poly': poly.url,
    'endpoints.orchestrator': orchestrator.url,
    'recovery.kalshi': kalshi.recoveryUrl!,
    'recovery.poly': poly.recoveryUrl!,
    'recovery.orchestrator': orchestrator.recoveryUrl!,
    'endpoints.shards': 'tcp://127.0.0.1:*',
    'recovery.shards': 'tcp://127.0.0.1:*',
    data_dir: root,
  })
  const { counters, lifecycle } = role.context
  cleanups.push(() => lifecycle.close())
  await runShard(role.context, 0)
  const known = () => ['games', 'quotes', 'books'].map((name) => counters.get(name))
  await until(() => known().every((count) => count > 0), 'it begins to know the past')
  await until(() => known().join() === '1,701,701', `it knows all of it: ${known().join()}`)
  await until(() => (quote(kalshi, 'kalshi', HOU, CHEAP_HERE), counters.get('signals') > 0), 'it trades')
  expect([counters.get('gaps'), counters.total('parse_errors')]).toEqual([0, 0])
})
