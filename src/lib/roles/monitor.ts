/**
 * A monitor follows one venue's books and publishes each change twice: `orderbook.` first, then `prices.`, with the
 * same `book_seq`. What it follows comes from the venue's own catalog; what it may believe, from the feed.
 */

import type { Channel } from '../bus/channel.js'
import { sleep } from '../core/backoff.js'
import { legacyPriceFields } from '../messages/codec.js'
import { orderbookPayload, pricesPayload } from '../messages/convert.js'
import { orderbookSource, pricesSource } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import type { CatalogMarket } from '../model/game.js'
import type { Quote } from '../model/quote.js'
import type { Venue } from '../model/venue.js'
import { Histogram } from '../telemetry/histogram.js'
import { KalshiCatalog } from '../venues/kalshi/catalog.js'
import { loadKalshiCredentials } from '../venues/kalshi/auth.js'
import { KalshiFeed } from '../venues/kalshi/feed.js'
import { leagueOfSlug, PolymarketCatalog } from '../venues/polymarket/catalog.js'
import { PolymarketFeed } from '../venues/polymarket/feed.js'
import type { BookUpdate, Catalog, FeedListener, FrameVerdict, MarketFeed } from '../venues/ports.js'
import { venueUrls } from '../venues/urls.js'
import { CatalogFollower } from './catalog-follower.js'
import { kalshiKeyFile, monitorHoldsTradingKey } from './credentials.js'
import { bindPublisher } from './bind-publisher.js'
import { openRedisPublish } from './redis-publish.js'
import type { RedisPublish } from './redis-publish.js'
import type { RoleContext } from './role.js'

/** How often the catalog is asked for new games. */
const CATALOG_MS = 15_000

export interface MonitorOptions {
  readonly catalogMs?: number
}

export async function runMonitor(
  context: RoleContext,
  venue: Venue,
  { catalogMs = CATALOG_MS }: MonitorOptions = {},
): Promise<void> {
  const { clock, counters, lifecycle, log } = context
  const frameToQuote = new Histogram()
  // There is no feed to tell of changes before somebody follows them.
  const following: Following = {}
  const { catalog, createFeed } = venueParts(context, venue, following)

  // The first heartbeats go out before there is a feed to tell of.
  const beats: { feed?: MarketFeed } = {}
  const publisher = await bindPublisher(context, venue, () => ({
    ...context.report(),
    feeds: beats.feed === undefined ? [] : [feedBeat(context, venue, beats.feed)],
  }))
  context.report = () => ({
    counts: { ...counters.snapshot(), ...connectionCount(beats.feed) },
    hops: { frame_to_quote: frameToQuote.beat() },
  })

  const announce = new BookAnnouncer(
    context,
    publisher.channel(orderbookSource(venue)),
    publisher.channel(pricesSource(venue)),
    openRedisPublish(context),
  )
  const feed = createFeed({
    onBook: (update) => {
      announce.publish(update)
      frameToQuote.record(clock.monoUs() - update.recvUs)
    },
    onVerdict: (verdict) => countVerdict(context, verdict),
    onNotice: (level, text) => log[level](text),
  })
  beats.feed = feed
  lifecycle.defer('feed', () => feed.close())
  await sleep(publisher.joinGraceLeftMs(), lifecycle.signal)
  context.ready()
  following.follower = new CatalogFollower(context, venue, catalog, feed, catalogMs)
  await following.follower.run()
}

interface Following {
  follower?: CatalogFollower
}

interface VenueParts {
  readonly catalog: Catalog
  readonly createFeed: (listener: FeedListener) => MarketFeed
}

