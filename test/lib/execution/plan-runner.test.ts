import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { worstCashMicros } from '../../../src/lib/risk/limits.js'
import { GAME_ID, kalshiMarket, polyMarket, signal } from '../risk/samples.js'
import { until } from '../poll.js'
import { Harness } from './harness.js'
import type { HarnessOptions } from './harness.js'
import { HttpVenue } from './http-venue.js'
import type { Behavior } from './http-venue.js'

const MARKET_IDS = ['0xabc', 'KXNBAGAME-26JAN15MIABOS-MIA']
const filled: Behavior = { kind: 'fill', perMille: 1000 }
const nothing: Behavior = { kind: 'fill', perMille: 0 }

/** Behavior by `leg.attempt`; what is not said fills. */
let script: Record<string, Behavior>
let venue: HttpVenue
let harness: Harness

beforeEach(async () => {
  script = {}
  venue = new HttpVenue(({ leg, attempt }) => script[`${leg}.${attempt}`] ?? filled)
  await venue.listen()
})

afterEach(async () => {
  harness.close()
  await venue.close()
})

function create(options: Partial<HarnessOptions> = {}): Harness {
  harness = new Harness({ url: venue.url, ...options })
  return harness
}

const sent = () => venue.received.map(({ leg, attempt, sizeE2 }) => `${leg}.${attempt} ${sizeE2}`)

describe('a plan whose legs fill', () => {
  it('sends each leg once, tells every state and ends hedged with the venue’s money as exposure', async () => {
    await create().run()
    expect(sent()).toEqual(['0.0 2000', '1.0 2000'])
    expect(harness.listener.states).toEqual([
      '0.0 intent',
      '0.0 sent',
      '0.0 filled',
      '1.0 intent',
      '1.0 sent',
      '1.0 filled',
    ])
    expect(
      harness.listener.trades.map(({ status, cashMicros, feesMicros }) => [status, cashMicros, feesMicros]),
    ).toEqual([
      ['filled', 8_600_000, 1_000],
      ['filled', 9_400_000, 1_000],
    ])
    expect(harness.listener.counts).toEqual({ orders: 2, fills: 2 })
    expect(harness.execution.risk.totalMicros).toBe(18_002_000)
    expect(harness.execution.risk.openPlans).toBe(0)
    expect(harness.ledger.history().plans).toMatchObject([{ done: true, naked: false }])
  })

  it('carries the trace, and the stamp of its bytes from the moment they are written', async () => {
    await create().run()
    const states = harness.listener.orders.filter(({ request }) => request.leg === 0)
    expect(states.every(({ trace }) => trace === 'kalshi.prices/1/1')).toBe(true)
    expect(states.find(({ state }) => state === 'sent')?.stamps).toEqual({
      recv: 1,
      order: expect.any(Number),
    })
    expect(harness.listener.trades[0]!.latencyMs).toBeGreaterThan(0)
  })

  it('has the intent with its exact bytes on disk before the venue gets them', async () => {
    let onDisk: string | undefined
    const peek = new HttpVenue((order) => {
      if (order.leg === 0) onDisk = harness.ledger.history().inFlight[0]?.prepared.body
      return filled
    })
    await peek.listen()
    await create({ url: peek.url }).run()
    await peek.close()
    expect(JSON.parse(onDisk!)).toEqual(peek.received[0])
  })
})

