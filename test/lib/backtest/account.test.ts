import { describe, expect, it } from 'vitest'
import { Account, CLOSE_AFTER_MS } from '../../../src/lib/backtest/account.js'
import type { Decision } from '../../../src/lib/backtest/account.js'
import { noCapture } from '../../../src/lib/backtest/capture.js'
import type { Capture } from '../../../src/lib/backtest/capture.js'
import type { DisplayedBook } from '../../../src/lib/execution/paper-depth.js'
import { takerFeeMicros } from '../../../src/lib/model/fees.js'
import type { GameMarket } from '../../../src/lib/model/game.js'
import type { Level } from '../../../src/lib/model/order-book.js'
import type { StrategySignal } from '../../../src/lib/model/signal.js'
import { market } from '../strategy/setup.js'

const KALSHI = market('kalshi')
const POLY = market('poly', { takerDelayMs: 0 })
const HELD = market('poly', { takerDelayMs: 1000 })
const [KALSHI_FEES, POLY_FEES] = [KALSHI.fees, POLY.fees]
const DRAW = market('kalshi', { marketId: 'KX-DRAW' })

const book = (asks: readonly Level[], bids: readonly Level[] = []): DisplayedBook => ({
  state: 'LIVE',
  bids,
  asks,
})

/** YES of each market at its limit; what each contract pays at worst is a dollar. */
function decision(
  legs: readonly (readonly [GameMarket, limitE4: number])[],
  sizeE2 = 1000,
  pair = 'one',
): Decision {
  const signal: StrategySignal = {
    ...{ id: pair, kind: 'cross-venue', gameId: '401', pair, sizeE2, inputs: [], validMs: 1500 },
    ...{ grossEdgeMicros: 0, feesMicros: 0, netEdgeMicros: 123, worstPayoutMicros: sizeE2 * 10_000 },
    legs: legs.map(([{ venue, marketId }, limitE4]) => ({
      ...{ venue, marketId, outcome: 'yes', side: 'buy', limitE4, sizeE2 },
    })),
  }
  return { signal, league: 'nba', markets: legs.map(([each]) => each) }
}

/** An account and the books that it sees. */
class Stage {
  readonly capture: Capture = noCapture()
  readonly account: Account
  private readonly books = new Map<string, DisplayedBook>()

  constructor(latencyMs = 0) {
    const bookOf = ({ marketId }: GameMarket) => this.books.get(marketId) ?? book([])
    this.account = new Account({ latencyMs, bookOf, captureOf: () => this.capture })
  }

  show(of: GameMarket, shown: DisplayedBook, atMs = 0): this {
    this.account.advance(atMs * 1000)
    this.books.set(of.marketId, shown)
    this.account.see(of, () => shown)
    return this
  }

  take(what: Decision, atMs = 0): this {
    this.account.advance(atMs * 1000)
    this.account.take(what, atMs * 1000)
    return this
  }

  end(atMs = 60_000): Partial<Capture> {
    this.account.end(atMs * 1000)
    return Object.fromEntries(Object.entries(this.capture).filter(([, value]) => value !== 0))
  }
}

const cost = (fees: typeof KALSHI_FEES, priceE4: number, sizeE2: number): number =>
  priceE4 * sizeE2 + takerFeeMicros(fees, priceE4, sizeE2)
const feesOf = (...fills: (readonly [typeof KALSHI_FEES, number, number])[]): number =>
  fills.reduce((sum, [fees, priceE4, sizeE2]) => sum + takerFeeMicros(fees, priceE4, sizeE2), 0)
const BOTH = [
  [KALSHI, 4500],
  [POLY, 5000],
] as const