/** The only place that knows which classes make up a venue's market data. */
function venueParts(
  { settings, clock, lifecycle, log }: RoleContext,
  venue: Venue,
  following: Following,
): VenueParts {
  const urls = venueUrls(settings)
  if (venue === 'kalshi') {
    const credentials = loadKalshiCredentials(kalshiKeyFile(settings, 'read'))
    if (monitorHoldsTradingKey(settings))
      log.warn(
        `key ${credentials.keyId} is also the one that exec trades with: a monitor needs a read-only one`,
      )
    const catalog = new KalshiCatalog({ baseUrl: urls.kalshiRest })
    lifecycle.defer('catalog', () => catalog.close())
    return {
      catalog,
      createFeed: (listener) =>
        new KalshiFeed({
          wsUrl: urls.kalshiWs,
          credentials,
          clock,
          listener,
          onCatalogChange: (change) => {
            const { leagues, isOutdated } = catalog.apply(change)
            for (const league of leagues) {
              const listing = catalog.current(league)
              if (listing !== undefined) following.follower?.changed(league, listing.markets)
            }
            if (isOutdated) following.follower?.askSoon()
          },
          redundant: settings['kalshi.redundant'],
        }),
    }
  }
  const catalog = new PolymarketCatalog({ gammaUrl: urls.gamma })
  lifecycle.defer('catalog', () => catalog.close())
  return {
    catalog,
    createFeed: (listener) =>
      new PolymarketFeed({
        wsUrl: urls.polyWs,
        restUrl: urls.clob,
        clock,
        listener,
        onCatalogChange: (change) => {
          // The channel announces every market of the venue.
          const league = change.kind === 'listed' ? leagueOfSlug(change.slug) : change.market.league
          if (league !== undefined && settings.leagues.includes(league)) following.follower?.askSoon()
        },
      }),
  }
}

/** Publishes book changes; topics are formatted once per market. */
export class BookAnnouncer {
  private readonly topics = new Map<string, { readonly orderbook: string; readonly prices: string }>()

  constructor(
    private readonly context: Pick<RoleContext, 'counters'>,
    private readonly orderbook: Pick<Channel, 'publish'>,
    private readonly prices: Pick<Channel, 'publish'>,
    private readonly redis: RedisPublish | undefined,
  ) {}

  publish(update: BookUpdate): void {
    const { market, book, state, bookSeq, venueMs, recvUs } = update
    const topics = this.topicsOf(market)
    const stamps = venueMs === undefined ? { recv: recvUs } : { venue_ms: venueMs, recv: recvUs }
    this.orderbook.publish(topics.orderbook, orderbookPayload(market, book, state, bookSeq), { stamps })
    const payload = pricesPayload(quoteOfUpdate(update))
    const topLevel = legacyPriceFields(market.marketId, payload.yes_bid ?? null, payload.yes_ask ?? null)
    this.prices.publish(topics.prices, payload, { stamps, topLevel })
    this.redis?.price(payload)
    this.context.counters.add('quotes')
  }

  private topicsOf({ venue, marketId }: CatalogMarket): {
    readonly orderbook: string
    readonly prices: string
  } {
    let topics = this.topics.get(marketId)
    if (topics === undefined) {
      topics = {
        orderbook: formatTopic({ family: 'orderbook', scope: venue, id: marketId }),
        prices: formatTopic({ family: 'prices', scope: venue, id: marketId }),
      }
      this.topics.set(marketId, topics)
    }
    return topics
  }
}

function quoteOfUpdate({ market, book, state, bookSeq }: BookUpdate): Quote {
  const bid = book.best('bid')
  const ask = book.best('ask')
  return {
    venue: market.venue,
    marketId: market.marketId,
    selection: market.selection,
    state,
    bookSeq,
    ...(bid === undefined ? {} : { yesBidE4: bid[0], yesBidSizeE2: bid[1] }),
    ...(ask === undefined ? {} : { yesAskE4: ask[0], yesAskSizeE2: ask[1] }),
  }
}

function countVerdict({ counters, log }: RoleContext, verdict: FrameVerdict): void {
  switch (verdict.kind) {
    case 'skipped':
      counters.add('skipped', verdict.name)
      break
    case 'unknown':
      counters.add('unknown_frames', verdict.name)
      break
    case 'refused':
      counters.add('parse_errors', verdict.reason)
      // The first of each reason is told, the others only counted.
      if (counters.get(`parse_errors:${verdict.reason}`) === 1) {
        log.warn(`refused a frame: ${verdict.reason}`, { detail: verdict.detail })
      }
      break
  }
}

/** Of two raced connections the death of one shows here alone. */
function connectionCount(feed: MarketFeed | undefined): { readonly connections?: number } {
  const connections = feed?.status().connections
  return connections === undefined ? {} : { connections }
}

function feedBeat({ clock }: RoleContext, name: string, feed: MarketFeed) {
  const { state, provedUs, markets, reconnects } = feed.status()
  const provedAgoUs = provedUs === undefined ? null : Math.max(0, clock.monoUs() - provedUs)
  return { name, state, proved_ago_us: provedAgoUs, markets, reconnects }
}
