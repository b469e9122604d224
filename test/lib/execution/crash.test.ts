import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { isInFlight } from '../../../src/lib/execution/ledger-history.js'
import { Ledger } from '../../../src/lib/execution/ledger.js'
import { compile } from './compiled.js'
import type { Compiled } from './compiled.js'
import { REFUSED, SIGNALS, STEPS, behave } from './crash-steps.js'
import { HttpVenue } from './http-venue.js'

const CHILD = 'test/lib/execution/crash-child.ts'
let compiled: Compiled
let venue: HttpVenue
let dataDir: string

beforeAll(() => {
  compiled = compile(
    'src/lib/core',
    'src/lib/model',
    'src/lib/risk',
    'src/lib/execution',
    'src/lib/messages',
    'src/lib/telemetry',
    'src/lib/roles/exec-intake.ts',
    'src/lib/roles/exec-markets.ts',
    'src/lib/roles/exec-orders.ts',
    'src/lib/roles/exec-totals.ts',
    'test/lib/risk/samples.ts',
    'test/lib/execution/harness.ts',
    'test/lib/execution/http-gateway.ts',
    CHILD,
  )
})

afterAll(() => compiled.remove())

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'arbees-crash-'))
  venue = new HttpVenue(behave)
  await venue.listen()
})

afterEach(async () => {
  await venue.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const life = (step: string, occurrence: number) =>
  compiled.run(CHILD, [dataDir, venue.url, String(SIGNALS), step, String(occurrence)]).done

interface Report {
  readonly orders: number
  readonly fills: number
}

/** What a supervisor knows of a life: the last line that it wrote. */
const lastReport = (stdout: string): Report => JSON.parse(stdout.trim().split('\n').at(-1)!) as Report

const sumOf = (reports: readonly Report[]): Report =>
  reports.reduce((a, b) => ({ orders: a.orders + b.orders, fills: a.fills + b.fills }))

describe('exec killed with SIGKILL and started again on the same signals', () => {
  it.each(STEPS)(
    '%s, at occurrences %j: no order doubles, every outcome is on record and counted once',
    async (step, deaths) => {
      const reports: Report[] = []
      for (const occurrence of deaths) {
        const { signal, stderr, stdout } = await life(step, occurrence)
        expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
        reports.push(lastReport(stdout))
      }
      const { code, stderr, stdout } = await life('', 0)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      reports.push(lastReport(stdout))

      expect(venue.doubled).toEqual([])
      expect(new Set(venue.received.map(({ orderId }) => orderId)).size).toBe(venue.received.length)
      const ledger = Ledger.open({ dataDir, env: 'sim', mode: 'live', clock: systemClock })
      const { plans, interrupted, inFlight } = ledger.history()
      ledger.close()
      expect(interrupted).toEqual([])
      expect(plans.filter(({ done }) => !done)).toEqual([])
      // An intent whose bytes never left is the one thing that nobody can tell from a lost one: it stays unknown.
      const unsent = inFlight.filter(
        ({ prepared }) => !venue.received.some((o) => o.orderId === prepared.request.orderId),
      )
      expect(inFlight).toEqual(unsent)
      expect(unsent.length).toBeLessThanOrEqual(step === 'after_intent' ? deaths.length : 0)
      const orders = plans.flatMap((plan) => plan.orders).filter((order) => !isInFlight(order))
      const onRecord = new Map(orders.map(({ prepared, filledE6 }) => [prepared.request.orderId, filledE6]))
      for (const { orderId } of venue.received) expect(onRecord.get(orderId)).toBe(venue.filledE6(orderId))
      const taken = venue.received.filter(({ signalId }) => signalId !== REFUSED)
      expect(sumOf(reports)).toEqual({
        orders: taken.length + unsent.length,
        fills: taken.filter(({ orderId }) => venue.filledE6(orderId) > 0).length,
      })
    },
  )

  it('without a ledger doubles orders: the count can see it', async () => {
    expect((await life('naive', 1)).signal).toBe('SIGKILL')
    expect((await life('naive', 2)).code).toBe(0)
    expect(venue.doubled).toEqual(['signal-0/0/0', 'signal-0/1/0', 'signal-1/0/0'])
  })
})
