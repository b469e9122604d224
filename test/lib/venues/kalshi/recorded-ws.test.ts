/**
 * Every recorded WebSocket frame of the folder named by ARBEES_FIXTURES, with a declared outcome each. Those of a file
 * that is not declared here are held to what their types say.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { systemClock } from '../../../../src/lib/core/clock.js'
import { KalshiFeed } from '../../../../src/lib/venues/kalshi/feed.js'
import {
  subscribeBooks,
  unsubscribe,
  updateSubscription,
} from '../../../../src/lib/venues/kalshi/commands.js'
import { parseAccountFrame } from '../../../../src/lib/venues/kalshi/account-frames.js'
import { parseFrame } from '../../../../src/lib/venues/kalshi/frames.js'
import { BookSession } from '../../../../src/lib/venues/kalshi/session.js'
import type { SessionEffect } from '../../../../src/lib/venues/kalshi/session-effects.js'
import { rsaCredentials } from './keys.js'
import { catalogMarket } from './markets.js'
import { isToBeRefused } from './recordings.js'
import { until } from './until.js'
import { VenueServer } from './venue-server.js'
import { slowFold, type SlowBook } from './slow-fold.js'

const credentials = rsaCredentials()
const ROOT = process.env['ARBEES_FIXTURES']
const FOLDER = ROOT === undefined ? '' : join(ROOT, 'kalshi')
const FILES = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.startsWith('ws_')) : []

type Expected = Readonly<Record<string, unknown>>

const skipped = (name: string): Expected => ({ kind: 'skipped', name })
const refused = (reason: string): Expected => ({ kind: 'refused', reason })

const MATCH = 'KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP'
const BTC = 'KXBTC-25MAR15-B100000'
const sessionDelta = (
  seq: number,
  side: string,
  priceE4: number,
  deltaE2: number,
  venueMs: number,
): Expected => {
  return { kind: 'delta', sid: 1, seq, ticker: MATCH, side, priceE4, deltaE2, venueMs }
}

/** One outcome per frame, in order. */
const DECLARED: Readonly<Record<string, readonly Expected[]>> = {
  'ws_session_noleg_pricing.jsonl': [
    { kind: 'subscribed', id: 1, sid: 1, channel: 'orderbook_delta' },
    { kind: 'subscribed', id: 1, sid: 2, channel: 'trade' },
    { kind: 'snapshot', sid: 1, seq: 1, ticker: MATCH, yes: [[4700, 300]], no: [[4800, 200]] },
    sessionDelta(2, 'yes', 4700, -300, 1781159489957),
    sessionDelta(3, 'no', 4800, -200, 1781159489957),
    sessionDelta(4, 'yes', 4700, 300, 1781159502550),
    sessionDelta(5, 'no', 4800, 100, 1781159502552),
  ],
  'ws_delta_nautilus_doc.json': [
    {
      kind: 'delta',
      sid: 1,
      seq: 2,
      ticker: BTC,
      side: 'yes',
      priceE4: 4200,
      deltaE2: 5000,
      venueMs: Date.UTC(2025, 2, 1, 18, 26, 53, 361),
    },
  ],
  'ws_snapshot_nautilus_doc.json': [
    {
      kind: 'snapshot',
      sid: 1,
      seq: 1,
      ticker: BTC,
      yes: [
        [3500, 20000],
        [4200, 1300],
      ],
      no: [
        [5400, 40000],
        [5600, 1700],
      ],
    },
  ],
  'ws_trade_2026_03.json': [{ ...skipped('trade'), sid: 2, seq: 2573 }],
  'ws_trade_nautilus_doc.json': [{ ...skipped('trade'), sid: 2, seq: 1 }],
  'ws_old_cents_book_synthetic.jsonl': [
    { ...refused('retired_form'), sid: 1, seq: 2 },
    { ...refused('retired_form'), sid: 1, seq: 3 },
    refused('retired_form'),
  ],
  'ws_old_cents_ticker_2025.jsonl': [skipped('ticker'), skipped('ticker')],
  'ws_old_shapes_synthetic.jsonl': [
    refused('retired_form'),
    { kind: 'ok', id: 123, sid: 456, seq: 222, marketTickers: ['MARKET-1', 'MARKET-2', 'MARKET-3'] },
    { kind: 'error', id: 123, code: 6, message: 'Already subscribed', terminal: false },
  ],
  'ws_doc_examples_asyncapi_2026.jsonl': [
    { kind: 'subscribed', id: 1, sid: 1, channel: 'orderbook_delta' },
    { kind: 'unsubscribed', id: 102, sid: 2, seq: 7 },
    { kind: 'ok', id: 123, sid: 456, seq: 222, marketTickers: ['MARKET-1', 'MARKET-2', 'MARKET-3'] },
    { kind: 'ok', id: 3, sid: undefined, marketTickers: undefined },
    { kind: 'error', code: 7, message: 'Unknown subscription ID', terminal: false },
    { kind: 'error', code: 8 },
    { kind: 'error', code: 9 },
    { kind: 'error', code: 14, mayBeOneMarket: true },
    { ...skipped('ticker'), sid: 11, seq: undefined },
    { ...skipped('trade'), sid: 11, seq: 2 },
    skipped('fill'),
    skipped('user_order'),
    skipped('market_position'),
    { ...skipped('order_group_updates'), seq: 7 },
    {
      kind: 'catalog',
      seq: 4,
      change: { kind: 'market_prices', ticker: 'INXD-23SEP14-B4487', grid: { tickE4: 10 } },
    },
    {
      kind: 'catalog',
      seq: 8,
      change: { kind: 'event_created', eventTicker: 'KXQUICKSETTLE-26JAN25H2150', series: 'KXQUICKSETTLE' },
    },
    {
      kind: 'catalog',
      seq: 9,
      change: {
        kind: 'event_fees',
        eventTicker: 'KXBTCD-26MAY2018',
        fees: { feeType: 'quadratic', feeMultiplier: 1 },
      },
    },
  ],
  // Commands of a client: no server sends them, and each is refused as having no type.
  'ws_command_examples_asyncapi_2026.jsonl': Array.from({ length: 9 }, () => refused('no_type')),
}

