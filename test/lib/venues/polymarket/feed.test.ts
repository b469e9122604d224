import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { EXIT } from '../../../../src/lib/core/errors.js'
import type { CatalogMarket } from '../../../../src/lib/model/game.js'
import type { QuoteState } from '../../../../src/lib/model/quote.js'
import { MAX_FRAME_BYTES } from '../../../../src/lib/venues/polymarket/frames.js'
import { PolymarketFeed, type PolymarketFeedOptions } from '../../../../src/lib/venues/polymarket/feed.js'
import type { BookUpdate, FrameVerdict } from '../../../../src/lib/venues/ports.js'
import { catalogMarket } from './harness.js'
import { MarketServer } from './market-server.js'
import { asLevels, ReferenceVenue } from './reference-venue.js'

interface Seen {
  readonly marketId: string
  readonly state: QuoteState
  readonly bookSeq: number
  readonly recvUs: number
  readonly levels: ReturnType<typeof asLevels>
}

class Recorder {
  readonly seen: Seen[] = []
  readonly verdicts: FrameVerdict[] = []
  readonly notices: string[] = []
  readonly markets: CatalogMarket[] = []

  onBook({ market, book, state, bookSeq, recvUs }: BookUpdate): void {
    const side = (name: 'bid' | 'ask') => book.levels(name).map(([p, s]): [number, number] => [p, s])
    const levels = { bids: side('bid'), asks: side('ask') }
    this.markets.push(market)
    this.seen.push({ marketId: market.marketId, state, bookSeq, recvUs, levels })
  }

  onVerdict(verdict: FrameVerdict): void {
    this.verdicts.push(verdict)
  }

  onNotice(_level: string, text: string): void {
    this.notices.push(text)
  }

  last(marketId?: string): Seen | undefined {
    return this.seen.filter((one) => marketId === undefined || one.marketId === marketId).at(-1)
  }
}

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function venueOf(n = 0): ReferenceVenue {
  const hex = (10 + n).toString(16).padStart(2, '0')
  const venue = new ReferenceVenue({ market: `0x${hex.repeat(32)}`, yes: `${n}1000`, no: `${n}2000` })
  venue.put('bids', 4500, '100')
  venue.put('asks', 4700, '80')
  return venue
}

const marketOf = ({ ids }: ReferenceVenue): CatalogMarket =>
  catalogMarket({ marketId: ids.market, tokenIds: [ids.yes, ids.no] })

async function start(venues: ReferenceVenue[], options: Partial<PolymarketFeedOptions> = {}) {
  const server = await MarketServer.listen(...venues)
  cleanups.push(() => server.close())
  const listener = new Recorder()
  const { timings, ...rest } = options
  const feed = new PolymarketFeed({
    wsUrl: server.wsUrl,
    restUrl: server.restUrl,
    clock: systemClock,
    listener,
    timings: { backoffMinMs: 10, backoffMaxMs: 50, tickMs: 10, ...timings },
    ...rest,
  })
  cleanups.push(() => feed.close())
  feed.follow(venues.map(marketOf))
  return { server, feed, listener }
}

