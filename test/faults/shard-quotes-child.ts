/**
 * Both monitors: some hundreds of quotes a second of a few games, in whose Kalshi markets an opportunity opens and
 * closes, again and again, each at moments of its own. What it published lies in its journals.
 */

import { BENCH_GAMES } from '../../src/lib/bench/pipeline-markets.js'
import { orderbookSource, pricesSource } from '../../src/lib/messages/sources.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { systemClock } from '../../src/lib/core/clock.js'
import type { WireLevel } from '../../src/lib/messages/payloads.js'
import type { Venue } from '../../src/lib/model/venue.js'
import { VENUES } from '../../src/lib/model/venue.js'
import { onCommands, readConfig, tell } from './child.js'

export interface ShardQuotesConfig {
  readonly urls: Readonly<Record<Venue, { readonly url: string; readonly recoveryUrl: string }>>
  readonly journalRoot: string
}

/** Each market is quoted once in this time, one after the other. */
const ROUND_MS = 24
/** An opportunity is open this long, and nothing is there for so long behind it: below the time that a signal holds. */
const OPEN_MS = [100, 6_000] as const
const CLOSED_MS = [300, 900] as const

type Book = { readonly bid: WireLevel; readonly ask: WireLevel }
const FAIR: Book = { bid: [0.49, 10], ask: [0.51, 10] }
const CHEAP: Book = { bid: [0.43, 10], ask: [0.44, 10] }
const THERE: Book = { bid: [0.5, 10], ask: [0.52, 10] }

const { urls, journalRoot } = readConfig<ShardQuotesConfig>()
const publishers = await Promise.all(
  VENUES.map((venue) =>
    Publisher.bind({
      ...urls[venue],
      name: venue,
      env: 'sim',
      clock: systemClock,
      sources: [orderbookSource(venue), pricesSource(venue)],
      journal: { root: journalRoot, retainBytes: 2 ** 30 },
      details: () => ({
        feeds: [{ name: venue, state: 'LIVE', proved_ago_us: 1_000, markets: 8, reconnects: 0 }],
      }),
    }),
  ),
)
const channels = publishers.map((publisher, index) => {
  const venue = VENUES[index] ?? 'kalshi'
  return {
    venue,
    orderbook: publisher.channel(orderbookSource(venue)),
    prices: publisher.channel(pricesSource(venue)),
  }
})

let bookSeq = 0

function quote(venue: Venue, marketId: string, selection: string, { bid, ask }: Book): void {
  const channel = channels.find((each) => each.venue === venue)
  if (channel === undefined) return
  const market = { venue, market_id: marketId, state: 'LIVE' as const, book_seq: ++bookSeq }
  const options = { stamps: { recv: systemClock.monoUs() } }
  channel.orderbook.publish(
    `orderbook.${venue}.${marketId}`,
    { ...market, bids: [bid], asks: [ask] },
    options,
  )
  const top = { yes_bid: bid[0], yes_ask: ask[0], yes_bid_size: bid[1], yes_ask_size: ask[1] }
  channel.prices.publish(`prices.${venue}.${marketId}`, { ...market, selection, ...top }, options)
}

const between = ([least, most]: readonly [number, number]): number => least + Math.random() * (most - least)

const games = BENCH_GAMES.map(({ kalshi, poly }) => ({ kalshi, poly, isOpen: false, untilMs: 0 }))
let next = 0
const timer = setInterval(() => {
  const nowMs = performance.now()
  const game = games[next++ % games.length]
  if (game === undefined) return
  if (nowMs > game.untilMs) {
    game.isOpen = !game.isOpen
    game.untilMs = nowMs + between(game.isOpen ? OPEN_MS : CLOSED_MS)
  }
  const { kalshi, poly } = game
  quote('kalshi', kalshi.marketId, kalshi.selection, game.isOpen ? CHEAP : FAIR)
  quote('poly', poly.marketId, poly.selection, THERE)
}, ROUND_MS / games.length)

onCommands(
  () => undefined,
  () => {
    clearInterval(timer)
    for (const publisher of publishers) publisher.close()
  },
)
tell('ready')