describe('a first leg that', () => {
  it('is delayed is polled, and the second leg follows its real fill', async () => {
    script = { '0.0': { kind: 'delay', perMille: 600, afterMs: 60 } }
    await create().run()
    expect(sent()).toEqual(['0.0 2000', '1.0 1200'])
    expect(harness.listener.states.slice(0, 4)).toEqual([
      '0.0 intent',
      '0.0 sent',
      '0.0 delayed',
      '0.0 partial',
    ])
    expect(harness.listener.counts['naked']).toBeUndefined()
  })

  it('shows its fill bit by bit is hedged bit by bit, before its outcome is final', async () => {
    script = { '0.0': { kind: 'trickle', firstPerMille: 300, perMille: 800, afterMs: 150 } }
    await create().run()
    expect(sent()).toEqual(['0.0 2000', '1.0 600', '1.1 1000'])
    const states = harness.listener.states
    expect(states.indexOf('1.0 filled')).toBeLessThan(states.indexOf('0.0 partial'))
    expect(harness.listener.counts).toEqual({ orders: 3, fills: 3 })
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(false)
  })

  it('never tells more than a part stays unknown with that part hedged', async () => {
    script = { '0.0': { kind: 'trickle', firstPerMille: 300, perMille: 800, afterMs: 60_000 } }
    await create({ timing: { delayedLimitMs: 50, unknownAtMs: [10] } }).run()
    expect(sent()).toEqual(['0.0 2000', '1.0 600'])
    expect(harness.listener.counts).toEqual({ unknown: 1, orders: 2, fills: 2 })
    const unknown = harness.listener.trades.filter(({ status }) => status === 'unknown')
    expect(unknown).toMatchObject([{ filledE6: 6_000_000, cashMicros: 0, venueTradeIds: [] }])
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
  })

  it('stays unknown is asked after beside its plan; nothing of it then is nothing at risk', async () => {
    script = { '0.0': { kind: 'cut', perMille: 0, toldAfterQueries: 6 } }
    const { listener, execution, orders, ledger } = create({
      timing: { unknownAtMs: [5], unknownEveryMs: 10 },
    })
    await harness.run()
    expect(listener.trades.map(({ status }) => status)).toEqual(['unknown'])
    expect(execution.risk.totalMicros).toBeGreaterThan(0)
    await until(() => listener.trades.at(-1)?.status === 'none', 'it is known')
    expect(execution.risk.totalMicros).toBe(0)
    expect(ledger.history().plans).toMatchObject([{ done: true, naked: false }])
    expect(listener.counts).toEqual({ unknown: 1, orders: 1 })
    await orders.later.leave()
    expect(sent()).toEqual(['0.0 2000'])
  })

  it('fills nothing ends the plan with nothing at risk', async () => {
    script = { '0.0': nothing }
    await create().run()
    expect(sent()).toEqual(['0.0 2000'])
    expect(harness.listener.counts).toEqual({ orders: 1 })
    expect(harness.listener.trades).toMatchObject([{ status: 'none', cashMicros: 0 }])
    expect(harness.execution.risk.totalMicros).toBe(0)
    expect(harness.ledger.history().plans).toMatchObject([{ done: true, naked: false }])
  })

  it('is refused counts as rejected, not as an order', async () => {
    script = { '0.0': { kind: 'reject', code: 'insufficient_balance' } }
    await create().run()
    expect(harness.listener.counts).toEqual({ 'rejected:insufficient_balance': 1 })
    expect(harness.listener.trades).toMatchObject([{ status: 'rejected' }])
    expect(harness.execution.risk.totalMicros).toBe(0)
  })

  it('is unknown and then found is hedged by what it filled', async () => {
    script = { '0.0': { kind: 'cut', perMille: 500, toldAfterQueries: 2 } }
    await create().run()
    expect(sent()).toEqual(['0.0 2000', '1.0 1000'])
    expect(harness.listener.states).toContain('0.0 unknown')
    expect(harness.listener.counts).toEqual({ unknown: 1, orders: 2, fills: 2 })
  })

  it('stays unknown counts as filled, is never sent again, and closes its markets', async () => {
    script = { '0.0': { kind: 'silent', perMille: 1000 } }
    await create().run()
    expect(sent()).toEqual(['0.0 2000'])
    expect(harness.execution.risk.totalMicros).toBe(worstCashMicros(polyMarket(), 4300, 2000))
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
    expect(harness.listener.trades).toMatchObject([{ status: 'unknown' }])
    expect(harness.ledger.history().inFlight).toHaveLength(1)
  })
})

