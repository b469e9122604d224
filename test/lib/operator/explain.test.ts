import { describe, expect, it } from 'vitest'
import type { PastMessage } from '../../../src/lib/history/past.js'
import { codeOf } from '../../../src/lib/core/errors.js'
import { encode } from '../../../src/lib/messages/codec.js'
import type { Stamps } from '../../../src/lib/messages/payloads.js'
import { explain } from '../../../src/lib/operator/explain.js'
import type { Archive } from '../../../src/lib/operator/explain-archive.js'
import { renderExplanation } from '../../../src/lib/operator/explain-view.js'
import { loadSettings } from '../../../src/lib/core/config.js'

const { settings } = loadSettings({ flags: { env: 'sim' }, environment: {} })
const K = 'KXNBAGAME-26NOV23NYKSAS-NYK'
const P = `0x${'ab'.repeat(32)}`
const GAME = '401008419'
const ID = '49cbd3682177e540e7c72971bd7e5ad5'
const EPOCH = 1_795_450_431_352

interface More {
  readonly atMs?: number
  readonly epoch?: number
  readonly host?: string
  readonly stamps?: Stamps
  readonly trace?: string
}

/** Messages as they were published, in order. */
class Tape implements Archive {
  private readonly messages: PastMessage[] = []
  private readonly seqs = new Map<string, number>()

  constructor(readonly name: 'redis' | 'journal' = 'redis') {}

  add(source: string, topic: string, payload: object, more: More = {}): this {
    const { epoch = EPOCH, atMs = 1_000, host = 'one', stamps = {} } = more
    const seq = (this.seqs.get(`${source}/${epoch}`) ?? 0) + 1
    this.seqs.set(`${source}/${epoch}`, seq)
    const { trace = `${source}/${epoch}/${seq}` } = more
    const place = { env: 'sim' as const, source, epoch, seq }
    const envelope = { ...place, timestampMs: atMs, host, stamps, trace }
    const data = Buffer.from(encode(envelope, payload))
    this.messages.push({ kind: 'message', source, epoch, seq, topic, timestampMs: atMs, data })
    return this
  }

  async *decisions() {
    await Promise.resolve()
    yield this.messages.filter(({ source }) => /signals|orders|trades/.test(source))
  }

  async *games({ sinceMs, untilMs }: { sinceMs: number; untilMs: number }) {
    await Promise.resolve()
    yield this.messages.filter(
      ({ source, timestampMs: ms }) => source.endsWith('games') && ms >= sinceMs && ms <= untilMs,
    )
  }

  at(source: string, { epoch, seq }: { epoch: number; seq: number }) {
    return Promise.resolve(
      this.messages.find((each) => each.source === source && each.epoch === epoch && each.seq === seq),
    )
  }

  close(): void {
    // Nothing is open.
  }
}

const book = (venue: string, id: string, bids: number[][], asks: number[][]) => ({
  ...{ venue, market_id: id, state: 'LIVE', bids, asks, book_seq: 1 },
})
const market = (venue: string, id: string, ratePpm: number, roundUp: number) => ({
  ...{ venue, market_id: id, kind: 'moneyline', selection: 'NYK', tick: 0.01, size_step: 0.01 },
  ...{ min_size: 1, fee: { rate_ppm: ratePpm, round_up_micros: roundUp }, taker_delay_ms: 0 },
})
const game = (period: number) => ({
  ...{ league: 'nba', game_id: GAME, status: 'live', period, start_ms: 0, shard: 0 },
  ...{ home: { code: 'SA', name: 'Spurs', score: 97 }, away: { code: 'NY', name: 'Knicks', score: 93 } },
  ...{ provider: 'espn', fetched_ms: 900 },
  markets: [market('kalshi', K, 70_000, 100), market('poly', P, 50_000, 10)],
})
const input = (source: string) => ({ source, epoch: EPOCH, seq: 1, age_us: 44_515 })
const leg = (venue: string, id: string, outcome: string, limit: number) => ({
  ...{ venue, market_id: id, outcome, side: 'buy', limit, size: 100 },
})
/** 60 at 0.36 and 40 at 0.37 here, 100 at 1 - 0.40 there: $36.40 and $60.00; fees are of each level. */
const signal = {
  ...{ id: ID, kind: 'cross-venue', game_id: GAME, pair: `kalshi:${K}:yes+poly:${P}:no`, size: 100 },
  legs: [leg('poly', P, 'no', 0.6), leg('kalshi', K, 'yes', 0.37)],
  ...{ gross_edge_micros: 3_600_000, fees_micros: 2_820_400, net_edge_micros: 779_600 },
  ...{ worst_payout_micros: 100_000_000, valid_ms: 1500 },
  inputs: ['kalshi.prices', 'kalshi.orderbook', 'poly.orderbook'].map(input),
}
const order = (id: string, at: number, state: string, more: object = {}) => ({
  ...{ mode: 'live', order_id: id, signal_id: ID, leg: at, attempt: 0, venue: 'poly', market_id: P },
  ...{ outcome: 'no', side: 'buy', limit: 0.6, size: 100, state, ...more },
})
const trade = (id: string, at: number, status: string, size: number, cash = 0, fees = 0) => ({
  ...{ mode: 'live', order_id: id, signal_id: ID, leg: at, status, filled_size: size },
  ...{ cash_micros: cash, fees_micros: fees, venue_trade_ids: [`trade-of-${id}`], latency_ms: 3 },
})

