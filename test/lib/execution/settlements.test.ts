import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import Database from 'libsql'
import { Harness } from './harness.js'
import { HttpGateway } from './http-gateway.js'
import { HttpVenue } from './http-venue.js'
import type { ExecutionTiming } from '../../../src/lib/execution/plan.js'
import { recover } from '../../../src/lib/execution/recovery.js'
import type { FillSettlement } from '../../../src/lib/venues/ports.js'
import { until } from '../poll.js'
import { signal } from '../risk/samples.js'

const MARKET_IDS = signal().legs.map(({ marketId }) => marketId)

/** What the venue says of every fill, question by question; the last answer stays. */
let answers: (FillSettlement | 'silence')[]
let asked: string[][]

class Settling extends HttpGateway {
  settlement(_prepared: unknown, venueTradeIds: readonly string[]): Promise<FillSettlement> {
    asked.push([...venueTradeIds])
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    return answer === undefined || answer === 'silence'
      ? Promise.reject(new Error('not now'))
      : Promise.resolve(answer)
  }
}

const pending: FillSettlement = { confirmedE6: 0, voidedE6: 0, isFinal: false }
const confirmed: FillSettlement = { confirmedE6: 20_000_000, voidedE6: 0, isFinal: true }

let venue: HttpVenue
let harness: Harness
let dataDir: string
beforeEach(async () => {
  asked = []
  venue = new HttpVenue(() => ({ kind: 'fill', perMille: 1000 }))
  await venue.listen()
})
afterEach(async () => {
  await harness.orders.settlements.leave()
  harness.close()
  await venue.close()
})

function life(timing: Partial<ExecutionTiming> = {}): Harness {
  const gateways = { poly: new Settling('poly', venue.url) }
  harness = new Harness({ url: venue.url, gateways, timing, ...(dataDir === '' ? {} : { dataDir }) })
  dataDir = harness.dataDir
  return harness
}
beforeEach(() => {
  dataDir = ''
})

/** The one order at the venue that settles later, as the ledger has it. */
const polyOrder = () =>
  harness.ledger
    .history()
    .plans.flatMap(({ orders }) => orders)
    .find(({ prepared }) => prepared.request.venue === 'poly')!
const voidedTrades = () => harness.listener.trades.filter(({ status }) => status === 'voided')

describe('a fill that is provisional', () => {
  it('is asked for by its trades until it is confirmed, however long the venue is silent, and then no more', async () => {
    answers = [pending, 'silence', 'silence', pending, confirmed]
    await life().run()
    await until(() => polyOrder().settled, 'it is on record as final')
    const many = asked.length
    expect(many).toBe(5)
    expect(new Set(asked.flat())).toEqual(new Set([polyOrder().money!.venueTradeIds[0]]))
    expect(polyOrder()).toMatchObject({ settled: true, voidedE6: 0 })
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(false)
    expect(voidedTrades()).toEqual([])
  })

  it('and then given up is told once as voided, without money, counts as exposure and closes the pair', async () => {
    const part: FillSettlement = { confirmedE6: 0, voidedE6: 5_000_000, isFinal: false }
    answers = [pending, part, part, { confirmedE6: 15_000_000, voidedE6: 5_000_000, isFinal: true }]
    await life().run()
    const [before] = harness.listener.trades.filter(({ request }) => request.venue === 'poly')
    expect(before).toMatchObject({ status: 'filled', filledE6: 20_000_000 })
    await until(() => polyOrder().settled, 'it is on record as final')
    expect(voidedTrades()).toMatchObject([{ filledE6: 5_000_000, cashMicros: 0, feesMicros: 0 }])
    expect(harness.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
    expect(harness.execution.risk.totalMicros).toBeGreaterThan(18_000_000)
    expect(harness.listener.alarms.join()).toContain('5 of the 20')
    expect(harness.ledger.history().plans).toMatchObject([{ done: true, naked: true }])
    expect(polyOrder()).toMatchObject({ settled: true, voidedE6: 5_000_000 })
  })

  it('of a life that ended is followed by the next, which tells nothing twice', async () => {
    answers = [{ confirmedE6: 0, voidedE6: 5_000_000, isFinal: false }]
    const first = life()
    await first.run()
    await until(() => voidedTrades().length === 1, 'it is told')
    await first.orders.settlements.leave()
    first.close({ keep: true })
    answers = [{ confirmedE6: 15_000_000, voidedE6: 5_000_000, isFinal: true }]
    const second = life()
    await recover(second.execution, second.orders)
    await until(() => polyOrder().settled, 'it is on record as final')
    expect(voidedTrades()).toEqual([])
    expect(second.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
    second.close({ keep: true })
    const many = asked.length
    const third = life()
    await recover(third.execution, third.orders)
    await third.orders.settlements.leave()
    expect(asked.length).toBe(many)
  })

  it('whose money is long not shown is asked after slowly, and then followed to its end', async () => {
    answers = [pending, { confirmedE6: 15_000_000, voidedE6: 5_000_000, isFinal: true }]
    const { execution, listener, orders } = life({ unknownEveryMs: 10 })
    const { poly } = execution.gateways
    const report = poly.report.bind(poly)
    let refused = 0
    poly.report = (...of) => (refused++ < 8 ? Promise.reject(new Error('not yet')) : report(...of))
    await harness.run()
    expect(listener.alarms.join()).toContain('no money shown')
    expect(polyOrder().money).toBeUndefined()
    await until(() => polyOrder().settled, 'it is on record as final')
    expect(voidedTrades()).toMatchObject([{ filledE6: 5_000_000 }])
    expect(
      listener.trades.filter(({ status, request }) => status === 'filled' && request.venue === 'poly'),
    ).toHaveLength(1)
    expect(listener.alarms.filter((text) => text.includes('shown'))).toHaveLength(2)
    await orders.later.leave()
  })

  it('does not keep exec from stopping', async () => {
    answers = [pending]
    await life().run()
    await until(() => asked.length > 1, 'it is followed')
    await harness.orders.settlements.leave()
    const many = asked.length
    await harness.run(signal({ id: 'signal-2' }))
    expect(asked.length).toBe(many)
    expect(polyOrder().settled).toBe(false)
  })
})

describe('an older ledger', () => {
  it('has its provisional fills followed, and its voided ones count as voided whole', async () => {
    answers = ['silence']
    const first = life()
    await first.run()
    await first.orders.settlements.leave()
    const { orderId, signalId } = polyOrder().prepared.request
    first.ledger.append('naked', { signalId }, { reason: 'voided', orderId })
    const { path } = first.ledger
    first.close({ keep: true })
    const db = new Database(path)
    db.exec(
      'drop index event_settled; drop index event_game_orders; drop index event_accepted; pragma user_version = 3',
    )
    db.close()
    answers = [{ confirmedE6: 0, voidedE6: 20_000_000, isFinal: true }]
    const second = life()
    expect(polyOrder()).toMatchObject({ settled: false, voidedE6: 20_000_000 })
    await recover(second.execution, second.orders)
    await until(() => polyOrder().settled, 'it is on record as final')
    expect(voidedTrades()).toEqual([])
  })
})