/** Recordings of whole sessions: whatever they hold, every frame maps or is skipped, and the books are the fold's. */
const SESSION = /^ws_session_.*\.jsonl$/
const EMPTY_SNAPSHOT = /^ws_snapshot_both_sides_absent.*\.jsonl?$/
/** The request of a recorded session: what was subscribed, no frame. */
const REQUEST = /\.request\.json$/

/** What a documented type becomes at the books' session, and at the account's channels. */
const BY_TYPE: Readonly<Record<string, readonly [session: RegExp, account: RegExp]>> = {
  orderbook_snapshot: [/^snapshot$/, /^skipped$/],
  orderbook_delta: [/^delta$/, /^skipped$/],
  subscribed: [/^subscribed$/, /^subscribed$/],
  ok: [/^ok$/, /^skipped$/],
  unsubscribed: [/^unsubscribed$/, /^ended$/],
  error: [/^error$/, /^error$/],
  market_lifecycle_v2: [/^(catalog|skipped)$/, /^skipped$/],
  event_lifecycle: [/^(catalog|skipped)$/, /^skipped$/],
  event_fee_update: [/^(catalog|skipped)$/, /^skipped$/],
  fill: [/^skipped$/, /^fill$/],
  user_order: [/^skipped$/, /^(order|skipped)$/],
  market_position: [/^skipped$/, /^position$/],
  order_group_updates: [/^skipped$/, /^group$/],
}
/** Of the other channels: passed over by name. */
const OTHER_TYPES =
  /^(ticker|trade|multivariate_market_lifecycle|communications|rfq_.*|quote_.*|cfbenchmarks_value(_5hz)?|pyth_value)$/
const OTHER = [/^skipped$/, /^skipped$/] as const
/** Commands of a client in a file of examples. */
const COMMANDS = /command/

/**
 * A frame that nobody has declared. Of a retired form none becomes a book; a type that is not documented is told by its
 * name, and nothing else is unknown or refused.
 */
function checkByType(file: string, text: string): void {
  const { type = '', msg } = json(text) as Frame
  const [frame, account] = [parseFrame(text), parseAccountFrame(text)]
  if (COMMANDS.test(file)) expect(frame).toMatchObject(refused('no_type'))
  else if (isToBeRefused(file)) {
    const isBook = frame.kind === 'snapshot' || frame.kind === 'delta'
    const current = /_dollars/.test(Object.keys(msg ?? {}).join())
    expect(isBook && !current, text).toBe(false)
    expect(frame.kind === 'refused' ? frame.reason : 'told', text).not.toBe('')
  } else {
    const documented = BY_TYPE[type] ?? (OTHER_TYPES.test(type) ? OTHER : undefined)
    if (documented === undefined) expect(frame, text).toMatchObject({ kind: 'unknown', name: type })
    else {
      expect(frame.kind, text).toMatch(documented[0])
      expect(account.kind, text).toMatch(documented[1])
    }
  }
}

