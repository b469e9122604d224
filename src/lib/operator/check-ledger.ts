/** `check ledger`: whether exec's ledger is whole and written to, and what in it waits for somebody. */

import { statSync, statfsSync } from 'node:fs'
import { resolve } from 'node:path'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { ledgerPath } from '../execution/ledger.js'
import { lookAtLedger } from '../execution/ledger-look.js'
import type { LedgerLook } from '../execution/ledger-look.js'
import { modeOfEnv } from '../roles/exec-gateways.js'
import { totalOf } from '../telemetry/counters.js'
import { formatAge, formatBytes, plural } from '../view/units.js'
import { BeatListener, LISTEN_MS, publisherNowMs } from './beat-listener.js'
import type { HeardBeat } from './beat-listener.js'
import { assertOrdered } from './check-channel.js'
import type { Thresholds } from './check-channel.js'
import { worstOf } from './check-report.js'
import type { CheckFigure, CheckProblem, CheckReport, CheckState } from './check-report.js'

export interface LedgerThresholds extends Thresholds {
  /** Room on the disk, bytes. */
  readonly freeWarn: number
  readonly freeCritical: number
}

export interface CheckLedgerOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly thresholds: LedgerThresholds
}

/** Named in the words of a problem; the rest is counted. */
const MOST_NAMED = 3

/** Throws `BAD_THRESHOLDS` (usage). What is wrong with the ledger is in the report. */
export async function checkLedger({ settings, clock, thresholds }: CheckLedgerOptions): Promise<CheckReport> {
  assertOrdered(thresholds)
  if (thresholds.freeWarn < thresholds.freeCritical) {
    throw new ArbeesError('BAD_THRESHOLDS', 'a warning below less room than critical', {
      exit: EXIT.USAGE,
      hint: 'give --free-warn the larger size',
    })
  }
  const heard = await hearExec(settings, clock)
  const nowMs = heard.after === undefined ? clock.nowMs() : publisherNowMs(heard.after, clock.monoUs())
  return judgeLedger(settings, thresholds, nowMs, heard)
}

/** What exec said some heartbeats apart; undefined where it is not heard. */
export interface HeardTwice {
  readonly before?: HeardBeat | undefined
  readonly after?: HeardBeat | undefined
}

/** The ledger as it stands now; `nowMs` by the clock of exec's host. */
export function judgeLedger(
  settings: Settings,
  thresholds: LedgerThresholds,
  nowMs: number,
  { before, after }: HeardTwice = {},
): CheckReport {
  const owner = { env: settings.env, mode: modeOfEnv(settings.env) }
  const path = ledgerPath({ dataDir: settings.data_dir, ...owner })
  const shared = { check: 'ledger', unreachable: false }
  const disk = diskOf(settings.data_dir, thresholds)
  let look: LedgerLook
  try {
    look = lookAtLedger(path, owner)
  } catch (error) {
    const damage = { subject: 'ledger', problem: messageOf(error), state: 'critical' } as const
    const state = stateOf(error)
    return {
      ...shared,
      state,
      summary: damage.problem,
      problems: state === 'critical' ? [damage, ...disk.problems] : disk.problems,
      notes: error instanceof ArbeesError && error.hint !== undefined ? [error.hint] : [],
      figures: disk.figures,
    }
  }
  const problems = [
    ...rowProblems(look),
    ...waitingProblems(look, nowMs, thresholds),
    ...writeProblems(look, thresholds, before, after),
    ...openToOthers(path),
    ...disk.problems,
  ]
  const [first] = [...problems].sort(
    (a, b) => Number(b.state === 'critical') - Number(a.state === 'critical'),
  )
  const others = problems.length > 1 ? `, and ${plural(problems.length - 1, 'other problem')}` : ''
  const fine = `whole, ${plural(look.events, 'event')}, ${plural(look.open.length, 'order')} open`
  const notes = [resolve(path)]
  if (after === undefined) notes.push('exec is not heard: whether it writes is not known')
  return {
    ...shared,
    state: worstOf(problems),
    summary: first === undefined ? fine : `${first.problem}${others}`,
    problems,
    notes,
    figures: [...figuresOf(look, nowMs, thresholds), ...disk.figures],
  }
}

async function hearExec(settings: Settings, clock: Clock): Promise<HeardTwice> {
  const bus = new BeatListener(settings, clock)
  try {
    await sleep(LISTEN_MS)
    const before = bus.beats.get('exec')
    if (before !== undefined) await sleep(LISTEN_MS)
    return { before, after: bus.beats.get('exec') }
  } finally {
    bus.close()
  }
}

/** A ledger that cannot be looked at says nothing; one that is damaged, or another's, says enough. */
function stateOf(error: unknown): CheckState {
  const code = error instanceof ArbeesError ? error.code : ''
  return code === 'LEDGER_CORRUPT' || code === 'LEDGER_FOREIGN' ? 'critical' : 'unknown'
}

function rowProblems({ contradictions }: LedgerLook): CheckProblem[] {
  if (contradictions.length === 0) return []
  const problem = `${plural(contradictions.length, 'contradiction')}: ${someOf(contradictions)}`
  return [{ state: 'critical', subject: 'rows', problem }]
}