describe('a later leg', () => {
  it('is cut to its step, and a remainder below it is dust', async () => {
    script = { '0.0': { kind: 'fill', perMille: 777 } }
    await create().run(signal(), {
      markets: [polyMarket(), kalshiMarket({ sizeStepE2: 100, minSizeE2: 100 })],
    })
    expect(sent()).toEqual(['0.0 2000', '1.0 1500'])
    expect(harness.listener.counts).toMatchObject({ dust: 1 })
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(false)
  })

  it('that fills in parts gets up to two more attempts, each for what is left', async () => {
    script = { '1.0': { kind: 'fill', perMille: 250 }, '1.1': nothing }
    await create().run()
    expect(sent()).toEqual(['0.0 2000', '1.0 2000', '1.1 1500', '1.2 1500'])
    expect(harness.listener.counts).toEqual({ orders: 4, fills: 3 })
    expect(new Set(venue.received.map(({ orderId }) => orderId)).size).toBe(4)
  })

  it('begins an attempt only when the one before is final in the ledger', async () => {
    const inFlight: number[] = []
    const strict = new HttpVenue(({ leg }) => {
      inFlight.push(harness.ledger.history().inFlight.length)
      return leg === 0 ? filled : { kind: 'fill', perMille: 300 }
    })
    await strict.listen()
    await create({ url: strict.url }).run()
    await strict.close()
    expect(inFlight).toEqual([1, 1, 1, 1])
  })

  it('that does not fill leaves the plan naked: recorded, counted as exposure, quarantined, alarmed', async () => {
    script = {
      '1.0': { kind: 'fill', perMille: 250 },
      '1.1': nothing,
      '1.2': { kind: 'reject', code: 'paused' },
    }
    await create().run()
    expect(harness.listener.counts).toEqual({ orders: 3, fills: 2, 'rejected:paused': 1, naked: 1 })
    expect(harness.listener.alarms.join()).toContain('15 contracts unhedged')
    expect(harness.ledger.history().plans).toMatchObject([{ done: true, naked: true }])
    const { risk } = harness.execution
    expect(risk.totalMicros).toBe(8_601_000 + 2_351_000)
    const next = { signal: signal({ id: 'signal-2' }), markets: [polyMarket(), kalshiMarket()], ageMs: 1 }
    expect(risk.openPlan(next)).toMatchObject({ code: 'QUARANTINED' })
    risk.releaseGame(GAME_ID)
    expect(risk.totalMicros).toBe(0)
  })

  it('that is unknown is not tried again', async () => {
    script = { '1.0': { kind: 'silent', perMille: 0 } }
    await create().run()
    expect(sent()).toEqual(['0.0 2000', '1.0 2000'])
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
  })

  it('goes on while entries are halted', async () => {
    create().blocks = [undefined, 'HALTED']
    await harness.run()
    expect(sent()).toEqual(['0.0 2000', '1.0 2000'])
  })

  it('is not sent while all is halted: what is unhedged is quarantined', async () => {
    create().hedgeBlock = 'HALTED'
    await harness.run()
    expect(sent()).toEqual(['0.0 2000'])
    expect(harness.listener.orders.at(-1)).toMatchObject({ state: 'denied', reason: 'HALTED' })
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
    expect(harness.ledger.history().inFlight).toEqual([])
  })
})

describe('a plan of three legs', () => {
  const markets = [
    polyMarket({ kind: 'three_way', marketId: 'draw', selection: 'draw' }),
    ...['MIA', 'BOS'].map((team) => kalshiMarket({ kind: 'three_way', marketId: team, selection: team })),
  ]
  const basket = signal({
    kind: 'three-way',
    legs: markets.map(({ venue, marketId }) => ({
      ...{ venue, marketId, outcome: 'yes', side: 'buy', limitE4: 3000, sizeE2: 2000 },
    })),
  })
  const isQuarantined = () => harness.execution.risk.isQuarantined(markets.map(({ marketId }) => marketId))

  it('sends one after the other, each what the opening leg has filled, and ends hedged', async () => {
    script = { '0.0': { kind: 'fill', perMille: 500 } }
    await create().run(basket, { markets })
    expect(sent()).toEqual(['0.0 2000', '1.0 1000', '2.0 1000'])
    expect(harness.listener.counts).toEqual({ orders: 3, fills: 3 })
    expect(isQuarantined()).toBe(false)
  })

  it('buys of the last no more than the second has hedged: the rest of the opening leg alone stays naked', async () => {
    script = { '1.0': { kind: 'fill', perMille: 250 }, '1.1': nothing, '1.2': nothing }
    await create().run(basket, { markets })
    expect(sent()).toEqual(['0.0 2000', '1.0 2000', '1.1 1500', '1.2 1500', '2.0 500'])
    expect(harness.listener.counts).toMatchObject({ naked: 1 })
    expect(harness.listener.alarms.join()).toContain('15 contracts unhedged')
    expect(isQuarantined()).toBe(true)
  })

  it('leaves the last alone when the second filled nothing, or may have', async () => {
    for (const second of [nothing, { kind: 'silent', perMille: 0 } as const]) {
      script = { '1.0': second, '1.1': second, '1.2': second }
      await create().run(basket, { markets })
      expect(sent().filter((each) => each.startsWith('2.'))).toEqual([])
      expect(isQuarantined()).toBe(true)
      harness.close()
    }
    create()
  })

  it('that is left at the last closes its markets', async () => {
    script = { '2.0': nothing, '2.1': nothing, '2.2': nothing }
    await create().run(basket, { markets })
    expect(harness.listener.alarms.join()).toContain('20 contracts unhedged')
    expect(isQuarantined()).toBe(true)
  })
})

