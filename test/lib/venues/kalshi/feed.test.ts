import { afterEach, describe, expect, it } from 'vitest'

import { Backoff } from '../../../../src/lib/core/backoff.js'
import { systemClock, type Clock } from '../../../../src/lib/core/clock.js'
import type { Level } from '../../../../src/lib/model/order-book.js'
import type { QuoteState } from '../../../../src/lib/model/quote.js'
import type { BookUpdate, FrameVerdict } from '../../../../src/lib/venues/ports.js'
import { KalshiFeed, type KalshiFeedOptions } from '../../../../src/lib/venues/kalshi/feed.js'
import { ed25519Credentials, rsaCredentials } from './keys.js'
import { catalogMarket } from './markets.js'
import { until } from './until.js'
import { VenueServer } from './venue-server.js'

interface Seen {
  readonly ticker: string
  readonly state: QuoteState
  readonly bookSeq: number
  readonly bid: Level | undefined
  readonly ask: Level | undefined
  readonly venueMs: number | undefined
  readonly recvUs: number
}

const credentials = rsaCredentials()
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function setUp(tickers: readonly string[] = ['A', 'B'], options: Partial<KalshiFeedOptions> = {}) {
  const server = await VenueServer.start(['A', 'B', 'C'], credentials.privateKey)
  closers.push(() => server.close())
  for (const ticker of ['A', 'B', 'C']) {
    server.venue.rest(ticker, 'yes', 4700, 300)
    server.venue.rest(ticker, 'no', 4800, 200)
  }
  const seen: Seen[] = []
  const verdicts: FrameVerdict[] = []
  const notices: string[] = []
  const feed = new KalshiFeed({
    wsUrl: server.url,
    credentials,
    clock: systemClock,
    pingMs: 20,
    snapshotTimeoutMs: 400,
    backoff: () => new Backoff({ minMs: 10, maxMs: 40 }),
    ...options,
    listener: {
      onBook: ({ market, book, state, bookSeq, venueMs, recvUs }: BookUpdate) => {
        const [bid, ask] = [book.best('bid'), book.best('ask')]
        seen.push({ ticker: market.marketId, state, bookSeq, bid, ask, venueMs, recvUs })
      },
      onVerdict: (verdict) => verdicts.push(verdict),
      onNotice: (level, text) => notices.push(`${level} ${text}`),
    },
  })
  closers.push(() => feed.close())
  feed.follow(tickers.map(catalogMarket))
  const of = (ticker: string) => seen.filter((update) => update.ticker === ticker)
  const last = (ticker: string) => of(ticker).at(-1)
  /** STALE is a matter of this machine's load, except where a test is about it. */
  const states = (ticker: string) => allStates(ticker).filter((state) => state !== 'STALE')
  const allStates = (ticker: string) => of(ticker).map(({ state }) => state)
  const live = () =>
    until('LIVE', () => feed.status().state === 'LIVE' && tickers.every((t) => last(t)?.state === 'LIVE'))
  return { server, feed, seen, verdicts, notices, of, last, states, allStates, live }
}

