import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { hostId } from '../../../src/lib/core/ids.js'
import type { GamesPayload } from '../../../src/lib/messages/payloads.js'
import { until } from '../poll.js'
import { FakePublisher } from './role-harness.js'
import { CHEAP_HERE, COND, FAIR_HERE, HOU, RICH_THERE, UTA, stageShard } from './shard-stage.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const stage = (flags: Partial<Record<SettingKey, string>> = {}) => stageShard(cleanups, flags)

describe('a shard', () => {
  it('turns a price into a whole plan, with the trace and stamps of its trigger', async () => {
    const { signals, payloads, quote, settled } = await stage()
    quote('poly', COND, RICH_THERE)
    await settled()
    const recv = systemClock.monoUs()
    const trigger = quote('kalshi', HOU, CHEAP_HERE, { stamps: { venue_ms: 1_769_500_000_000, recv } })
    await until(() => signals.length > 0, 'the signal')
    const { header, topic } = signals[0]!.message
    const [signal] = payloads()
    expect(signal).toMatchObject({
      kind: 'cross-venue',
      game_id: '401',
      pair: `kalshi:${HOU}:yes+poly:${COND}:no`,
      legs: [
        { venue: 'poly', market_id: COND, outcome: 'no', side: 'buy', limit: 0.5, size: 40 },
        { venue: 'kalshi', market_id: HOU, outcome: 'yes', side: 'buy', limit: 0.47, size: 40 },
      ],
      size: 40,
      gross_edge_micros: 2_000_000,
      fees_micros: 1_193_000,
      net_edge_micros: 807_000,
      worst_payout_micros: 40_000_000,
      valid_ms: 1500,
    })
    const { source, epoch, seq } = trigger.price
    expect(header.trace).toBe(`${source}/${epoch}/${seq}`)
    expect(topic).toMatchObject({ family: 'signals', scope: 'trade', id: signal!.id })
    expect(header.host).toBe(hostId())
    expect(header.stamps).toMatchObject({ venue_ms: 1_769_500_000_000, recv })
    const { shard_in: shardIn, shard_out: shardOut, pub } = header.stamps
    expect(shardIn).toBeGreaterThanOrEqual(recv)
    expect(shardOut).toBeGreaterThanOrEqual(shardIn!)
    expect(pub).toBeGreaterThanOrEqual(shardOut!)
    expect(signal!.inputs.map(({ source: from, seq: of }) => [from, of])).toEqual(
      expect.arrayContaining([
        [source, seq],
        ['kalshi.orderbook', trigger.book.seq],
      ]),
    )
    expect(signal!.inputs.map(({ source: from }) => from).sort()).toEqual([
      'kalshi.orderbook',
      'kalshi.prices',
      'poly.orderbook',
      'poly.prices',
    ])
    await settled()
    expect(signals).toHaveLength(1)
  })

  it('sees the other orientation through the market of the other team', async () => {
    const { signals, payloads, quote } = await stage()
    quote('kalshi', UTA, { bid: [0.54, 60], ask: [0.56, 60] })
    quote('poly', COND, { bid: [0.39, 40], ask: [0.4, 40] })
    await until(() => signals.length > 0, 'the signal')
    expect(payloads()[0]!.legs.map(({ venue, outcome, limit }) => [venue, outcome, limit])).toEqual(
      // YES of HOU there, YES of UTAH here.
      [
        ['poly', 'yes', 0.4],
        ['kalshi', 'yes', 0.57],
      ],
    )
  }, 20_000)

  it('decides when a price arrives and at no other time', async () => {
    const { counters, signals, quote, book, settled } = await stage()
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    // The book alone says nothing: its price has not come.
    book('poly', COND, RICH_THERE)
    await settled()
    const decided = () =>
      Object.entries(counters.snapshot())
        .filter(([name]) => name.startsWith('no_signal:'))
        .reduce((sum, [, count]) => sum + count, 0)
    const before = decided()
    await settled()
    expect(decided()).toBe(before)
    expect(signals).toEqual([])
  })

  it('reports its hops and counts, and says them in its heartbeat', async () => {
    const { role, quote, signals } = await stage()
    quote('poly', COND, RICH_THERE)
    quote('kalshi', HOU, CHEAP_HERE)
    await until(() => signals.length > 0, 'the signal')
    const { counts, hops } = role.context.report()
    expect(counts).toMatchObject({ signals: 1, games: 1, combinations: 6 })
    expect(counts['quotes']).toBeGreaterThan(1)
    expect(counts['books']).toBeGreaterThan(1)
    expect(hops['monitor_shard']!.n).toBeGreaterThan(1)
    expect(hops['decision']!.n).toBeGreaterThan(0)
    expect(counts['gaps'] ?? 0).toBe(0)
    const marks = ['parse_errors:not_json', 'parse_errors:not_an_object']
    expect(Object.keys(counts).filter((name) => /^parse_errors/.test(name) && !marks.includes(name))).toEqual(
      [],
    )
  })
})

