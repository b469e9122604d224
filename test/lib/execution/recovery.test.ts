import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recover } from '../../../src/lib/execution/recovery.js'
import { worstCashMicros } from '../../../src/lib/risk/limits.js'
import { GAME_ID, kalshiMarket, polyMarket, signal } from '../risk/samples.js'
import { until } from '../poll.js'
import { Harness } from './harness.js'
import { HttpVenue } from './http-venue.js'
import type { Behavior } from './http-venue.js'

const MARKET_IDS = ['0xabc', 'KXNBAGAME-26JAN15MIABOS-MIA']
let dataDir: string
let venue: HttpVenue
let script: Record<string, Behavior>
let harness: Harness | undefined

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'arbees-recovery-'))
  script = {}
  venue = new HttpVenue(({ leg, attempt }) => script[`${leg}.${attempt}`] ?? { kind: 'fill', perMille: 1000 })
  await venue.listen()
})

afterEach(async () => {
  harness?.close()
  await venue.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const life = (timing = {}) => (harness = new Harness({ url: venue.url, dataDir, timing }))

/** A life that is cut while its plan waits for an answer. */
async function cutWhile(state: string): Promise<void> {
  const first = life({ delayedLimitMs: 60_000, unknownAtMs: [60_000] })
  first.start()
  await until(() => first.listener.states.includes(state), state)
  first.cut.abort()
  await first.settled()
  first.close({ keep: true })
}

describe('after a restart', () => {
  it('an order in flight is asked after and its fill counts; what it leaves unhedged is quarantined', async () => {
    script = { '0.0': { kind: 'delay', perMille: 500, afterMs: 50 } }
    await cutWhile('0.0 delayed')
    const second = life()
    expect(await recover(second.execution, second.orders)).toEqual({
      inFlight: 1,
      unknown: 0,
      interrupted: 0,
    })
    await second.settled()
    expect(second.listener.states.at(-1)).toBe('0.0 partial')
    expect(second.listener.trades).toMatchObject([
      { status: 'partial', filledE6: 10_000_000, trace: 'kalshi.prices/1/1' },
    ])
    expect(second.execution.risk.totalMicros).toBe(4_301_000)
    expect(second.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
    expect(second.listener.alarms.join()).toContain('10 contracts unhedged')
    expect(venue.received).toHaveLength(1)
  })

  it('an order that was delayed is polled as one, not on the schedule of the unknown', async () => {
    script = { '0.0': { kind: 'delay', perMille: 1000, afterMs: 400 } }
    await cutWhile('0.0 delayed')
    const second = life({ unknownAtMs: [60_000], delayedLimitMs: 2_000 })
    expect(await recover(second.execution, second.orders)).toMatchObject({ inFlight: 1, unknown: 0 })
    expect(second.listener.states).toEqual(['0.0 delayed', '0.0 filled'])
  })

  it('an order in flight that filled nothing leaves nothing at risk and no quarantine, for good', async () => {
    script = { '0.0': { kind: 'delay', perMille: 0, afterMs: 50 } }
    await cutWhile('0.0 delayed')
    for (let restart = 0; restart < 2; restart++) {
      const next = life()
      await recover(next.execution, next.orders)
      expect(next.execution.risk.totalMicros).toBe(0)
      expect(next.execution.risk.isQuarantined(MARKET_IDS)).toBe(false)
      next.close({ keep: true })
    }
  })

  it('an order that nobody can tell about stays unknown and counts as filled, restart after restart', async () => {
    script = { '0.0': { kind: 'silent', perMille: 1000 } }
    await cutWhile('0.0 unknown')
    for (let restart = 0; restart < 2; restart++) {
      const next = life()
      expect(await recover(next.execution, next.orders)).toMatchObject({ inFlight: 1, unknown: 1 })
      expect(next.execution.risk.totalMicros).toBe(worstCashMicros(polyMarket(), 4300, 2000))
      expect(next.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
      expect(next.listener.counts['orders']).toBeUndefined()
      next.close({ keep: true })
    }
    expect(venue.received).toHaveLength(1)
  })

  it('an order that is known at last, long after its plan has ended, ends it with what is known', async () => {
    script = { '0.0': { kind: 'cut', perMille: 1000, toldAfterQueries: 14 } }
    await cutWhile('0.0 unknown')
    const next = life({ unknownAtMs: [5], unknownEveryMs: 10 })
    expect(await recover(next.execution, next.orders)).toMatchObject({ inFlight: 1, unknown: 1 })
    const { listener, execution, ledger } = next
    expect(execution.risk.totalMicros).toBe(worstCashMicros(polyMarket(), 4300, 2000))
    await until(() => listener.trades.at(-1)?.status === 'filled', 'it is asked after until it is told')
    expect(listener.trades.map(({ status, cashMicros }) => [status, cashMicros])).toEqual([
      ['unknown', 0],
      ['filled', 8_600_000],
    ])
    expect(listener.alarms.join()).toContain('20 contracts unhedged')
    expect(execution.risk.totalMicros).toBe(8_601_000)
    expect(ledger.history().inFlight).toEqual([])
    await next.orders.later.leave()
    expect(ledger.totals().onRecord).toEqual({ orders: 1, fills: 1 })
    expect(venue.received).toHaveLength(1)
  })

  it('what was counted of an order that was left unknown is not counted again when its outcome is known', async () => {
    script = { '0.0': { kind: 'trickle', firstPerMille: 300, perMille: 800, afterMs: 700 } }
    const first = life({ delayedLimitMs: 60_000 })
    first.start()
    await until(() => first.listener.states.includes('1.0 filled'), 'what is visible is hedged')
    first.cut.abort()
    await first.settled()
    expect(first.listener.counts).toMatchObject({ orders: 2, fills: 2 })
    first.close({ keep: true })
    const second = life({ delayedLimitMs: 2_000, unknownAtMs: [60_000] })
    expect(await recover(second.execution, second.orders)).toMatchObject({ inFlight: 1, unknown: 0 })
    expect(second.listener.states.at(-1)).toBe('0.0 partial')
    expect(second.listener.counts['orders']).toBeUndefined()
    expect(second.listener.counts['fills']).toBeUndefined()
    expect(second.ledger.totals().onRecord).toEqual({ orders: 2, fills: 2 })
  })

  it('tells the gateway which trades an order had matched in, as the venue named them answer by answer', async () => {
    script = { '0.0': { kind: 'cut', perMille: 1000, toldAfterQueries: 1_000 } }
    const told = [[], ['a'], ['a'], ['a', 'b']]
    const first = life({ unknownAtMs: [1, 2, 3, 4, 60_000] })
    first.execution.gateways.poly.query = () =>
      Promise.resolve({ kind: 'unknown', reason: 'matched', matchedTradeIds: told.shift() ?? ['a', 'b'] })
    first.start()
    await until(() => told.length === 0, 'it is asked after')
    const match = () => first.ledger.history().inFlight[0]?.prepared.matchedTradeIds
    await until(() => match()?.length === 2, 'both are on record')
    first.cut.abort()
    await first.settled()
    first.close({ keep: true })
    expect(life().ledger.history().inFlight[0]?.prepared.matchedTradeIds).toEqual(['a', 'b'])
  })

  it('tells the gateway that an order was acknowledged', async () => {
    script = { '0.0': { kind: 'delay', perMille: 500, afterMs: 300 } }
    await cutWhile('0.0 delayed')
    expect(life().ledger.history().inFlight).toMatchObject([{ prepared: { acknowledged: true } }])
  })

  it('a hedged plan still ties up its cash, and its signal is a duplicate', async () => {
    const first = life()
    await first.run()
    first.close({ keep: true })
    const second = life()
    expect(await recover(second.execution, second.orders)).toEqual({
      inFlight: 0,
      unknown: 0,
      interrupted: 0,
    })
    expect(second.execution.risk.totalMicros).toBe(18_002_000)
    expect(second.execution.risk.isQuarantined(MARKET_IDS)).toBe(false)
    expect(second.ledger.see({ signalId: 'signal-1' }, {})).toBe('duplicate')
  })

  it('a naked plan is still quarantined, until its game was final', async () => {
    script = {
      '1.0': { kind: 'reject', code: 'x' },
      '1.1': { kind: 'reject', code: 'x' },
      '1.2': { kind: 'reject', code: 'x' },
    }
    const first = life()
    await first.run()
    first.close({ keep: true })
    const second = life()
    await recover(second.execution, second.orders)
    expect(second.execution.risk.isQuarantined(MARKET_IDS)).toBe(true)
    second.ledger.appendOnce('game_final', { gameId: GAME_ID })
    second.close({ keep: true })
    const third = life()
    await recover(third.execution, third.orders)
    expect(third.execution.risk.isQuarantined(MARKET_IDS)).toBe(false)
    expect(third.execution.risk.totalMicros).toBe(0)
  })

  it('the money of a fill that was not shown before is asked for again, and its trade is told', async () => {
    const first = life({ reportAtMs: [] })
    await first.run()
    expect(first.listener.trades).toEqual([])
    first.close({ keep: true })
    const second = life()
    await recover(second.execution, second.orders)
    await second.settled()
    expect(second.listener.trades.map(({ status, cashMicros }) => [status, cashMicros])).toEqual([
      ['filled', 8_600_000],
      ['filled', 9_400_000],
    ])
    expect(second.execution.risk.totalMicros).toBe(18_002_000)
  })

  it('a signal that was seen and never decided is denied as interrupted', async () => {
    const first = life()
    first.ledger.see(
      { signalId: 'signal-9' },
      { signal: signal({ id: 'signal-9' }), signalMs: 1, trace: 't' },
    )
    first.close({ keep: true })
    const second = life()
    expect(await recover(second.execution, second.orders)).toMatchObject({ interrupted: 1 })
    expect(second.listener.orders).toMatchObject([{ state: 'denied', reason: 'INTERRUPTED', trace: 't' }])
    expect(second.ledger.history().interrupted).toEqual([])
  })

  it('exposure of an order in flight counts before the venues have answered', async () => {
    script = { '0.0': { kind: 'delay', perMille: 1000, afterMs: 200 } }
    await cutWhile('0.0 delayed')
    const second = life()
    const recovering = recover(second.execution, second.orders)
    const market = kalshiMarket({ marketId: 'other' })
    const ask = { signal: signal({ id: 's2', validMs: 10 }), markets: [polyMarket(), market], ageMs: 0 }
    expect(second.execution.risk.totalMicros).toBe(worstCashMicros(polyMarket(), 4300, 2000))
    expect(second.execution.risk.openPlan(ask).kind).toBe('denied')
    await recovering
  })
})