describe('Kalshi feed', () => {
  it('signs the upgrade, asks for no compression, subscribes, and follows snapshot and deltas', async () => {
    const { server, feed, of, last, live } = await setUp()
    expect(feed.status()).toMatchObject({
      state: 'CONNECTING',
      provedUs: undefined,
      markets: 2,
      reconnects: 0,
    })
    await live()
    expect(server.handshakes).toEqual(['ok'])
    expect(server.extensions).toEqual([undefined])
    expect(last('A')).toMatchObject({ bookSeq: 1, bid: [4700, 300], ask: [5200, 200], venueMs: undefined })
    server.venue.rest('A', 'no', 4900, 150)
    server.venue.rest('B', 'yes', 4700, 0)
    server.flush()
    await until('both deltas', () => of('A').length === 2 && of('B').length === 2)
    expect(last('A')).toMatchObject({ state: 'LIVE', bookSeq: 2, ask: [5100, 150], venueMs: 1 })
    expect(last('B')).toMatchObject({ state: 'LIVE', bookSeq: 2, bid: undefined, ask: [5200, 200] })
  })

  it('reads the same asks from a venue that has dropped the flag for prices of YES', async () => {
    const { server, of, last, live } = await setUp()
    server.venue.knowsPriceFlag = false
    await live()
    expect(server.commands[0]).toContain('"use_yes_price":true')
    expect(last('A')).toMatchObject({ bid: [4700, 300], ask: [5200, 200] })
    server.venue.rest('A', 'no', 4900, 150)
    server.flush()
    await until('the delta', () => of('A').length === 2)
    expect(last('A')).toMatchObject({ state: 'LIVE', ask: [5100, 150] })
  })

  it('a signature that the venue refuses is shown with its remedy, and dialing goes on', async () => {
    const { server, feed, seen, notices } = await setUp(['A'], { credentials: ed25519Credentials() })
    await until('refusals', () => server.handshakes.length >= 3)
    expect(new Set(server.handshakes)).toEqual(new Set(['bad_signature']))
    expect(notices.find((text) => text.includes('401'))).toMatch(/^error .*check key id, key file/)
    expect(seen).toEqual([])
    expect(feed.status().state).toBe('CONNECTING')
    expect(feed.status().reconnects).toBeGreaterThan(0)
  })

  it('a clock half a minute behind is refused by the venue, and signed anew at each attempt', async () => {
    let behindMs = 30_000
    const clock: Clock = { nowMs: () => Date.now() - behindMs, monoUs: () => systemClock.monoUs() }
    const { server, live } = await setUp(['A'], { clock })
    await until('a refusal', () => server.handshakes.includes('expired'))
    behindMs = 0
    await live()
    expect(server.handshakes.at(-1)).toBe('ok')
  })

  it('a gap is BROKEN at once, asks for snapshots, and is LIVE again with them', async () => {
    const { server, feed, states, last, live } = await setUp()
    await live()
    server.venue.rest('A', 'yes', 4900, 700)
    server.venue.rest('B', 'yes', 4600, 100)
    server.flush(1)
    await until('mended', () => states('A').includes('BROKEN') && last('A')?.bid?.[0] === 4900)
    await live()
    expect(states('A')).toEqual(['LIVE', 'BROKEN', 'LIVE'])
    expect(states('B')).toEqual(['LIVE', 'BROKEN', 'LIVE'])
    expect(server.commands.map((text) => text.match(/subscribe"|get_snapshot/)?.[0])).toEqual([
      'subscribe"',
      'get_snapshot',
    ])
    expect(feed.status().reconnects).toBe(0)
  })

  it('a gap that no snapshot answers is mended by a new subscription, on the same connection', async () => {
    const { server, feed, states, live } = await setUp(['A'])
    await live()
    // Past the time within which a second subscription would be too soon.
    await until('some time', () => (feed.status().provedUs ?? 0) > 0)
    server.deaf = 'get_snapshot'
    const since = performance.now()
    await until('pace', () => performance.now() - since > 250)
    server.venue.rest('A', 'yes', 4900, 700)
    server.venue.rest('A', 'yes', 4900, 800)
    server.flush(1)
    await until('subscribed anew', () => states('A').join() === 'LIVE,BROKEN,LIVE')
    expect(server.commands.map((text) => (JSON.parse(text) as { cmd: string }).cmd)).toEqual([
      'subscribe',
      'update_subscription',
      'unsubscribe',
      'subscribe',
    ])
    expect(server.handshakes).toHaveLength(1)
  })

  it('a cut is BROKEN at once, and LIVE again after a new handshake and a new snapshot', async () => {
    const { server, feed, of, states, live } = await setUp()
    await live()
    server.cut()
    await until('BROKEN', () => states('A').includes('BROKEN') && states('B').includes('BROKEN'))
    server.venue.rest('A', 'yes', 4900, 700)
    await live()
    expect(states('A')).toEqual(['LIVE', 'BROKEN', 'LIVE'])
    expect(of('A').map(({ bookSeq }) => bookSeq)).toEqual(of('A').map((_, index) => index + 1))
    expect(of('A').at(-1)?.bid).toEqual([4900, 700])
    expect(feed.status().reconnects).toBe(1)
    expect(server.handshakes).toEqual(['ok', 'ok'])
  })

  it('a frozen link is STALE, then BROKEN, then left for a new one; an unasked pong does not help it', async () => {
    const { server, feed, allStates, live } = await setUp(['A'], { staleMs: 120, deadMs: 500 })
    await live()
    const before = allStates('A').length
    server.freeze()
    const nag = setInterval(() => server.pong(), 20)
    closers.push(async () => clearInterval(nag))
    const frozenUs = feed.status().provedUs ?? 0
    await until('BROKEN', () => allStates('A').includes('BROKEN'))
    expect(allStates('A').slice(before, before + 2)).toEqual(['STALE', 'BROKEN'])
    clearInterval(nag)
    await live()
    expect(server.handshakes.length).toBeGreaterThanOrEqual(2)
    expect(feed.status().provedUs).toBeGreaterThan(frozenUs)
  })

  it('answered pings prove a quiet book again and again, and nothing is published', async () => {
    const { feed, states, live } = await setUp(['A'])
    await live()
    const provedUs = feed.status().provedUs ?? 0
    await until('proved by pongs', () => (feed.status().provedUs ?? 0) > provedUs + 100_000)
    expect(states('A')).toEqual(['LIVE'])
  })

  it('a link on which the venue sends no pings is left', async () => {
    const { server, states, live } = await setUp(['A'], { serverPingMs: 150 })
    await live()
    await until('left', () => states('A').includes('BROKEN'))
    const stop = setInterval(() => server.ping(), 20)
    closers.push(async () => clearInterval(stop))
    await live()
  })

  it('markets come and go on one subscription, and a book_seq never starts again', async () => {
    const { server, feed, of, last, live } = await setUp(['A', 'B'])
    await live()
    feed.follow(['B', 'C'].map(catalogMarket))
    expect(last('A')).toMatchObject({ state: 'BROKEN', bookSeq: 2 })
    await until('C', () => last('C')?.state === 'LIVE')
    server.venue.rest('A', 'yes', 4900, 700)
    server.venue.rest('B', 'yes', 4900, 700)
    server.flush()
    await until('B moved', () => last('B')?.bid?.[0] === 4900)
    expect(of('A')).toHaveLength(2)
    feed.follow(['A', 'B', 'C'].map(catalogMarket))
    await until('A again', () => last('A')?.state === 'LIVE')
    expect(last('A')).toMatchObject({ bookSeq: 3, bid: [4900, 700] })
    expect(server.handshakes).toHaveLength(1)
    expect(feed.status()).toMatchObject({ state: 'LIVE', markets: 3, reconnects: 0 })
  })

  it('bad frames are counted by reason and break the books until new snapshots, never the process', async () => {
    const { server, verdicts, states, live } = await setUp(['A'])
    await live()
    const bad = [
      'nonsense',
      '[]',
      '{"__proto__":{}}',
      '{"type":"orderbook_delta","sid":1e400}',
      Buffer.from([0xff, 0xfe]),
    ]
    for (const text of bad) server.sendText(text)
    await until('all counted', () => verdicts.filter(({ kind }) => kind === 'refused').length >= bad.length)
    const reasons = verdicts.flatMap((verdict) => (verdict.kind === 'refused' ? [verdict.reason] : []))
    expect(reasons).toEqual(['not_json', 'not_an_object', 'proto_key', 'bad_sid', 'not_json'])
    await live()
    expect(states('A').at(-1)).toBe('LIVE')
  })

  it('names a slow key once, and refuses a URL that is none', async () => {
    const slow = rsaCredentials(3072)
    const { notices } = await setUp(['A'], { credentials: slow })
    expect(notices.filter((text) => text.includes('RSA-3072'))).toHaveLength(1)
    const options = {
      credentials,
      clock: systemClock,
      listener: { onBook() {}, onVerdict() {}, onNotice() {} },
    }
    expect(() => new KalshiFeed({ ...options, wsUrl: 'https://example.test' })).toThrowError(/WebSocket URL/)
  })

  it('close ends the socket and the timers, and says nothing more', async () => {
    const { feed, seen, live } = await setUp(['A'])
    await live()
    const count = seen.length
    await feed.close()
    await feed.close()
    feed.follow([catalogMarket('B')])
    expect(feed.status().state).toBe('DOWN')
    expect(seen).toHaveLength(count)
  })
})

describe('the catalog over the feed', () => {
  it('is subscribed beside the books, tells its changes, and is asked for anew on the next connection', async () => {
    const changes: string[] = []
    const onCatalogChange: KalshiFeedOptions['onCatalogChange'] = (change) =>
      changes.push(change.kind === 'market_status' ? `${change.ticker} ${change.status}` : change.kind)
    const { server, live, last, states } = await setUp(['A', 'B'], { onCatalogChange })
    server.deaf = 'market_lifecycle_v2'
    await live()
    const asked = () => server.commands.filter((text) => text.includes('"market_lifecycle_v2"'))
    await until('asked', () => asked().length === 1)
    const { id } = JSON.parse(asked()[0]!) as { id: number }
    const msg = { channel: 'market_lifecycle_v2', sid: 900 }
    server.sendText(JSON.stringify({ type: 'subscribed', id, msg }))
    const change = (seq: number, event_type: string) =>
      server.sendText(
        JSON.stringify({
          ...{ type: 'market_lifecycle_v2', sid: 900, seq },
          msg: { market_ticker: 'A', event_type },
        }),
      )
    change(1, 'deactivated')
    change(2, 'activated')
    change(4, 'determined')
    await until('told', () => changes.length === 5)
    expect(changes).toEqual(['missed', 'A inactive', 'A active', 'missed', 'A determined'])
    // Its sequence is its own: no book was lost over the gap.
    expect([last('A')?.state, states('A').includes('BROKEN')]).toEqual(['LIVE', false])
    server.cut()
    await until('asked again', () => asked().length === 2)
  })

  it('is not asked for where nobody listens', async () => {
    const { server, live } = await setUp()
    await live()
    expect(server.commands.some((text) => text.includes('lifecycle'))).toBe(false)
  })
})