function waitingProblems(look: LedgerLook, nowMs: number, limits: LedgerThresholds): CheckProblem[] {
  const { open, unhedged } = look
  const problems: CheckProblem[] = []
  const overdue = open.filter(({ sinceMs }) => nowMs - sinceMs >= limits.warnMs)
  const [oldest] = overdue
  if (oldest !== undefined) {
    const ageMs = nowMs - oldest.sinceMs
    const ids = someOf(overdue.map(({ orderId, state }) => `${orderId} (${state})`))
    const problem = `${plural(overdue.length, 'order')} without an outcome, for up to ${formatAge(ageMs)}: ${ids}`
    problems.push({ state: ageMs >= limits.criticalMs ? 'critical' : 'warning', subject: 'orders', problem })
  }
  if (unhedged.length > 0) {
    const problem = `${plural(unhedged.length, 'plan')} unhedged: signal ${someOf(unhedged)}`
    problems.push({ state: 'warning', subject: 'plans', problem })
  }
  return problems
}

/** Each signal that exec takes is a row: it took some, so there are rows since. */
function writeProblems(
  { lastWriteMs }: LedgerLook,
  { warnMs, criticalMs }: Thresholds,
  before: HeardBeat | undefined,
  after: HeardBeat | undefined,
): CheckProblem[] {
  if (after === undefined || before === undefined) return []
  const counted = ({ heartbeat }: HeardBeat, name: string) => totalOf(heartbeat.counts, name)
  if (counted(after, 'ledger_failed') > 0) {
    const problem = 'exec cannot write it: nothing is entered until exec is started again'
    return [{ state: 'critical', subject: 'exec', problem }]
  }
  const isSame = before.heartbeat.pid === after.heartbeat.pid
  const ageMs = after.heartbeat.timestamp_ms - (lastWriteMs ?? 0)
  const isBehind = (lastWriteMs ?? 0) < before.heartbeat.timestamp_ms
  if (!isSame || counted(after, 'signals') <= counted(before, 'signals')) return []
  if (!isBehind || ageMs < warnMs) return []
  const since = lastWriteMs === undefined ? 'nothing is in it' : `its last row is ${formatAge(ageMs)} old`
  const problem = `exec takes signals, and ${since}: another exec, or another data dir`
  return [{ state: ageMs >= criticalMs ? 'critical' : 'warning', subject: 'exec', problem }]
}

function openToOthers(path: string): CheckProblem[] {
  if ((statSync(path).mode & 0o022) === 0) return []
  return [
    { state: 'warning', subject: 'ledger', problem: `others may change it: chmod go-w ${resolve(path)}` },
  ]
}

function diskOf(dir: string, { freeWarn, freeCritical }: LedgerThresholds) {
  let free: number
  try {
    const { bavail, bsize } = statfsSync(dir)
    free = bavail * bsize
  } catch {
    // What is not there is told by the ledger that is not there.
    return { problems: [], figures: [] }
  }
  const figure: CheckFigure = {
    ...{ name: 'disk_free_bytes', help: 'Room on the disk of the data dir.', labels: {}, unit: '' },
    value: free,
  }
  const isLow = free < freeWarn
  const state = free < freeCritical ? ('critical' as const) : ('warning' as const)
  const problem = `${formatBytes(free)} free on the disk of the data dir: a ledger that cannot be written stops entries`
  return { problems: isLow ? [{ state, subject: 'disk', problem }] : [], figures: [figure] }
}

function figuresOf(look: LedgerLook, nowMs: number, { warnMs, criticalMs }: Thresholds): CheckFigure[] {
  const { open, unhedged, contradictions, lastWriteMs } = look
  const figure = (name: string, help: string, value: number): CheckFigure => ({
    ...{ name, help, labels: {}, unit: name.endsWith('_seconds') ? 's' : '' },
    value: Math.round(value * 1000) / 1000,
  })
  const oldestMs = open.length === 0 ? 0 : Math.max(0, nowMs - (open[0]?.sinceMs ?? nowMs))
  const unknown = open.filter(({ state }) => state === 'unknown').length
  return [
    ...(lastWriteMs === undefined
      ? []
      : [
          figure(
            'last_write_age_seconds',
            'Since its last row, by the clock of exec.',
            Math.max(0, nowMs - lastWriteMs) / 1000,
          ),
        ]),
    figure('open_orders', 'Orders without an outcome.', open.length),
    {
      ...figure('open_order_age_seconds', 'Of the oldest of them.', oldestMs / 1000),
      ...{ warn: warnMs / 1000, critical: criticalMs / 1000 },
    },
    figure('unknown_orders', 'Of these, those that nobody can tell about.', unknown),
    figure('unhedged_plans', 'Plans that left something unhedged or unknown.', unhedged.length),
    figure('contradictions', 'Rows that contradict each other.', contradictions.length),
  ]
}

function someOf(items: readonly string[]): string {
  const named = items.slice(0, MOST_NAMED).join(', ')
  return items.length > MOST_NAMED ? `${named}, and ${items.length - MOST_NAMED} more` : named
}