interface Frame extends Record<string, unknown> {
  readonly type?: string
  readonly sid?: number
  readonly msg?: {
    readonly market_ticker?: string
    readonly channel?: string
    readonly side?: string
    readonly price_dollars?: string
    readonly delta_fp?: string
    readonly no_dollars_fp?: readonly (readonly [string, string])[]
  }
  readonly params: { readonly use_yes_price?: boolean }
}

const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>

function framesOf(file: string): string[] {
  const text = readFileSync(join(FOLDER, file), 'utf8')
  if (file.endsWith('.jsonl')) return text.split('\n').filter((line) => line.trim() !== '')
  const parsed = JSON.parse(text) as unknown
  return Array.isArray(parsed) ? parsed.map((frame) => JSON.stringify(frame)) : [text]
}

function usesYesPrice(file: string): boolean {
  const request = join(FOLDER, file.replace(/\.jsonl?$/, '.request.json'))
  if (!existsSync(request)) return false
  return (json(readFileSync(request, 'utf8'))['subscribe_cmd'] as Frame).params.use_yes_price === true
}

/** The frames through the session as a feed would hand them over, under the id of its own subscribe command. */
function play(frames: readonly string[], useYesPrice: boolean) {
  const session = new BookSession({
    useYesPrice,
    snapshotTimeoutMs: 2000,
    quietMs: 5000,
    silenceAnswerMs: 2000,
    commandTimeoutMs: 5000,
  })
  const raw = frames.map((text) => json(text) as Frame)
  const tickers = raw.flatMap(({ msg }) => msg?.market_ticker ?? [])
  session.follow(new Set(tickers), 0)
  const hasReply = raw.some(
    (frame) => frame.type === 'subscribed' && frame.msg?.channel === 'orderbook_delta',
  )
  const sid = raw.find((frame) => frame.type?.startsWith('orderbook_'))?.sid ?? 1
  const reply = `{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":${sid}}}`
  const effects = [...(hasReply ? [] : [reply]), ...frames].map((text) =>
    session.onFrame(parseFrame(text), 1),
  )
  const books = new Map<string, SlowBook>()
  for (const effect of effects.flat()) {
    if (effect.kind !== 'book') continue
    if (effect.state === 'BROKEN') books.delete(effect.ticker)
    else
      books.set(effect.ticker, { bids: [...effect.book.levels('bid')], asks: [...effect.book.levels('ask')] })
  }
  return { effects: hasReply ? effects : effects.slice(1), books }
}

/** A frame of a recording made for prices of NO, as the venue would have told it to a feed that asks for those of YES. */
function inYesPrices(frame: Frame): Frame {
  const { msg } = frame
  const levels = msg?.no_dollars_fp
  if (levels !== undefined) {
    const no = levels.map(([price, size]) => [complement(price), size] as const)
    return { ...frame, msg: { ...msg, no_dollars_fp: no } }
  }
  if (msg?.side !== 'no' || msg.delta_fp === undefined || msg.price_dollars === undefined) return frame
  return { ...frame, msg: { ...msg, price_dollars: complement(msg.price_dollars) } }
}

const complement = (price: string): string => (1 - Number(price)).toFixed(4)

/** The frames through the whole feed, in answer to its own subscribe command, which names them all. */
async function atTheFeed(file: string): Promise<void> {
  const frames = framesOf(file)
  const recorded = frames.map((text) => json(text) as Frame)
  const raw = usesYesPrice(file) ? recorded : recorded.map(inYesPrices)
  const tickers = [...new Set(raw.flatMap(({ msg }) => msg?.market_ticker ?? []))]
  const server = await VenueServer.start(tickers, credentials.privateKey)
  server.deaf = 'cmd'
  const books = new Map<string, SlowBook>()
  const verdicts: unknown[] = []
  const feed = new KalshiFeed({
    ...{ wsUrl: server.url, credentials, clock: systemClock, commandTimeoutMs: 60_000 },
    snapshotTimeoutMs: 60_000,
    listener: {
      onBook: ({ market, book }) =>
        books.set(market.marketId, { bids: [...book.levels('bid')], asks: [...book.levels('ask')] }),
      onVerdict: (verdict) => verdicts.push(verdict),
      onNotice: () => undefined,
    },
  })
  try {
    feed.follow(tickers.map(catalogMarket))
    await until('a subscribe command', () => server.commands.length > 0)
    const { id } = json(server.commands[0]!) as { id: number }
    const { sid } = raw.find((frame) => frame.type?.startsWith('orderbook_')) ?? { sid: 1 }
    const reply = { type: 'subscribed', id, msg: { channel: 'orderbook_delta', sid } }
    const isReply = ({ type, msg }: Frame) => type === 'subscribed' && msg?.channel === 'orderbook_delta'
    if (!raw.some(isReply)) server.sendText(JSON.stringify(reply))
    for (const frame of raw) server.sendText(JSON.stringify(isReply(frame) ? { ...frame, id } : frame))
    // The last word: of a type that no recording has.
    server.sendText('{"type":"the_end_of_the_file","msg":{}}')
    await until('the last frame', () => JSON.stringify(verdicts).includes('the_end_of_the_file'))
    expect(books).toEqual(slowFold(frames, usesYesPrice(file)))
    expect(feed.status().reconnects).toBe(0)
  } finally {
    await feed.close()
    await server.close()
  }
}

