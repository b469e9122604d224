import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { sleep } from '../../src/lib/core/backoff.js'
import { ArbeesError } from '../../src/lib/core/errors.js'
import type { GameMarket } from '../../src/lib/model/game.js'
import type { OrderRequest } from '../../src/lib/model/order.js'
import type { FillReport, OrderGateway, OrderOutcome, PreparedOrder } from '../../src/lib/venues/ports.js'
import { until } from '../lib/poll.js'
import { openPaper, startStage, tradable, type Stage, type VenueUnderTest } from './venues.js'

let stage: Stage
beforeAll(async () => {
  stage = await startStage(2)
})
afterAll(() => stage.close())

let orders = 0

/** A gateway, what it trades, and the wire between it and its venue where there is one. */
interface Subject {
  readonly gateway: OrderGateway
  readonly market: GameMarket
  readonly venue?: VenueUnderTest
}

async function open(index: number): Promise<Subject> {
  const venue = stage.venues[index]
  if (venue === undefined) {
    const market = { ...(await tradable(stage.venues[0] as VenueUnderTest)), takerDelayMs: 0 }
    // Each order finds other levels than the one before, so that all of them are there.
    let away = 0
    const bookOf = () => {
      away = 100 - away
      const bids = [[4000 - away, 900], [100, 1]] as const // prettier-ignore
      const asks = [[4500 + away, 900], [9900, 1]] as const // prettier-ignore
      return { state: 'LIVE', bids, asks } as const
    }
    return { market, gateway: openPaper(bookOf) }
  }
  const gateway = venue.openGateway()
  await gateway.warm()
  return { gateway, venue, market: await tradable(venue) }
}

function orderOf({ gateway, market }: Subject, more: Partial<OrderRequest> = {}): OrderRequest {
  orders += 1
  return {
    orderId: `${String(orders).padStart(6, '0')}${Date.now().toString(16)}`.padStart(32, '0'),
    signalId: 'manual',
    leg: 0,
    attempt: 0,
    venue: gateway.venue,
    marketId: market.marketId,
    outcome: 'yes',
    side: 'buy',
    limitE4: 9900,
    sizeE2: Math.max(500, market.minSizeE2),
    signalMs: Date.now(),
    ...more,
  }
}

const nothing = (): void => undefined
const always = (): boolean => true
const UNKNOWN: OrderOutcome = { kind: 'unknown', reason: 'asked anew' }

/** Sends, and asks until the end is known. */
async function settle(gateway: OrderGateway, prepared: PreparedOrder): Promise<OrderOutcome> {
  const outcome = await gateway.send(prepared, nothing, always)
  if (outcome.kind === 'withheld') throw new Error('withheld')
  return final(gateway, prepared, outcome)
}

async function final(
  gateway: OrderGateway,
  prepared: PreparedOrder,
  outcome: OrderOutcome,
): Promise<OrderOutcome> {
  let known = outcome
  // As far apart as a venue's rate limits let anybody ask.
  for (let asked = 0; known.kind === 'delayed' || known.kind === 'unknown'; asked += 1) {
    if (asked > 100) throw new Error(`still ${JSON.stringify(known)}`)
    if (asked > 0) await sleep(100)
    known = await gateway.query(prepared)
  }
  return known
}

async function money(
  gateway: OrderGateway,
  prepared: PreparedOrder,
  outcome: OrderOutcome,
): Promise<FillReport> {
  if (outcome.kind !== 'filled' && outcome.kind !== 'partial') throw new Error(outcome.kind)
  let report: FillReport | undefined
  await until(async () => {
    report = await gateway.report(prepared, outcome).catch((error: unknown) => {
      if (error instanceof ArbeesError && error.code === 'FILLS_NOT_VISIBLE') return undefined
      throw error
    })
    return report !== undefined
  }, 'the money is known')
  return report as FillReport
}