describe('an opening order between its intent and its bytes', () => {
  it('that has expired is not sent', async () => {
    let asked = 0
    await create().run(signal(), { ageMs: () => (asked++, 1501) })
    expect(asked).toBe(1)
    expect(venue.received).toEqual([])
    expect(harness.listener.states).toEqual(['0.0 stale'])
    expect(harness.ledger.history().inFlight).toEqual([])
    expect(harness.execution.risk.totalMicros).toBe(0)
  })

  it('is not sent when the halt came meanwhile', async () => {
    create().blocks = ['HALTED']
    await harness.run()
    expect(venue.received).toEqual([])
    expect(harness.listener.orders).toMatchObject([{ state: 'denied', reason: 'HALTED' }])
    expect(harness.execution.risk.totalMicros).toBe(0)
  })

  it('is not sent when the ledger does not take the intent', async () => {
    create()
    harness.afterSeen = () => harness.ledger.close()
    await harness.run()
    expect(venue.received).toEqual([])
    expect(harness.listener.orders).toMatchObject([{ state: 'denied', reason: 'LEDGER_FAILED' }])
    expect(harness.listener.alarms.join()).toContain('is not sent')
    expect(harness.execution.risk.totalMicros).toBe(0)
  })

  it('is denied when the venue cannot express it', async () => {
    const [first, second] = signal().legs
    await create().run(signal({ legs: [{ ...first!, limitE4: 4350 }, second!] }))
    expect(venue.received).toEqual([])
    expect(harness.listener.counts).toEqual({ 'denied:BAD_ORDER': 1 })
    expect(harness.execution.risk.totalMicros).toBe(0)
  })
})

describe('an order that waits for a connection of a slow venue', () => {
  const slow = signal({ id: 'slow' })
  /** Of other markets: a pair has one plan at a time. */
  const waiting = () => {
    const [first, second] = signal().legs
    const legs = [
      { ...first!, marketId: '0xother' },
      { ...second!, marketId: 'KXOTHER' },
    ]
    const markets = [polyMarket({ marketId: '0xother' }), kalshiMarket({ marketId: 'KXOTHER' })]
    return { signal: signal({ id: 'waiting', pair: 'other', legs }), markets }
  }
  const statesOf = (id: string) =>
    harness.listener.orders
      .filter(({ request }) => request.signalId === id)
      .map(({ request, state, reason }) => `${request.leg} ${state} ${reason ?? ''}`.trim())

  it.each([
    ['the halt that came while it waited', 'HALTED', 'denied'],
    ['its own age', 'EXPIRED', 'stale'],
  ] as const)('is kept back by %s, and ends on record as nothing', async (_, code, state) => {
    script = { '0.0': { kind: 'fill', perMille: 1000, afterMs: 100 } }
    const { execution } = create()
    await Promise.all(Object.values(execution.gateways).map((gateway) => gateway.warm()))
    harness.start(slow)
    const { signal: second, markets } = waiting()
    let ageMs = 1
    harness.start(second, { markets, ageMs: () => ageMs })
    await until(() => venue.received.length === 1, 'the first order is with the venue')
    if (code === 'HALTED') harness.blocks = ['HALTED']
    else ageMs = second.validMs + 1
    await harness.settled()
    expect(venue.received.map(({ signalId, leg }) => `${signalId} ${leg}`)).toEqual(['slow 0', 'slow 1'])
    expect(statesOf('waiting')).toEqual([`0 ${state} ${code}`])
    expect(harness.listener.counts).toMatchObject({ orders: 2, fills: 2 })
    expect(harness.listener.counts).not.toHaveProperty('unknown')
    expect(harness.ledger.history().inFlight).toEqual([])
    expect(execution.risk.openPlans).toBe(0)
    // The second leg of the first is a hedge: entries alone are stopped.
    expect(statesOf('slow').at(-1)).toBe('1 filled')
  })
})

describe('a stop', () => {
  it('that runs out of time ends the waits and leaves the order in flight on record', async () => {
    script = { '0.0': { kind: 'delay', perMille: 1000, afterMs: 60_000 } }
    create({ timing: { delayedLimitMs: 60_000, unknownAtMs: [60_000] } }).start()
    await until(() => harness.listener.states.includes('0.0 delayed'), 'the order is delayed')
    harness.cut.abort()
    await harness.settled()
    expect(harness.ledger.history().inFlight).toHaveLength(1)
    expect(venue.received).toHaveLength(1)
  })
})
