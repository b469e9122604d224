/** SIGKILL of exec around every write of its ledger, against a venue that takes an order twice if it is sent twice. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { systemClock } from '../../src/lib/core/clock.js'
import { isInFlight } from '../../src/lib/execution/ledger-history.js'
import { Ledger, ledgerPath } from '../../src/lib/execution/ledger.js'
import { SIGNALS, STEPS, behave } from '../lib/execution/crash-steps.js'
import { HttpVenue } from '../lib/execution/http-venue.js'
import type { FaultCase } from './fault-case.js'
import type { Programs } from './actor.js'
import { NOTHING } from './tally.js'
import type { Tally } from './tally.js'
import type { Outcome } from './verdict.js'

/** What exec is given: signals of two legs, or orders that somebody types. */
type Kind = 'signals' | 'manual'

const CHILD = 'test/lib/execution/crash-child.ts'

/** Around the one moment that matters to an order that somebody types, asked for again by each life. */
const MANUAL_STEPS = STEPS.filter(([step]) => step === 'after_intent' || step === 'after_sent')

export const execCases = (): FaultCase[] => [...casesOf(STEPS, 'signals'), ...casesOf(MANUAL_STEPS, 'manual')]

const casesOf = (steps: typeof STEPS, kind: Kind): FaultCase[] =>
  steps.map(([step, deaths]) => ({
    name: `exec/kill-${kind === 'manual' ? 'manual-' : ''}${step.replace('_', '-')}`,
    family: 'exec',
    aboutMs: 6_000,
    expected: { control: 'must_lose', atLeastSent: SIGNALS, gapped: 0 },
    run: async ({ programs }) => {
      const ours = await lives(programs, step, deaths, { kind })
      // Without a ledger: dies between the legs of the second signal, and takes all of them again.
      const control = await lives(programs, 'naive', [1], { last: 2 })
      return { ...ours, control: control.ours }
    },
  }))

/** One exec, killed at each of `deaths`, then left to end; what the venue saw, and what is on record. */
async function lives(
  programs: Programs,
  step: string,
  deaths: readonly number[],
  { last = 0, kind = 'signals' }: { readonly last?: number; readonly kind?: Kind } = {},
): Promise<Outcome> {
  const dataDir = mkdtempSync(join(tmpdir(), 'arbees-faults-exec-'))
  const venue = new HttpVenue(behave)
  await venue.listen()
  const problems: string[] = []
  const live = async (at: string, occurrence: number, end: string) => {
    const args = [dataDir, venue.url, String(SIGNALS), at, String(occurrence), kind]
    const { code, signal, stderr } = await programs.run(CHILD, args)
    const found = signal ?? String(code)
    if (found !== end) problems.push(`exec ended by ${found} instead of ${end}: ${stderr.slice(-300)}`)
  }
  try {
    for (const occurrence of deaths) await live(step, occurrence, 'SIGKILL')
    const restartMs = performance.now()
    await live(last === 0 ? '' : step, last, '0')
    const recoveryMs = Math.round(performance.now() - restartMs)
    const traded = new Set(venue.received.map(({ signalId }) => signalId)).size
    if (last !== 0) return { ...bare(venue, traded), recoveryMs, problems }
    const audit = auditOf(dataDir, venue)
    if (audit.holes > 0) problems.push(`${audit.holes} orders at the venue are not on record as they are`)
    if (audit.unfinished > 0) problems.push(`${audit.unfinished} plans are not finished`)
    if (audit.unexplained > 0) problems.push(`${audit.unexplained} orders at the venue stay unknown`)
    const { decided, denied } = verdictsOf(dataDir)
    // A death costs at most the signal that was being looked at: one that refuses all would else lose none.
    if (denied > deaths.length) problems.push(`${denied} signals denied in ${deaths.length} deaths`)
    const details = { audit_holes: audit.holes, unresolved: audit.unresolved, denied }
    return { ...bare(venue, decided), recoveryMs, problems, details }
  } finally {
    await venue.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** `received`: signals of which somebody can say what became of them. */
function bare(venue: HttpVenue, received: number): Pick<Outcome, 'ours' | 'control'> {
  const ours: Tally = {
    ...NOTHING,
    sent: SIGNALS,
    received,
    lost: SIGNALS - received,
    duplicated: venue.doubled.length,
  }
  return { ours, control: NOTHING }
}

/** Signals whose fate the ledger tells, and of these the ones that nothing was sent for. */
function verdictsOf(dataDir: string): { readonly decided: number; readonly denied: number } {
  const db = new Database(ledgerPath({ dataDir, env: 'sim', mode: 'live' }))
  const count = (kinds: string): number => {
    const [row] = db
      .prepare(`select count(distinct signal_id) as n from event where kind in (${kinds})`)
      .all() as readonly { readonly n: number }[]
    return row?.n ?? 0
  }
  try {
    const decided = count("'intent', 'denied', 'stale'")
    return { decided, denied: decided - count("'intent'") }
  } finally {
    db.close()
  }
}

function auditOf(dataDir: string, venue: HttpVenue) {
  const ledger = Ledger.open({ dataDir, env: 'sim', mode: 'live', clock: systemClock })
  const { plans, inFlight } = ledger.history()
  ledger.close()
  const orders = plans.flatMap((plan) => plan.orders).filter((order) => !isInFlight(order))
  const onRecord = new Map(orders.map(({ prepared, filledE6 }) => [prepared.request.orderId, filledE6]))
  const isHole = ({ orderId }: { readonly orderId: string }) =>
    onRecord.get(orderId) !== venue.filledE6(orderId)
  const reached = new Set(venue.received.map(({ orderId }) => orderId))
  return {
    holes: venue.received.filter(isHole).length,
    unfinished: plans.filter(({ done }) => !done).length,
    /** An intent whose bytes never left cannot be told from a lost one: it stays unknown, and counts as filled. */
    unresolved: inFlight.length,
    unexplained: inFlight.filter(({ prepared }) => reached.has(prepared.request.orderId)).length,
  }
}