/** Quotes, books, two states of the game, and the signal. */
function decided(tape = new Tape(), payload: object = signal): Tape {
  const quote = {
    venue: 'kalshi',
    market_id: K,
    selection: 'NYK',
    state: 'LIVE',
    yes_bid: 0.34,
    yes_ask: 0.36,
  }
  return tape
    .add('orchestrator.games', `games.nba.${GAME}`, game(3), { atMs: 500 })
    .add('orchestrator.games', `games.nba.${GAME}`, game(4), { atMs: 990 })
    .add('orchestrator.games', `games.nba.${GAME}`, game(5), { atMs: 1_400 })
    .add(
      'kalshi.orderbook',
      `orderbook.kalshi.${K}`,
      book(
        'kalshi',
        K,
        [[0.34, 9]],
        [
          [0.36, 60],
          [0.37, 90],
        ],
      ),
    )
    .add(
      'kalshi.prices',
      `prices.kalshi.${K}`,
      { ...quote, yes_bid_size: 9, yes_ask_size: 60, book_seq: 1 },
      { atMs: 1_000, stamps: { venue_ms: 990, recv: 5_000, pub: 7_000 } },
    )
    .add('poly.orderbook', `orderbook.poly.${P}`, book('poly', P, [[0.4, 100]], [[0.42, 5]]))
    .add('shard-0.signals', `signals.trade.${ID}`, payload, {
      atMs: 1_010,
      trace: `kalshi.prices/${EPOCH}/1`,
      stamps: { recv: 5_000, shard_in: 7_400, shard_out: 7_460, pub: 7_500 },
    })
}

const told = (tape: Tape, id: string, payload: object, more: More = {}) =>
  tape.add('exec.orders', `orders.poly.${id}`, payload, more)
const traded = (tape: Tape, id: string, status: string, payload: object, more: More = {}) =>
  tape.add('exec.trades', `trades.${status}.${id}`, payload, more)

const ask = (id: string, ...tapes: Tape[]) => explain(tapes, id, settings)