const isDecided = (effects: readonly SessionEffect[]): boolean =>
  effects.some(({ kind }) => kind === 'book' || kind === 'verdict' || kind === 'notice')

describe.skipIf(FILES.length === 0)('recorded Kalshi frames (skipped without ARBEES_FIXTURES)', () => {
  it.each(FILES.filter((file) => DECLARED[file] === undefined && !REQUEST.test(file)))(
    '%s, of which nothing is declared: each frame is what its type says',
    (file) => {
      const frames = framesOf(file)
      expect(frames.length).toBeGreaterThan(0)
      for (const text of frames) checkByType(file, text)
    },
  )

  it.each(FILES.filter((file) => DECLARED[file] !== undefined))('%s: each frame has its outcome', (file) => {
    const frames = framesOf(file).map((text) => parseFrame(text))
    expect(frames).toHaveLength(DECLARED[file]!.length)
    frames.forEach((frame, index) =>
      expect(frame, `frame ${index + 1}`).toMatchObject(DECLARED[file]![index]!),
    )
  })

  it.each(FILES.filter((file) => !REQUEST.test(file)))(
    '%s: no frame is lost, and the books are the fold',
    (file) => {
      const frames = framesOf(file)
      const { effects, books } = play(frames, usesYesPrice(file))
      effects.forEach((list, index) => expect(isDecided(list), `frame ${index + 1}`).toBe(true))
      expect(books).toEqual(slowFold(frames, usesYesPrice(file)))
    },
  )

  it.each(FILES.filter((file) => SESSION.test(file)))(
    '%s: a live session has nothing refused or unknown',
    (file) => {
      const frames = framesOf(file)
      for (const text of frames) expect(parseFrame(text).kind).not.toMatch(/refused|unknown/)
      const verdicts = play(frames, usesYesPrice(file))
        .effects.flat()
        .filter(({ kind }) => kind === 'verdict')
      for (const effect of verdicts) expect(effect).toMatchObject({ verdict: { kind: 'skipped' } })
    },
  )

  it.each(FILES.filter((file) => EMPTY_SNAPSHOT.test(file)))('%s: a book of nobody, and believed', (file) => {
    const states = play(framesOf(file), false)
      .effects.flat()
      .filter(({ kind }) => kind === 'book')
    expect(states.length).toBeGreaterThan(0)
    for (const effect of states) expect(effect).toMatchObject({ state: 'EMPTY' })
  })

  it.each(FILES.filter((file) => /^ws_(session|snapshot)_/.test(file) && !REQUEST.test(file)))(
    '%s: over a real socket the feed publishes the books of the fold',
    (file) => atTheFeed(file),
  )

  it('the documented commands are those that we send', () => {
    const documented = framesOf('ws_command_examples_asyncapi_2026.jsonl').map((text) => json(text))
    const [, , , leave, , add, remove, snapshot] = documented
    expect(unsubscribe(124, [1, 2])).toEqual(leave)
    const built = [
      updateSubscription(125 - 1, 456, 'add_markets', ['NEW-MARKET-1', 'NEW-MARKET-2']),
      updateSubscription(125, 456, 'delete_markets', ['MARKET-TO-REMOVE-1', 'MARKET-TO-REMOVE-2']),
      updateSubscription(127, 456, 'get_snapshot', ['MARKET-1', 'MARKET-2']),
    ]
    expect(built).toEqual([add, remove, snapshot])
    const recorded = json(readFileSync(join(FOLDER, 'ws_session_noleg_pricing.request.json'), 'utf8'))[
      'subscribe_cmd'
    ]
    const ours = subscribeBooks(1, [MATCH], false)
    expect(recorded).toEqual({ ...ours, params: { ...ours.params, channels: ['orderbook_delta', 'trade'] } })
  })
})