describe.each(['kalshi', 'polymarket', 'paper'])('the order port: %s', (name) => {
  const index = ['kalshi', 'polymarket', 'paper'].indexOf(name)
  let subject: Subject
  beforeAll(async () => {
    subject = await open(index)
  })
  afterAll(() => subject.gateway.close())

  it('the same order is the same bytes, and what cannot be expressed is BAD_ORDER before anything is sent', () => {
    const { gateway, market } = subject
    const request = orderOf(subject)
    expect(gateway.prepare(request, market)).toEqual(gateway.prepare(request, market))
    for (const wrong of [
      { marketId: 'another' },
      { venue: gateway.venue === 'kalshi' ? 'poly' : 'kalshi' },
      { limitE4: 0 },
      { limitE4: 10_000 },
      { limitE4: 5000.5 },
      { limitE4: 5001 },
      { sizeE2: 0 },
      { sizeE2: -500 },
    ] as const) {
      expect(() => gateway.prepare(orderOf(subject, wrong), market), JSON.stringify(wrong)).toThrowError(
        ArbeesError,
      )
    }
  })

  it('an order that crosses is filled, told once when its bytes are out, for no more than its limit', async () => {
    const { gateway, market, venue } = subject
    const before = venue?.orders() ?? 0
    const prepared = gateway.prepare(orderOf(subject), market)
    let bytes = 0
    const sent = await gateway.send(prepared, () => (bytes += 1), always)
    expect(bytes).toBe(1)
    if (sent.kind === 'withheld') throw new Error('withheld')
    const outcome = await final(gateway, prepared, sent)
    expect(outcome.kind).toMatch(/filled|partial/)
    if (outcome.kind !== 'filled' && outcome.kind !== 'partial') return
    expect(await final(gateway, prepared, UNKNOWN)).toMatchObject({ filledE6: outcome.filledE6 })
    const { cashMicros, feesMicros, venueTradeIds } = await money(gateway, prepared, outcome)
    expect(cashMicros).toBeGreaterThan(0)
    expect(cashMicros).toBeLessThanOrEqual(Math.ceil((prepared.request.limitE4 * outcome.filledE6) / 1e4))
    expect(feesMicros).toBeGreaterThanOrEqual(0)
    expect(new Set(venueTradeIds).size).toBe(venueTradeIds.length)
    expect(venueTradeIds.length).toBeGreaterThan(0)
    if (venue !== undefined) expect(venue.orders()).toBe(before + 1)
  })

  it('what nobody offers is none, and stays none', async () => {
    const { gateway, market } = subject
    const prepared = gateway.prepare(orderOf(subject, { limitE4: 100, sizeE2: 10_000 }), market)
    expect(await settle(gateway, prepared)).toMatchObject({ kind: 'none' })
    expect((await final(gateway, prepared, UNKNOWN)).kind).toBe('none')
  })

  it('more than the book shows is partial, and the rest does not wait in the book', async () => {
    const { gateway, market } = subject
    const prepared = gateway.prepare(orderOf(subject, { sizeE2: 4_000_000 }), market)
    const outcome = await settle(gateway, prepared)
    if (name !== 'paper' && outcome.kind === 'rejected') {
      // The account cannot pay for that much: then the venue says so, and nothing was done.
      expect(outcome.code).toMatch(/balance/i)
      return
    }
    expect(outcome.kind).toBe('partial')
    expect((await final(gateway, prepared, UNKNOWN)).kind).toBe('partial')
  })

  it('an order that may not go any more is withheld, and not a byte of it reaches the venue', async () => {
    const { gateway, market, venue } = subject
    const before = venue?.orders() ?? 0
    let bytes = 0
    const outcome = await gateway.send(
      gateway.prepare(orderOf(subject), market),
      () => (bytes += 1),
      () => false,
    )
    expect(outcome).toEqual({ kind: 'withheld' })
    expect(bytes).toBe(0)
    expect(venue?.orders() ?? 0).toBe(before)
  })

  it('what was bought is sold again once it may be, for no less than the limit; money is told without a sign', async () => {
    const { gateway, market } = subject
    const bought = await settle(gateway, gateway.prepare(orderOf(subject), market))
    if (bought.kind !== 'filled') throw new Error(`bought: ${bought.kind}`)
    const sell = async () => {
      const sale = gateway.prepare(orderOf(subject, { side: 'sell', limitE4: 100 }), market)
      return { sale, sold: await settle(gateway, sale) }
    }
    let last = await sell()
    await until(async () => {
      // Not settled yet, where a venue lets go only of what is.
      if (last.sold.kind === 'rejected') last = await sell()
      return last.sold.kind !== 'rejected'
    }, 'the sale is taken')
    const { sale, sold } = last
    expect(sold.kind).toMatch(/filled|partial/)
    if (sold.kind !== 'filled' && sold.kind !== 'partial') return
    const { cashMicros } = await money(gateway, sale, sold)
    expect(cashMicros).toBeGreaterThanOrEqual(Math.floor((100 * sold.filledE6) / 1e4))
  })

  it('a prepared order that is sent twice is one order at the venue', async () => {
    const { gateway, market, venue } = subject
    const prepared = gateway.prepare(orderOf(subject), market)
    await settle(gateway, prepared)
    const before = venue?.orders() ?? 0
    const again = await gateway.send(prepared, nothing, always)
    expect(again.kind).toMatch(/rejected|unknown/)
    expect(venue?.orders() ?? 0).toBe(before)
  })

  it.skipIf(name === 'paper')(
    'a lost answer is unknown, and asking finds the order that was taken',
    async () => {
      const { gateway, market, venue } = subject
      if (venue === undefined) return
      const before = venue.orders()
      const prepared = gateway.prepare(orderOf(subject), market)
      venue.wire.swallowReplies()
      const outcome = await gateway.send(prepared, nothing, always)
      expect(outcome.kind).toBe('unknown')
      expect((await gateway.query(prepared)).kind).toBe('unknown')
      venue.wire.heal()
      const end = await final(gateway, prepared, UNKNOWN)
      expect(end.kind).toMatch(/filled|partial|none/)
      expect(venue.orders()).toBe(before + 1)
    },
  )

  it.skipIf(name === 'paper')(
    'a venue that is gone is no exception: nothing was sent, or it is unknown',
    async () => {
      const { market, venue } = subject
      if (venue === undefined) return
      const gateway = venue.openGateway()
      const prepared = gateway.prepare(orderOf(subject), market)
      venue.wire.refuse()
      const outcome = await gateway.send(prepared, nothing, always)
      venue.wire.heal()
      expect(outcome.kind).toMatch(/rejected|unknown/)
      await gateway.close()
      await gateway.close()
    },
  )
})
