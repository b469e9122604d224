import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import type { CatalogMarket } from '../../src/lib/model/game.js'
import type { QuoteState } from '../../src/lib/model/quote.js'
import type { FrameVerdict, MarketFeed } from '../../src/lib/venues/ports.js'
import { until } from '../lib/poll.js'
import { startStage, type Stage, type VenueBook, type VenueUnderTest } from './venues.js'

interface Seen extends VenueBook {
  readonly marketId: string
  readonly state: QuoteState
  readonly bookSeq: number
  readonly recvUs: number
}

let stage: Stage
beforeAll(async () => {
  stage = await startStage(2)
})
afterAll(() => stage.close())

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(venue: VenueUnderTest) {
  const catalog = venue.openCatalog()
  closers.push(() => catalog.close())
  const { markets } = await catalog.openMarkets('nba', AbortSignal.timeout(10_000))
  const seen: Seen[] = []
  const verdicts: FrameVerdict[] = []
  const feed: MarketFeed = venue.openFeed({
    onBook: ({ market, book, state, bookSeq, recvUs }) =>
      seen.push({
        ...{ marketId: market.marketId, state, bookSeq, recvUs },
        ...{ bids: book.levels('bid'), asks: book.levels('ask') },
      }),
    onVerdict: (verdict) => verdicts.push(verdict),
    onNotice: () => undefined,
  })
  closers.push(() => feed.close())
  const last = ({ marketId }: CatalogMarket) => seen.findLast((update) => update.marketId === marketId)
  const areLive = (wanted: readonly CatalogMarket[]) =>
    wanted.every((market) => ['LIVE', 'EMPTY'].includes(last(market)?.state ?? ''))
  const live = (wanted: readonly CatalogMarket[]) =>
    until(() => feed.status().state === 'LIVE' && areLive(wanted), `${venue.name} is LIVE`)
  return { markets, feed, seen, verdicts, last, live }
}

describe.each([
  ['kalshi', 0],
  ['polymarket', 1],
])('the feed port: %s', (_, index) => {
  const under = (): VenueUnderTest => {
    const venue = stage.venues[index]
    if (venue === undefined) throw new Error('no such venue')
    return venue
  }

  it('is CONNECTING until asked, then each book is the one that the venue itself tells, and nothing is refused', async () => {
    const venue = under()
    const { markets, feed, seen, live, verdicts } = await open(venue)
    expect(feed.status()).toMatchObject({ state: 'CONNECTING', provedUs: undefined, markets: 0 })
    expect(markets.length).toBeGreaterThan(1)
    feed.follow(markets)
    await live(markets)
    expect(feed.status()).toMatchObject({ markets: markets.length, reconnects: 0 })
    for (const market of markets) {
      const { bids, asks } = await venue.venueBook(market)
      // The venue may tell a book that is a moment old, or that we have not heard of yet.
      await until(
        () =>
          seen.some(
            (update) =>
              update.marketId === market.marketId &&
              JSON.stringify([update.bids, update.asks]) === JSON.stringify([bids, asks]),
          ),
        `a book of ${market.marketId} is the one that the venue told`,
      )
    }
    expect(verdicts.filter(({ kind }) => kind !== 'skipped')).toEqual([])
  })

  it('counts each market from 1 without a hole, in the order of arrival, and tells of no market but the asked', async () => {
    const { markets, feed, seen, live } = await open(under())
    const followed = markets.slice(0, 1)
    feed.follow(followed)
    await live(followed)
    await until(() => seen.length > 3, 'some changes')
    feed.follow(followed)
    const count = seen.length
    await until(() => seen.length > count + 2, 'more changes')
    expect(seen.map(({ bookSeq }) => bookSeq)).toEqual(seen.map((_, position) => position + 1))
    expect(new Set(seen.map(({ marketId }) => marketId))).toEqual(new Set([followed[0]?.marketId]))
    const arrivals = seen.map(({ recvUs }) => recvUs)
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b))
  })

  it('follows other markets on the same connection, and is silent about those that it left', async () => {
    const { markets, feed, seen, live } = await open(under())
    const [first, second] = markets
    if (first === undefined || second === undefined) throw new Error('two markets are needed')
    feed.follow([first])
    await live([first])
    feed.follow([second])
    await live([second])
    const mark = seen.length
    await until(() => seen.length > mark + 2, 'changes of the second')
    expect(seen.slice(mark).map(({ marketId }) => marketId)).not.toContain(first.marketId)
    expect(feed.status()).toMatchObject({ markets: 1, reconnects: 0 })
  })

  it('a cut connection makes every book not LIVE before anything else is told of it, and it comes back', async () => {
    const venue = under()
    const { markets, feed, seen, live } = await open(venue)
    feed.follow(markets)
    await live(markets)
    const mark = seen.length
    venue.wire.cutAll()
    await until(() => feed.status().reconnects > 0, 'it dials again')
    await live(markets)
    for (const { marketId } of markets) {
      const first = seen.slice(mark).find((update) => update.marketId === marketId && update.state !== 'LIVE')
      expect(first?.state).toMatch(/BROKEN|STALE/)
    }
  })

  it('a wire that swallows everything and stays open ends LIVE, and heals', async () => {
    const venue = under()
    const { markets, feed, last, live } = await open(venue)
    feed.follow(markets)
    await live(markets)
    venue.wire.blackhole()
    await until(() => markets.every((market) => last(market)?.state !== 'LIVE'), 'nothing is LIVE')
    await until(() => feed.status().state !== 'LIVE', 'the feed is not LIVE')
    venue.wire.heal()
    await live(markets)
  })

  it('closed, it is DOWN and says no more; twice is once', async () => {
    const { markets, feed, seen, live } = await open(under())
    feed.follow(markets)
    await live(markets)
    await feed.close()
    const count = seen.length
    expect(feed.status().state).toBe('DOWN')
    feed.follow(markets)
    await feed.close()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(seen.length).toBe(count)
  })
})