describe('a plan on recorded books', () => {
  it('is whole where the books are as they were decided on, with the fees of both venues', () => {
    const stage = new Stage().show(KALSHI, book([[4500, 5000]])).show(POLY, book([[5000, 5000]]))
    const pnlMicros = 1000 * 10_000 - cost(KALSHI_FEES, 4500, 1000) - cost(POLY_FEES, 5000, 1000)
    expect(stage.take(decision(BOTH)).end()).toEqual({
      ...{ signals: 1, whole: 1, plannedE2: 1000, hedgedE2: 1000, plannedMicros: 123, pnlMicros },
      feesMicros: feesOf([KALSHI_FEES, 4500, 1000], [POLY_FEES, 5000, 1000]),
    })
  })

  it.each([
    ['before the latency is over', 50, POLY, 49, 0],
    ['right when it arrives', 50, POLY, 50, 0],
    ['behind it', 50, POLY, 51, 1],
    ["before the venue's own delay is over, too", 50, HELD, 1_049, 0],
    ["behind the venue's own delay", 50, HELD, 1_051, 1],
  ])('finds nothing where the offer goes %s', (_, latencyMs, opening, goneMs, whole) => {
    const stage = new Stage(latencyMs).show(KALSHI, book([[4500, 5000]])).show(opening, book([[5000, 5000]]))
    stage.take(decision([[opening, 5000], BOTH[0]])).show(opening, book([[5100, 5000]]), goneMs)
    expect(stage.end()).toMatchObject(whole === 1 ? { whole: 1 } : { missed: 1 })
  })

  it('sends the second leg two latencies behind the first, plus its venue’s delay', () => {
    const run = (goneMs: number) =>
      new Stage(50)
        .show(KALSHI, book([[4500, 5000]]))
        .show(HELD, book([[5000, 5000]]))
        .take(decision([BOTH[0], [HELD, 5000]]))
        .show(HELD, book([[5100, 5000]]), goneMs)
        .end()
    expect([run(1_150), run(1_151)]).toMatchObject([{ part: 1 }, { whole: 1 }])
  })

  it.each<[string, DisplayedBook]>([
    ['dearer than its limit', book([[4501, 5000]])],
    ['of a book that is not live', { ...book([[4500, 5000]]), state: 'BROKEN' }],
    ['of less than a step', book([[4500, 99]])],
  ])('takes nothing %s', (_, shown) => {
    const stage = new Stage().show(KALSHI, shown).show(POLY, book([[5000, 5000]]))
    expect(stage.take(decision(BOTH)).end()).toMatchObject({ missed: 1 })
  })

  it('leaves less for the next ones, whatever the level shows, until it goes', () => {
    const stage = new Stage().show(KALSHI, book([[4500, 1500]])).show(POLY, book([[5000, 9000]]))
    stage.take(decision(BOTH, 1000, 'a'), 1).take(decision(BOTH, 1000, 'b'), 2)
    stage.show(KALSHI, book([[4500, 1500]]), 3).take(decision(BOTH, 1000, 'c'), 4)
    expect({ ...stage.capture }).toMatchObject({ whole: 1, part: 1, hedgedE2: 1500 })
    stage.show(KALSHI, book([[4500, 1400]]), 5).take(decision(BOTH, 1000, 'd'), 6)
    stage.show(KALSHI, book([[4500, 2100]]), 7).take(decision(BOTH, 1000, 'e'), 8)
    stage.show(KALSHI, book([[4600, 1500]]), 9).show(KALSHI, book([[4500, 1500]]), 10)
    stage.take(decision(BOTH, 1000, 'f'), 11)
    expect(stage.end()).toMatchObject({ whole: 2, part: 2, missed: 2, hedgedE2: 3200 })
  })

  it('follows with the second leg what the first one really filled', () => {
    const stage = new Stage().show(KALSHI, book([[4500, 720]])).show(POLY, book([[5000, 9000]]))
    const pnlMicros = 700 * 10_000 - cost(KALSHI_FEES, 4500, 700) - cost(POLY_FEES, 5000, 700)
    expect(stage.take(decision(BOTH)).end()).toMatchObject({ part: 1, hedgedE2: 700, pnlMicros })
  })

  it('follows with the third leg what both before it filled', () => {
    const legs = [...BOTH, [DRAW, 100]] as const
    const stage = new Stage().show(KALSHI, book([[4500, 1000]], [[4400, 1000]]))
    stage.show(POLY, book([[5000, 600]])).show(DRAW, book([[100, 5000]]))
    const found = stage.take(decision(legs)).end()
    expect(found).toMatchObject({ part: 1, hedgedE2: 600, closedE2: 400 })
    expect(found).not.toHaveProperty('writtenOffE2')
  })

  it('sells what stays unhedged at the bid of a stated time later, at its loss and with its fee', () => {
    const stage = new Stage().show(KALSHI, book([[4500, 1000]], [[4400, 100]]))
    stage.show(POLY, book([[5000, 600]])).take(decision(BOTH))
    stage.show(KALSHI, book([], [[4300, 300], [4000, 900]]), CLOSE_AFTER_MS) // prettier-ignore
    const paid = cost(KALSHI_FEES, 4500, 1000)
    const fees = feesOf([KALSHI_FEES, 4300, 300], [KALSHI_FEES, 4000, 100])
    const proceeds = 4300 * 300 + 4000 * 100 - fees
    expect(stage.end()).toEqual({
      ...{ signals: 1, part: 1, plannedE2: 1000, plannedMicros: 123, hedgedE2: 600, closedE2: 400 },
      pnlMicros: 600 * 10_000 + proceeds - paid - cost(POLY_FEES, 5000, 600),
      unhedgedMicros: proceeds - Math.round((paid * 400) / 1000),
      feesMicros: fees + feesOf([KALSHI_FEES, 4500, 1000], [POLY_FEES, 5000, 600]),
    })
  })

  it.each([
    ['before the sale is there', 5_050, 4000],
    ['right when it is there', 5_051, 4400],
  ])('sells with the latency and the delay of the venue: the bid falls %s', (_, fallsMs, priceE4) => {
    const stage = new Stage(50).show(HELD, book([[5000, 1000]], [[4400, 5000]]))
    // Filled after 1,050 ms, and nothing there to follow with, 100 ms later.
    stage.take(decision([[HELD, 5000], BOTH[0]])).show(HELD, book([], [[4000, 5000]]), 2_150 + fallsMs)
    const proceeds = priceE4 * 1000 - takerFeeMicros(POLY_FEES, priceE4, 1000)
    expect(stage.end()).toMatchObject({
      ...{ part: 1, closedE2: 1000, pnlMicros: proceeds - cost(POLY_FEES, 5000, 1000) },
    })
  })

  it.each<[string, number, Level[], number, number]>([
    ['a leg that the next has not followed, at the bid', 60, [[4300, 5000]], 4300, 1000],
    ['a leg for which nobody bids, at nothing', 60, [], 0, 0],
    ['a leg that waits to be sold', 4_000, [[4300, 5000]], 4300, 1000],
  ])('values at the end of the data %s', (_, endMs, bids, priceE4, closedE2) => {
    const stage = new Stage(50).show(KALSHI, book([[4500, 1000]], bids)).take(decision(BOTH))
    const saleFees = takerFeeMicros(KALSHI_FEES, priceE4, closedE2)
    const pnlMicros = priceE4 * closedE2 - saleFees - cost(KALSHI_FEES, 4500, 1000)
    expect(stage.end(endMs)).toEqual({
      ...{
        signals: 1,
        inFlight: 1,
        plannedE2: 1000,
        plannedMicros: 123,
        pnlMicros,
        unhedgedMicros: pnlMicros,
      },
      ...{ feesMicros: saleFees + takerFeeMicros(KALSHI_FEES, 4500, 1000) },
      ...(closedE2 === 0 ? { writtenOffE2: 1000 } : { closedE2 }),
    })
  })

  it('pays at the end of the data what is hedged, beside the sale of what is not', () => {
    const stage = new Stage().show(KALSHI, book([[4500, 1000]], [[4300, 5000]]))
    stage.show(POLY, book([[5000, 600]])).take(decision(BOTH))
    const proceeds = 4300 * 400 - takerFeeMicros(KALSHI_FEES, 4300, 400)
    expect(stage.end(1_000)).toMatchObject({
      ...{ inFlight: 1, hedgedE2: 600, closedE2: 400 },
      pnlMicros: 600 * 10_000 + proceeds - cost(KALSHI_FEES, 4500, 1000) - cost(POLY_FEES, 5000, 600),
    })
  })

  it('says of an order that did not come before the end of the data no more than that', () => {
    const stage = new Stage(50).show(KALSHI, book([[4500, 1000]], [[4300, 5000]]))
    expect(stage.take(decision(BOTH)).end(40)).toEqual({ signals: 1, inFlight: 1 })
  })

  it('counts as worth nothing what nobody bids for', () => {
    const stage = new Stage().show(KALSHI, book([[4500, 1000]], [[4400, 150]])).take(decision(BOTH))
    const pnlMicros = cost(KALSHI_FEES, 4400, 0) + 4400 * 100 - feesOf([KALSHI_FEES, 4400, 100])
    expect(stage.end()).toMatchObject({
      ...{ part: 1, closedE2: 100, writtenOffE2: 900 },
      pnlMicros: pnlMicros - cost(KALSHI_FEES, 4500, 1000),
    })
  })

  it('sends no leg below its venue’s least size: that stays unhedged', () => {
    // Five contracts are Polymarket's least.
    const stage = new Stage().show(KALSHI, book([[4500, 400]], [[4500, 400]]))
    expect(
      stage
        .show(POLY, book([[5000, 9000]]))
        .take(decision(BOTH))
        .end(),
    ).toMatchObject({
      ...{ part: 1, closedE2: 400 },
    })
  })

  it.each([
    [1_500, { whole: 1 }],
    [1_501, { expired: 1 }],
  ])('is opened by an order that comes before the signal expires alone: %d ms', (latencyMs, expected) => {
    const stage = new Stage(latencyMs).show(KALSHI, book([[4500, 5000]])).show(POLY, book([[5000, 5000]]))
    const found = stage.take(decision(BOTH)).end()
    expect(found).toMatchObject({ signals: 1, ...expected })
    expect('hedgedE2' in found).toBe('whole' in expected)
  })

  it('is denied while another of its pair is open', () => {
    const stage = new Stage(50).show(KALSHI, book([[4500, 9000]])).show(POLY, book([[5000, 9000]]))
    stage
      .take(decision(BOTH), 0)
      .take(decision(BOTH), 100)
      .take(decision(BOTH, 1000, 'other'), 110)
    expect(stage.end(150)).toMatchObject({ signals: 3, denied: 1, whole: 1, inFlight: 1, hedgedE2: 1000 })
  })
})