describe('the Polymarket feed', () => {
  it('connects, subscribes once, and is LIVE with the dump and each delta', async () => {
    const venue = venueOf()
    const { server, feed, listener } = await start([venue])
    expect(feed.status()).toMatchObject({ state: 'CONNECTING', provedUs: undefined, markets: 1 })
    await until(() => listener.last()?.state === 'LIVE', 'LIVE after the dump')
    expect(server.messages[0]).toEqual({
      assets_ids: [venue.ids.yes, venue.ids.no],
      type: 'market',
      custom_feature_enabled: true,
    })
    for (const size of ['5', '6', '0']) {
      const before = listener.seen.length
      server.broadcast(venue.change('bids', 4600, size))
      await until(() => listener.seen.length > before, 'a published delta')
      expect(listener.last()).toMatchObject({ state: 'LIVE', levels: asLevels(venue.sides) })
    }
    expect(listener.seen.map(({ bookSeq }) => bookSeq)).toEqual(listener.seen.map((_, index) => index + 1))
    const { state, provedUs } = feed.status()
    expect(state).toBe('LIVE')
    expect(provedUs).toBeGreaterThanOrEqual(listener.last()!.recvUs)
  })

  it('goes BROKEN on a lost delta and LIVE again by a fresh dump of that token', async () => {
    const [venue, other] = [venueOf(), venueOf(1)]
    const { server, listener, feed } = await start([venue, other])
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    venue.change('bids', 4400, '7')
    server.broadcast(venue.change('bids', 4300, '8'))
    await until(() => listener.seen.some(({ state }) => state === 'BROKEN'), 'BROKEN')
    await until(() => listener.last(venue.ids.market)?.state === 'LIVE', 'LIVE again')
    expect(listener.last(venue.ids.market)?.levels).toEqual(asLevels(venue.sides))
    expect(server.messages.slice(1).map(({ operation }) => operation)).toEqual(['unsubscribe', 'subscribe'])
    expect(server.connections).toBe(1)
    expect(
      listener.seen
        .filter(({ marketId }) => marketId === other.ids.market)
        .every(({ state }) => state === 'LIVE'),
    ).toBe(true)
  })

  it('publishes every book BROKEN when the socket is cut, reconnects, and goes on counting', async () => {
    const venues = [venueOf(), venueOf(1)]
    const { server, listener, feed } = await start(venues)
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    server.cut()
    await until(() => venues.every(({ ids }) => listener.last(ids.market)?.state !== 'LIVE'), 'BROKEN')
    await until(() => feed.status().state === 'LIVE', 'LIVE again')
    for (const { ids } of venues) {
      const own = listener.seen.filter(({ marketId }) => marketId === ids.market)
      expect(own.map(({ state }) => state)).toEqual(['LIVE', 'BROKEN', 'LIVE'])
      expect(own.map(({ bookSeq }) => bookSeq)).toEqual([1, 2, 3])
    }
    expect(feed.status().reconnects).toBe(1)
  })

  it('is not fooled by PONGs of a frozen socket: REST tells, and the socket is replaced', async () => {
    const venue = venueOf()
    const { server, listener, feed } = await start([venue], {
      timings: { pingEveryMs: 50, proofAfterMs: 100, compareGapMs: 100 },
    })
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    server.frozen = true
    server.broadcast(venue.change('bids', 4600, '9'))
    await until(() => listener.last()?.state === 'BROKEN', 'BROKEN by REST')
    expect(server.pings).toBeGreaterThan(1)
    server.frozen = false
    await until(() => listener.last()?.state === 'LIVE', 'LIVE on a new socket')
    expect(listener.last()?.levels).toEqual(asLevels(venue.sides))
    expect(feed.status().reconnects).toBeGreaterThanOrEqual(1)
  })

  it('keeps a quiet book LIVE by comparing with REST', async () => {
    const { server, listener, feed } = await start([venueOf(), venueOf(1)], {
      timings: { proofAfterMs: 60, compareGapMs: 60, staleAfterUs: 500_000 },
    })
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    const first = feed.status().provedUs!
    await until(() => server.restAsked >= 6, 'six compares')
    expect(feed.status().provedUs).toBeGreaterThan(first)
    expect(listener.seen.map(({ state }) => state)).toEqual(['LIVE', 'LIVE'])
  })

  it('keeps a quiet book LIVE with the timings of production, without a flap', async () => {
    const { server, listener, feed } = await start([venueOf()])
    await until(() => server.restAsked >= 3, 'three compares')
    expect(listener.seen.map(({ state }) => state)).toEqual(['LIVE'])
    expect(feed.status()).toMatchObject({ state: 'LIVE', reconnects: 0 })
  })

  it('is STALE without a proof, and gives the socket up in the end', async () => {
    const { server, listener, feed } = await start([venueOf()], {
      timings: { proofAfterMs: 50, compareGapMs: 50, staleAfterUs: 200_000, giveUpMs: 600 },
    })
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    server.restStatus = 502
    await until(() => listener.last()?.state === 'STALE', 'STALE')
    expect(feed.status().state).toBe('BROKEN')
    await until(() => server.connections === 2 && listener.last()?.state === 'LIVE', 'LIVE on a new socket')
    expect(listener.notices.filter((text) => text.includes('REST compare'))).toHaveLength(1)
  })

  it('drops a socket whose PONG does not come', async () => {
    const { server, feed } = await start([venueOf()], { timings: { pingEveryMs: 40, pongTimeoutMs: 30 } })
    await until(() => server.connections >= 2, 'a second socket')
    expect(feed.status().reconnects).toBeGreaterThanOrEqual(1)
  })

  it('spreads markets over sockets of at most so many assets', async () => {
    const venues = [0, 1, 2, 3, 4].map((n) => venueOf(n))
    const { server, feed } = await start(venues, { assetsPerConnection: 4 })
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    expect(server.connections).toBe(3)
    const counts = server.messages.map(({ assets_ids }) => assets_ids.length)
    expect(counts.sort()).toEqual([2, 4, 4])
    expect(feed.status().connections).toBe(3)
  })

  it('closes connections that leaving markets make needless, and no book goes dark for it', async () => {
    const venues = [0, 1, 2, 3, 4, 5].map((n) => venueOf(n))
    const { server, feed, listener } = await start(venues, { assetsPerConnection: 8 })
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    expect(feed.status().connections).toBe(2)
    const staying = [venues[0]!, venues[1]!]
    feed.follow(staying.map(marketOf))
    await until(() => server.sockets.size === 1, 'one connection')
    for (const venue of staying) {
      server.broadcast(venue.change('bids', 4600, '7'))
      await until(() => listener.last(venue.ids.market)?.levels.bids.length === 2, 'its change')
      const states = listener.seen.filter(({ marketId }) => marketId === venue.ids.market)
      expect(new Set(states.map(({ state }) => state))).toEqual(new Set(['LIVE']))
    }
    expect(feed.status()).toMatchObject({ state: 'LIVE', markets: 2, connections: 1, reconnects: 0 })
    feed.follow([])
    await until(() => server.sockets.size === 0, 'no connection')
    feed.follow(staying.map(marketOf))
    await until(() => listener.last()?.state === 'LIVE', 'LIVE again')
  })

  it('reaches a venue that hears no operation by a new connection', async () => {
    const venues = [venueOf(), venueOf(1)]
    const { server, feed, listener } = await start(venues, { timings: { resyncTimeoutUs: 20_000 } })
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    const late = venueOf(2)
    server.add(late)
    server.isDeaf = true
    feed.follow([...venues, late].map(marketOf))
    await until(() => listener.last(late.ids.market)?.state === 'LIVE', 'the added one LIVE')
    expect(feed.status().reconnects).toBe(1)
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    feed.follow([late].map(marketOf))
    feed.follow([...venues, late].map(marketOf))
    await until(() => feed.status().reconnects === 2, 'a second connection at once')
    await until(() => feed.status().state === 'LIVE', 'LIVE')
  })

  it('finds a market that went silent on a connection that speaks', async () => {
    const [quiet, busy] = [venueOf(), venueOf(1)]
    const { server, feed, listener } = await start([quiet, busy], {
      timings: { auditEveryMs: 40, compareGapMs: 20, proofAfterMs: 60_000 },
    })
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    quiet.change('bids', 4600, '7')
    let size = 0
    await until(() => {
      server.broadcast(busy.change('bids', 4600, String(++size)))
      return listener.last(quiet.ids.market)?.levels.bids.length === 2
    }, 'the book that was lost')
    expect(listener.last(quiet.ids.market)).toMatchObject({ state: 'LIVE', levels: asLevels(quiet.sides) })
    expect(feed.status().reconnects).toBe(0)
  })

  const many = (): ReferenceVenue[] => Array.from({ length: 20 }, (_, n) => venueOf(n))
  /** What REST was asked until a book that is wrong from now on is LIVE no more. */
  async function askedUntilDoubted(
    { server, listener }: Awaited<ReturnType<typeof start>>,
    { ids }: ReferenceVenue,
    meanwhile: () => void,
  ): Promise<number> {
    const [before, seen] = [server.restAsked, listener.seen.length]
    await until(() => {
      meanwhile()
      return listener.seen
        .slice(seen)
        .some(({ marketId, state }) => marketId === ids.market && state !== 'LIVE')
    }, 'the wrong book is LIVE no more')
    return server.restAsked - before
  }

  it('believes no wrong book of twenty longer than of one when the socket freezes', async () => {
    const venues = many()
    const busy = venues[7]!
    const started = await start(venues, {
      timings: { proofAfterMs: 100, compareGapMs: 100, staleAfterUs: 200_000 },
    })
    const { server, feed, listener } = started
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    server.broadcast(busy.change('bids', 4600, '9'))
    await until(() => listener.last(busy.ids.market)?.levels.bids.length === 2, 'its change')
    server.frozen = true
    busy.change('bids', 4600, '0')
    // Silence of 100 ms, and 100 ms after it without a proof: two compares, and two for a slow timer.
    expect(await askedUntilDoubted(started, busy, () => undefined)).toBeLessThanOrEqual(4)
    await until(() => server.connections === 2, 'a new socket')
  })

  it('finds the one of twenty that went silent by two compares, when one more speaks', async () => {
    const venues = many()
    const [dead, busy] = [venues[7]!, venues[8]!]
    const started = await start(venues, {
      timings: { auditEveryMs: 100, compareGapMs: 50, proofAfterMs: 60_000, staleAfterUs: 60_000_000 },
    })
    const { server, feed, listener } = started
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    server.broadcast(dead.change('bids', 4600, '9'))
    await until(() => listener.last(dead.ids.market)?.levels.bids.length === 2, 'its change')
    dead.change('bids', 4600, '0')
    let size = 0
    const speak = () => server.broadcast(busy.change('bids', 4600, String(1 + (++size % 50))))
    expect(await askedUntilDoubted(started, dead, speak)).toBeLessThanOrEqual(4)
    await until(() => feed.status().state === 'LIVE', 'LIVE again')
    expect(listener.last(dead.ids.market)?.levels).toEqual(asLevels(dead.sides))
    expect(feed.status().reconnects).toBe(0)
  })

  it.each([
    ['refuses', { status: 405, body: '{"error":"method not allowed"}' }, 'status 405'],
    ['cannot be read', { status: 200, body: '{"books":[]}' }, 'not_array'],
  ])(
    'asks for one book after the other, the moving one first, where POST /books %s',
    async (_, answer, reason) => {
      const venues = [0, 1, 2, 3].map((n) => venueOf(n))
      const { server, feed, listener } = await start(venues, {
        timings: { proofAfterMs: 60, compareGapMs: 60, auditEveryMs: 60_000, staleAfterUs: 5_000_000 },
      })
      server.booksAnswer = answer
      await until(() => feed.status().state === 'LIVE', 'LIVE')
      await until(() => server.asked.length >= 5, 'a first round')
      const moving = venues[2]!.ids
      server.broadcast(venues[2]!.change('bids', 4600, '9'))
      await until(() => listener.last(moving.market)?.levels.bids.length === 2, 'its change')
      const [from, { provedUs }] = [server.asked.length, feed.status()]
      await until(() => server.asked.slice(from).lastIndexOf('POST') >= 5, 'a round that began after it')
      const round = server.asked.slice(server.asked.indexOf('POST', from))
      expect(round.slice(0, 2)).toEqual(['POST', moving.yes])
      expect(new Set(round.slice(0, 5)).size).toBe(5)
      expect(feed.status().provedUs).toBeGreaterThan(provedUs!)
      expect(listener.seen.map(({ state }) => state)).toEqual(['LIVE', 'LIVE', 'LIVE', 'LIVE', 'LIVE'])
      expect(listener.notices.filter((text) => text.includes('REST compare'))).toEqual([
        expect.stringContaining(reason),
      ])
    },
  )

  it('follows more and fewer markets on the open socket', async () => {
    const venues = [venueOf(), venueOf(1)]
    const server = await MarketServer.listen(...venues)
    cleanups.push(() => server.close())
    const listener = new Recorder()
    const feed = new PolymarketFeed({
      wsUrl: `${server.wsUrl}/ws/market`,
      restUrl: server.restUrl,
      clock: systemClock,
      listener,
    })
    cleanups.push(() => feed.close())
    expect(feed.status().state).toBe('CONNECTING')
    feed.follow([marketOf(venues[0]!)])
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    feed.follow(venues.map(marketOf))
    await until(() => listener.last(venues[1]!.ids.market)?.state === 'LIVE', 'the second LIVE')
    feed.follow([marketOf(venues[1]!)])
    await until(() => listener.last(venues[0]!.ids.market)?.state === 'BROKEN', 'the first BROKEN')
    feed.follow(venues.map(marketOf))
    await until(() => listener.last(venues[0]!.ids.market)?.state === 'LIVE', 'the first LIVE again')
    const seqs = listener.seen
      .filter(({ marketId }) => marketId === venues[0]!.ids.market)
      .map(({ bookSeq }) => bookSeq)
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
    expect(server.connections).toBe(1)
  })

  it.each([
    ['{', 'not_json', 'STALE'],
    ['[1]', 'not_object', 'STALE'],
    ['{"event_type":"book"}', 'bad_market', 'STALE'],
    ['a delta of the market', 'bad_side', 'BROKEN'],
  ])(
    'takes no book for LIVE after %s until it is proved again, and stays up',
    async (text, reason, state) => {
      const venue = venueOf()
      const { server, listener, feed } = await start([venue], { timings: { compareGapMs: 50 } })
      await until(() => feed.status().state === 'LIVE', 'LIVE')
      const before = listener.seen.length
      const spoiled = (): string => {
        const delta = venue.change('bids', 4600, '7')
        Object.assign(delta.price_changes[1]!, { side: { toString: 1, valueOf: 1 } })
        return JSON.stringify(delta)
      }
      const frame = state === 'BROKEN' ? spoiled() : text
      for (const socket of server.sockets) socket.send(frame)
      await until(() => listener.seen.length > before, 'a word on the book')
      expect(listener.seen[before]).toMatchObject({ state, marketId: venue.ids.market })
      expect(listener.verdicts.filter(({ kind }) => kind !== 'skipped')).toEqual([
        { kind: 'refused', reason, detail: expect.any(String) as string },
      ])
      await until(() => feed.status().state === 'LIVE', 'LIVE again')
      expect(listener.last()).toMatchObject({ state: 'LIVE', levels: asLevels(venue.sides) })
      expect(feed.status().reconnects).toBe(0)
    },
  )

  it('counts a kind that it never saw and stays LIVE', async () => {
    const { server, listener, feed } = await start([venueOf()])
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    for (const socket of server.sockets) socket.send('{"event_type":"brand_new"}')
    await until(() => listener.verdicts.some(({ kind }) => kind === 'unknown'), 'the verdict')
    expect(listener.verdicts.at(-1)).toEqual({ kind: 'unknown', name: 'brand_new' })
    expect(feed.status()).toMatchObject({ state: 'LIVE', reconnects: 0 })
  })

  it('counts a frame over the limit, which costs the socket, and is LIVE on a new one', async () => {
    const { server, listener, feed } = await start([venueOf()])
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    for (const socket of server.sockets)
      socket.send(Buffer.alloc(MAX_FRAME_BYTES + 1, ' '), { binary: false })
    await until(() => listener.last()?.state === 'BROKEN', 'BROKEN')
    await until(() => feed.status().state === 'LIVE', 'LIVE again')
    expect(listener.verdicts.filter(({ kind }) => kind !== 'skipped')).toEqual([
      { kind: 'refused', reason: 'oversize', detail: `over ${MAX_FRAME_BYTES} bytes` },
    ])
    expect([feed.status().reconnects, server.connections]).toEqual([1, 2])
  })

  it('dials a venue that serves one book and drops ever more rarely', async () => {
    const { server, listener, feed } = await start([venueOf()], {
      timings: { backoffMinMs: 10, backoffMaxMs: 300 },
      random: () => 1,
    })
    const delays = () => listener.notices.flatMap((text) => /again in (\d+) ms/.exec(text)?.[1] ?? [])
    for (let drop = 1; drop <= 4; drop += 1) {
      await until(() => feed.status().state === 'LIVE', 'LIVE')
      server.cut()
      await until(() => delays().length === drop, `drop ${drop}`)
    }
    expect(delays()).toEqual(['30', '90', '270', '300'])
  })

  it.each(['http://127.0.0.1:1', 'not a url', '', 'ws://127.0.0.1:1/#x'])(
    'refuses the URL %j as a setting that is wrong',
    (wsUrl) => {
      const make = () =>
        new PolymarketFeed({
          wsUrl,
          restUrl: 'http://127.0.0.1:1',
          clock: systemClock,
          listener: new Recorder(),
        })
      expect(make).toThrow(expect.objectContaining({ code: 'BAD_URL', exit: EXIT.CONFIG }))
    },
  )

  it('takes over what the catalog says anew of a market whose tokens stay', async () => {
    const venue = venueOf()
    const { server, listener, feed } = await start([venue])
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    const before = listener.markets.length
    feed.follow([marketOf(venue)])
    expect(listener.markets).toHaveLength(before)
    feed.follow([{ ...marketOf(venue), selection: 'UTA', tickE4: 10 }])
    expect(listener.markets.slice(before)).toMatchObject([{ selection: 'UTA', tickE4: 10 }])
    expect(listener.last()?.state).toBe('LIVE')
    server.broadcast(venue.change('bids', 4600, '5'))
    await until(() => listener.markets.length === before + 2, 'the next delta')
    expect(listener.markets.at(-1)).toMatchObject({ selection: 'UTA', tickE4: 10 })
    expect([listener.last()?.state, server.messages.length]).toEqual(['LIVE', 1])
  })

  it('is DOWN, and quiet, after close; and DOWN while nobody answers', async () => {
    const venue = venueOf()
    const { server, listener, feed } = await start([venue])
    await until(() => feed.status().state === 'LIVE', 'LIVE')
    await server.close()
    await until(() => feed.status().state === 'DOWN', 'DOWN')
    expect(listener.last()?.state).toBe('BROKEN')
    await feed.close()
    const seen = listener.seen.length
    feed.follow([marketOf(venueOf(1))])
    expect(feed.status().state).toBe('DOWN')
    expect(listener.seen).toHaveLength(seen)
  })
})