describe('an explanation', () => {
  it('computes the edge again from the books and the fees, level by level', async () => {
    const { edge, game: then, missing } = await ask(ID, decided())
    expect(missing).toEqual([])
    expect(then).toMatchObject({ period: 4, published_ms: 990 })
    expect(edge).toMatchObject({
      gross_edge_micros: 3_600_000,
      // 0.05 x 100 x 0.6 x 0.4; 0.07 x 60 x 0.36 x 0.64 + 0.07 x 40 x 0.37 x 0.63, each rounded up to $0.0001.
      fees_micros: 1_200_000 + 967_700 + 652_700,
      agrees: true,
    })
    expect(edge!.legs.map(({ takes }) => takes)).toEqual([
      [{ price: 0.6, size: 100 }],
      [
        { price: 0.36, size: 60 },
        { price: 0.37, size: 40 },
      ],
    ])
  })

  it.each([
    ['a gross edge', { gross_edge_micros: 3_600_001 }],
    ['fees', { fees_micros: 2_820_399 }],
    ['a net edge', { net_edge_micros: 779_601 }],
    ['more than the books hold', { size: 101 }],
  ])('says when the signal claims %s that does not follow', async (_, claim) => {
    const { edge } = await ask(ID, decided(new Tape(), { ...signal, ...claim }))
    expect(edge!.agrees).toBe(false)
    expect(renderExplanation(await ask(ID, decided(new Tape(), { ...signal, ...claim })), PLAIN)).toContain(
      'NOT the same',
    )
  })

  it('adds up the hops of one host, and none between two', async () => {
    const tape = decided()
    told(tape, 'o1', order('o1', 0, 'sent'), { stamps: { recv: 5_000, exec_in: 7_900, order: 9_100 } })
    expect((await ask(ID, tape)).hops).toEqual({
      ...{ venue_monitor_ms: 8, monitor_us: 2_000, monitor_shard_us: 400, decision_us: 60 },
      ...{ shard_exec_us: 440, exec_order_us: 1_200, tick_to_order_us: 4_100 },
    })
    const far = decided()
    told(far, 'o1', order('o1', 0, 'sent'), { host: 'two', stamps: { exec_in: 7_900, order: 9_100 } })
    expect((await ask(ID, far)).hops).toMatchObject({ shard_exec_us: null, exec_order_us: 1_200 })
  })

  it.each<[string, (tape: Tape) => void, string, number[], number | null]>([
    ['nothing of exec', () => undefined, 'unanswered', [], null],
    [
      'a denial',
      (tape) => told(tape, 'o1', order('o1', 0, 'denied', { reason: 'HALTED' })),
      'denied',
      [0],
      null,
    ],
    [
      'an expiry',
      (tape) => told(tape, 'o1', order('o1', 0, 'stale', { reason: 'EXPIRED' })),
      'stale',
      [0],
      null,
    ],
    [
      'an intent that was then denied',
      (tape) => (
        told(tape, 'o1', order('o1', 0, 'intent')),
        told(tape, 'o1', order('o1', 0, 'denied', { reason: 'HALTED' }))
      ),
      'denied',
      [0],
      null,
    ],
    ['an order on its way', (tape) => told(tape, 'o1', order('o1', 0, 'sent')), 'open', [0], null],
    [
      'an unknown outcome',
      (tape) => (
        told(tape, 'o1', order('o1', 0, 'unknown')),
        traded(tape, 'o1', 'unknown', trade('o1', 0, 'unknown', 0))
      ),
      'unknown',
      [0],
      null,
    ],
    [
      'no fill',
      (tape) => (
        told(tape, 'o1', order('o1', 0, 'none')),
        traded(tape, 'o1', 'none', trade('o1', 0, 'none', 0))
      ),
      'nothing',
      [0],
      null,
    ],
    ['one leg', (tape) => fill(tape, [100]), 'unhedged', [100], null],
    ['one leg more than the other', (tape) => fill(tape, [100, 60]), 'unhedged', [100, 60], null],
    ['legs that a step could make equal', (tape) => fill(tape, [100, 99]), 'unhedged', [100, 99], null],
    [
      'legs that differ by less than any order could mend',
      (tape) => fill(tape, [100.004321, 100]),
      'hedged',
      [100.004321, 100],
      100_000_000 - 97_000_000 - 2_000_000,
    ],
    [
      'a fill that its venue took back',
      (tape) => (fill(tape, [100, 100]), traded(tape, 'o0', 'voided', trade('o0', 0, 'voided', 100))),
      'voided',
      [100, 100],
      null,
    ],
    [
      'both legs',
      (tape) => fill(tape, [100, 100]),
      'hedged',
      [100, 100],
      100_000_000 - 97_000_000 - 2_000_000,
    ],
  ])('of %s', async (_, act, verdict, filled, locked) => {
    const tape = decided()
    act(tape)
    const explanation = await ask(ID, tape)
    expect(explanation.verdict).toBe(verdict)
    expect(explanation.totals.filled).toEqual(filled)
    expect(explanation.totals.locked_micros).toBe(locked)
    const isRefused = verdict === 'denied' || verdict === 'stale'
    expect(explanation.denied_for === null).toBe(!isRefused)
  })

  it('of a denial says why in words, with what was found and what is allowed', async () => {
    const tape = decided()
    const checks = [{ name: 'shard_3_cash_micros', value: 37_100_000, limit: 12_000_000 }]
    told(tape, 'o0', order('o0', 0, 'denied', { reason: 'SHARD_CASH', checks }))
    const explanation = await ask(ID, tape)
    expect(explanation.denied_for).toBe('SHARD_CASH')
    const because = explanation.orders[0]!.events[0]!.because!
    expect(because).toContain('$37.10 needed at worst, $12.00 free on shard 3')
    const text = renderExplanation(explanation, { width: 80, color: false })
    expect(text).toMatch(/denied: SHARD_CASH\n/)
    expect(text.replace(/\s+/g, ' ')).toContain(`leg 0 denied: ${because}`)
    expect(text).toMatch(/shard_3_cash_micros +\$37\.10 +\$12\.00 +over/)
  })

  it('puts together what lives of exec did, each with an epoch of its own, in the order of their times', async () => {
    const tape = decided()
    told(tape, 'o0', order('o0', 0, 'intent'), { atMs: 1_020 })
    told(tape, 'o0', order('o0', 0, 'sent'), { atMs: 1_021 })
    const second = { epoch: EPOCH + 5_000 }
    told(tape, 'o0', order('o0', 0, 'unknown'), { ...second, atMs: 6_000 })
    traded(tape, 'o0', 'unknown', trade('o0', 0, 'unknown', 0), { ...second, atMs: 6_000 })
    const third = { epoch: EPOCH + 9_000 }
    told(tape, 'o0', order('o0', 0, 'filled'), { ...third, atMs: 9_500 })
    traded(tape, 'o0', 'filled', trade('o0', 0, 'filled', 100, 48_500_000, 1_000_000), {
      ...third,
      atMs: 9_600,
    })
    const explanation = await ask(ID, tape)
    expect(explanation.orders).toMatchObject([
      {
        order_id: 'o0',
        events: [
          { state: 'intent', at_ms: 1_020 },
          { state: 'sent', at_ms: 1_021 },
          { state: 'unknown', at_ms: 6_000 },
          { state: 'filled', at_ms: 9_500 },
        ],
        trade: { status: 'filled', filled_size: 100 },
      },
    ])
    // The other leg was never sent.
    expect(explanation).toMatchObject({
      verdict: 'unhedged',
      totals: { filled: [100], cash_micros: 48_500_000 },
    })
  })

  it('adds up the attempts at a leg', async () => {
    const tape = decided()
    fill(tape, [100])
    const attempts = [
      ['o1', 0, 'partial', 30],
      ['o2', 1, 'none', 0],
      ['o3', 2, 'filled', 70],
    ] as const
    for (const [id, attempt, state, size] of attempts) {
      told(tape, id, order(id, 1, 'intent', { attempt }))
      told(tape, id, order(id, 1, state, { attempt }))
      traded(tape, id, state, trade(id, 1, state, size, size * 485_000, size * 10_000))
    }
    const explanation = await ask(ID, tape)
    expect(explanation.orders.map(({ leg, attempt, trade: of }) => [leg, attempt, of?.filled_size])).toEqual([
      [0, 0, 100],
      [1, 0, 30],
      [1, 1, 0],
      [1, 2, 70],
    ])
    expect(explanation).toMatchObject({
      verdict: 'hedged',
      totals: {
        filled: [100, 100],
        cash_micros: 97_000_000,
        fees_micros: 2_000_000,
        locked_micros: 1_000_000,
      },
    })
  })

  it('takes the last word on an order: an unknown one that a later life cleared up', async () => {
    const tape = decided()
    told(tape, 'o1', order('o1', 0, 'unknown'))
    traded(tape, 'o1', 'unknown', trade('o1', 0, 'unknown', 10))
    told(tape, 'o1', order('o1', 0, 'none'))
    traded(tape, 'o1', 'none', trade('o1', 0, 'none', 0))
    expect(await ask(ID, tape)).toMatchObject({ verdict: 'nothing', totals: { filled: [0] } })
  })

  it('takes an order by hand for what it is: no signal is missing, and one leg is no unhedged plan', async () => {
    const id = `manual-${ID}`
    const by = { signal_id: id, side: 'sell' }
    const tape = told(new Tape(), 'o1', order('o1', 0, 'partial', by))
    traded(tape, 'o1', 'partial', { ...trade('o1', 0, 'partial', 4, 2_400_000, 70_000), ...by })
    const explanation = await ask('o1', tape)
    expect(explanation).toMatchObject({
      ...{ verdict: 'filled', is_manual: true, signal: null, missing: [] },
      totals: { filled: [4], locked_micros: null },
    })
    const text = renderExplanation(explanation, PLAIN)
    expect(text).toContain('manual order o1  filled')
    expect(text).toContain('sell 100 no @ 0.6')
    expect(text).toContain('sold 4; got $2.4000, and $0.0700 of fees')
    const denied = told(new Tape(), 'o2', order('o2', 0, 'denied', { ...by, reason: 'HALTED' }))
    expect(await ask(id, denied)).toMatchObject({ verdict: 'denied', denied_for: 'HALTED', missing: [] })
  })

  it.each([
    ['the signal', ID, 'signal'],
    ['the first characters of it', ID.slice(0, 8), 'signal'],
    ['the trace', `kalshi.prices/${EPOCH}/1`, 'trace'],
    ['an order', 'order-one', 'order'],
    ["the venue's order", 'venue-1234', 'venue_order'],
    ["the venue's trade", 'trade-of-order-one', 'trade'],
  ])('is found by %s', async (_, id, as) => {
    const tape = decided()
    told(tape, 'order-one', order('order-one', 0, 'filled', { venue_order_id: 'venue-1234' }))
    traded(tape, 'order-one', 'filled', trade('order-one', 0, 'filled', 100))
    expect(await ask(id, tape)).toMatchObject({ found_as: as, signal: { id: ID } })
  })

  it('is found where the first place has nothing, and its inputs where either has them', async () => {
    const journal = decided(new Tape('journal'))
    expect(await ask(ID, new Tape('redis'), journal)).toMatchObject({ from: 'journal', missing: [] })
    const trimmed = new Tape('redis').add('shard-0.signals', `signals.trade.${ID}`, signal, { atMs: 1_010 })
    expect(await ask(ID, trimmed, journal)).toMatchObject({
      from: 'redis',
      missing: [],
      edge: { agrees: true },
    })
    const alone = await ask(ID, trimmed)
    expect(alone.missing).toHaveLength(4)
    expect(alone).toMatchObject({ edge: null, game: null, inputs: [{ payload: null }, {}, {}] })
    expect(renderExplanation(alone, PLAIN)).toContain('nowhere any more')
  })

  it('of a signal that one place has in part is put together from both, each message once', async () => {
    const journal = decided(new Tape('journal'))
    const redis = new Tape('redis')
    for (const tape of [journal, redis]) {
      told(tape, 'o1', order('o1', 0, 'sent'))
      traded(tape, 'o1', 'filled', trade('o1', 0, 'filled', 100, 1, 1))
    }
    told(journal, 'o2', order('o2', 1, 'filled'))
    traded(journal, 'o2', 'filled', trade('o2', 1, 'filled', 100, 1, 1))
    const explanation = await ask(ID, redis, journal)
    expect(explanation).toMatchObject({
      from: 'redis',
      verdict: 'hedged',
      missing: [],
      edge: { agrees: true },
    })
    expect(explanation.orders.map(({ events }) => events.length)).toEqual([1, 1])
  })

  it('of an id that nothing has, or that several have, is an error that says what to do', async () => {
    const error = await ask('unheard-of', decided()).catch((thrown: unknown) => thrown)
    expect(codeOf(error)).toBe('UNKNOWN_ID')
    const twins = decided().add(
      'shard-0.signals',
      'signals.trade.other',
      { ...signal, id: 'other' },
      { trace: 't/1/1' },
    )
    twins.add('shard-0.signals', 'signals.trade.third', { ...signal, id: 'third' }, { trace: 't/1/1' })
    const ambiguous = (await ask('t/1/1', twins).catch((thrown: unknown) => thrown)) as { hint: string }
    expect(codeOf(ambiguous)).toBe('AMBIGUOUS_ID')
    expect(ambiguous.hint).toContain('other, third')
  })

  it('shows no escape code of a venue, and fits the terminal', async () => {
    const tape = decided()
    told(tape, 'o1', order('o1', 0, 'rejected', { reason: 'bad \u001b[31mtick' }))
    const text = renderExplanation(await ask(ID, tape), { width: 80, color: false })
    expect(text).not.toContain('\u001b')
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })
})

const PLAIN = { width: 120, color: false }

function fill(tape: Tape, sizes: readonly number[]): void {
  sizes.forEach((size, at) => {
    told(tape, `o${at}`, order(`o${at}`, at, 'filled'))
    traded(tape, `o${at}`, 'filled', trade(`o${at}`, at, 'filled', size, 48_500_000, 1_000_000))
  })
}