describe('a shard makes no signal', () => {
  it.each(['prices', 'orderbook'])('after a gap in %s until the market speaks again', async (family) => {
    const { poly, counters, signals, quote, settled } = await stage()
    quote('poly', COND, RICH_THERE)
    await settled()
    poly.publish(`poly.${family}`, `${family}.poly.OTHER`, {}, { lost: true })
    await settled()
    await until(() => counters.get('gaps') === 1, 'the gap')
    quote('kalshi', HOU, CHEAP_HERE)
    await until(() => counters.get('no_signal:broken_channel') > 0, 'the refusal')
    expect(signals).toEqual([])
    quote('poly', COND, RICH_THERE)
    await until(() => signals.length === 1, 'the signal once the market spoke')
  })

  it('when the tail of a channel was lost, seen by the heartbeat alone', async () => {
    const { poly, counters, signals, quote, settled } = await stage()
    quote('poly', COND, RICH_THERE)
    await settled()
    poly.publish('poly.prices', `prices.poly.${COND}`, {}, { lost: true })
    await until(() => counters.get('gaps') === 1, 'the gap')
    quote('kalshi', HOU, CHEAP_HERE)
    await until(() => counters.get('no_signal:broken_channel') > 0, 'the refusal')
    expect(signals).toEqual([])
  })

  it('on books of the life of a monitor that ended cleanly', async () => {
    const { poly, counters, signals, quote, settled } = await stage()
    quote('poly', COND, RICH_THERE)
    await settled()
    poly.restart()
    await settled()
    quote('kalshi', HOU, CHEAP_HERE)
    await until(() => counters.get('no_signal:broken_channel') > 0, 'the refusal')
    expect(counters.get('gaps')).toBe(0)
    quote('poly', COND, RICH_THERE)
    await until(() => signals.length === 1, 'the signal on the new life')
  })

  it('from a monitor in an epoch before its latest, which is red by name until its epoch is later', async () => {
    const { poly, role, counters, signals, quote, settled } = await stage()
    quote('poly', COND, RICH_THERE)
    await settled()
    const latest = poly.epoch
    poly.epoch -= 3_600_000
    await until(() => counters.get('epoch_regressed:poly.prices') === 1, 'it is red')
    expect(counters.get('epoch_regressed:poly.orderbook')).toBe(1)
    expect(role.lines.some((line) => line.includes(`--epoch-floor ${latest + 1}`))).toBe(true)
    quote('poly', COND, RICH_THERE)
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(signals).toEqual([])
    poly.epoch = latest + 1
    await until(() => counters.total('epoch_regressed') === 0, 'it is read again')
    quote('poly', COND, RICH_THERE)
    await until(() => signals.length === 1, 'the signal on the new life')
  })

  it('while a monitor is silent', async () => {
    const { poly, counters, signals, quote, settled } = await stage()
    quote('poly', COND, RICH_THERE)
    await settled()
    poly.fallSilent()
    await until(() => {
      quote('kalshi', HOU, FAIR_HERE)
      return counters.get('no_signal:silent_monitor') > 0
    }, 'silence is noticed')
    quote('kalshi', HOU, CHEAP_HERE)
    await until(() => counters.get('no_signal:silent_monitor') > 1, 'the refusal')
    expect(signals).toEqual([])
  })

  it('when the feed has not proved its continuity for 750 ms', async () => {
    const { poly, counters, signals, quote, settled } = await stage()
    quote('poly', COND, RICH_THERE, { stamps: { recv: systemClock.monoUs() - 2_000_000 } })
    poly.provedAgoUs = 800_000
    await settled()
    await until(() => {
      quote('kalshi', HOU, FAIR_HERE)
      return counters.get('no_signal:old_quote') > 0
    }, 'age is noticed')
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(signals).toEqual([])
  })

  it('from a squatter: a source on an endpoint that it is not configured for', async () => {
    const { orchestrator, counters, signals, quote, settled } = await stage()
    quote('kalshi', HOU, CHEAP_HERE)
    quote('poly', COND, { bid: [0.43, 40], ask: [0.46, 40] })
    await settled()
    const squat = { venue: 'poly', market_id: COND, state: 'LIVE', book_seq: 999_999 }
    orchestrator.publish('poly.orderbook', `orderbook.poly.${COND}`, {
      ...squat,
      bids: [[0.52, 40]],
      asks: [],
    })
    orchestrator.publish('poly.prices', `prices.poly.${COND}`, { ...squat, selection: 'HOU', yes_bid: 0.52 })
    await until(() => counters.get('wrong_source') === 2, 'both are refused')
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(signals).toEqual([])
  })

  it.each<[string, Partial<GamesPayload>, string]>([
    ['that is final', { status: 'final' }, 'game_over'],
    ['that is postponed', { status: 'postponed' }, 'game_over'],
    ['told anew that nobody has read for two minutes', { fetched_ms: Date.now() - 120_000 }, 'game_stale'],
  ])('on a game %s', async (_, change, reason) => {
    const { counters, signals, quote, game, settled } = await stage()
    game(change)
    await until(() => {
      quote('poly', COND, RICH_THERE)
      quote('kalshi', HOU, FAIR_HERE)
      return counters.get(`no_signal:${reason}`) > 0
    }, 'the game is known')
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(signals).toEqual([])
  })

  it('on a game of another shard', async () => {
    const { counters, signals, quote, game, settled } = await stage()
    game({ shard: 1 })
    await until(() => counters.get('games') === 0, 'the game was handed on')
    quote('poly', COND, RICH_THERE)
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(signals).toEqual([])
    expect(counters.get('combinations')).toBe(0)
  })

  it('when the monitor says that YES pays on the other team', async () => {
    const { counters, signals, quote, settled } = await stage()
    quote('poly', COND, { ...RICH_THERE, selection: 'UTA' })
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(counters.get('no_signal:selection_mismatch')).toBeGreaterThan(0)
    expect(signals).toEqual([])
  })

  it('unless a book like the bad ones below is well-formed (control)', async () => {
    const { poly, signals, quote, settled } = await stage()
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    sendBook(poly, [[0.52, 9]])
    await until(() => signals.length === 1, 'the signal')
  })

  it.each<[string, (staged: Awaited<ReturnType<typeof stageShard>>) => void, string]>([
    [
      'levels out of order',
      ({ poly }) =>
        sendBook(poly, [
          [0.52, 9],
          [0.53, 9],
        ]),
      'bad_level',
    ],
    ['a price finer than any tick', ({ poly }) => sendBook(poly, [[0.52001, 9]]), 'bad_level'],
    ['a price of 1', ({ poly }) => sendBook(poly, [[1, 9]]), 'bad_level'],
    ['a price over 1', ({ poly }) => sendBook(poly, [[1.01, 9]]), 'bad_payload'],
    ['a negative size', ({ poly }) => sendBook(poly, [[0.52, -9]]), 'bad_payload'],
    ['a market of another topic', ({ poly }) => sendBook(poly, [[0.52, 9]], '0xdef'), 'topic_payload_differ'],
    ['text', ({ poly }) => poly.send(`prices.poly.${COND}`, 'NaN'), 'not_json'],
  ])('from a message with %s, which is counted', async (_, send, reason) => {
    const staged = await stage()
    const { counters, signals, quote, settled } = staged
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    const before = counters.get(`parse_errors:${reason}`)
    send(staged)
    await until(() => counters.get(`parse_errors:${reason}`) > before, 'it is counted')
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(signals).toEqual([])
  })

  it('from a first-design sender, which is counted as unguarded', async () => {
    const legacy = await FakePublisher.bind('kalshi')
    legacy.fallSilent()
    cleanups.push(() => legacy.close())
    const { counters, signals, role, quote, settled } = await stage({ legacy_endpoints: legacy.url })
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    const bare = { ticker: COND, yes_bid: 0.52, yes_ask: 0.53, timestamp_ms: Date.now() }
    await until(() => {
      legacy.send(`prices.poly.${COND}`, JSON.stringify(bare))
      return counters.get('unguarded') > 0
    }, 'it is counted')
    legacy.send(`prices.poly.${COND}`, JSON.stringify({ ...bare, yes_bid: 52 }))
    legacy.send('signals.trade.x', JSON.stringify(bare))
    await until(() => counters.get('parse_errors:bad_legacy') > 0, 'a bad one is refused')
    quote('kalshi', HOU, CHEAP_HERE)
    await settled()
    expect(signals).toEqual([])
    expect(role.lines.some((line) => line.includes('first-design prices'))).toBe(true)
  })
})

/** A book that would be worth a signal if it were believed, and the price that completes it. */
function sendBook(poly: FakePublisher, bids: readonly (readonly [number, number])[], id = COND): void {
  const common = { venue: 'poly', state: 'LIVE', book_seq: 5 }
  poly.publish('poly.orderbook', `orderbook.poly.${COND}`, { ...common, market_id: id, bids, asks: [] })
  const price = { ...common, market_id: COND, selection: 'HOU', yes_bid: 0.52 }
  poly.publish('poly.prices', `prices.poly.${COND}`, price)
}
