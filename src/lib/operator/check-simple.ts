/** The checks that need one look: Redis, a role, the halt, the clocks. */

import { existsSync } from 'node:fs'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { haltPath, latchPath, readLatch } from '../execution/halt-files.js'
import { connectRedis } from '../redis/connection.js'
import { modeOfEnv } from '../roles/exec-gateways.js'
import type { Counts } from '../messages/heartbeat.js'
import { totalOf } from '../telemetry/counters.js'
import { plural } from '../view/units.js'
import { BeatListener, LISTEN_MS, publisherNowMs } from './beat-listener.js'
import { assertOrdered } from './check-channel.js'
import type { Thresholds } from './check-channel.js'
import { worstOf } from './check-report.js'
import type { CheckFigure, CheckProblem, CheckReport } from './check-report.js'
import { checkRedisServer } from './doctor-redis.js'
import { readStatus } from './status.js'

const REDIS_TIMEOUT_MS = 1_500

function report(
  check: string,
  problems: readonly CheckProblem[],
  fine: string,
  { figures = [], notes = [], unreachable = false }: Partial<CheckReport> = {},
): CheckReport {
  const [first] = [...problems].sort((a, b) => rank(a) - rank(b))
  const others = problems.length > 1 ? `, and ${plural(problems.length - 1, 'other problem')}` : ''
  const summary = first === undefined ? fine : `${first.problem}${others}`
  return { check, state: worstOf(problems), summary, problems, notes, figures, unreachable }
}

const rank = ({ state }: CheckProblem): number => (state === 'critical' ? 0 : 1)

/** That Redis answers, takes writes, and is set so that it keeps them. */
export async function checkRedis(settings: Settings): Promise<CheckReport> {
  const checks = await checkRedisServer(settings)
  const problems = checks.flatMap(({ name, state, found }): CheckProblem[] =>
    state === 'failed' || state === 'warning'
      ? [{ state: state === 'failed' ? 'critical' : 'warning', subject: name, problem: found }]
      : [],
  )
  // Only one that answers is asked more than whether it does.
  const unreachable = checks.length === 1
  return report('redis', problems, checks[0]?.found ?? '', { unreachable })
}

/** That a role beats, its feeds live, and nothing that should stay 0 was counted. Throws `UNKNOWN_ROLE` (usage). */
export async function checkRole(settings: Settings, clock: Clock, role: string): Promise<CheckReport> {
  const { roles, problems } = await readStatus({ settings, clock })
  const found = roles.find((each) => each.role === role)
  if (found === undefined) {
    throw new ArbeesError('UNKNOWN_ROLE', `no role '${role}' in this deployment`, {
      exit: EXIT.USAGE,
      hint: `one of ${roles.map((each) => each.role).join(', ')}`,
    })
  }
  // With nothing at all running, status says so in one problem.
  const own = problems.filter((each) => each.role === role || each.role === 'arbees')
  const figures: CheckFigure[] =
    found.heartbeat_age_ms === null
      ? []
      : [
          {
            ...{ name: 'heartbeat_age_seconds', help: 'Since its last heartbeat.', unit: 's' },
            ...{ labels: { role }, value: found.heartbeat_age_ms / 1000 },
          },
        ]
  return report(
    'role',
    own.map(({ problem }) => ({ state: 'critical', subject: role, problem })),
    `${role} is up, pid ${found.pid}`,
    { figures },
  )
}

/** Whether trading is halted, or stands still: what exec says of itself, else what stands in its data dir. */
export async function checkHalt(settings: Settings, clock: Clock): Promise<CheckReport> {
  const bus = new BeatListener(settings, clock)
  let level: number | undefined
  const problems: CheckProblem[] = []
  try {
    await sleep(LISTEN_MS)
    const counts = bus.beats.get('exec')?.heartbeat.counts
    level = counts === undefined ? undefined : totalOf(counts, 'halted')
    if (counts !== undefined) problems.push(...notEntering(counts))
  } finally {
    bus.close()
  }
  const latch = readLatch(latchPath(settings.data_dir, settings.env, modeOfEnv(settings.env)))
  level ??= latch === undefined ? undefined : latch.level === 'all' ? 2 : 1
  // Whoever starts is halted by it.
  if (level === undefined && existsSync(haltPath(settings.data_dir))) level = 1
  const why = latch === undefined ? '' : ` by ${latch.by}: ${latch.reason}`
  if (level === undefined) {
    const unknown = 'exec is not heard, and has left no halt in the data dir here'
    return { ...report('halt', [], unknown), state: 'unknown' }
  }
  const figures: CheckFigure[] = [
    {
      name: 'halted',
      help: '0 trades, 1 enters nothing, 2 sends nothing.',
      labels: {},
      value: level,
      unit: '',
    },
  ]
  if (level > 0) {
    problems.unshift({
      state: level === 1 ? 'warning' : 'critical',
      subject: 'exec',
      problem: `halted (${level === 1 ? 'entries' : 'all'})${why}`,
    })
  }
  return report('halt', problems, 'not halted', { figures })
}

/** What keeps exec from entering anything, beside a halt. */
function notEntering(counts: Counts): CheckProblem[] {
  const problems: CheckProblem[] = []
  if (totalOf(counts, 'ledger_failed') > 0) {
    const problem = 'its ledger cannot be written: nothing is entered until exec is started again'
    problems.push({ state: 'critical', subject: 'exec', problem })
  }
  if (totalOf(counts, 'recovering') > 0) {
    const problem = 'it still asks what became of the orders of its last life: nothing is entered until then'
    problems.push({ state: 'warning', subject: 'exec', problem })
  }
  return problems
}

/** How far the wall clocks of Redis and of each publisher are from ours. */
export async function checkClock(
  settings: Settings,
  clock: Clock,
  { warnMs, criticalMs }: Thresholds,
): Promise<CheckReport> {
  assertOrdered({ warnMs, criticalMs })
  const skews = new Map<string, number>()
  const bus = new BeatListener(settings, clock)
  try {
    await sleep(LISTEN_MS)
    const [nowUs, nowMs] = [clock.monoUs(), clock.nowMs()]
    for (const [publisher, heard] of bus.beats) skews.set(publisher, publisherNowMs(heard, nowUs) - nowMs)
  } finally {
    bus.close()
  }
  const notes: string[] = []
  const redis = await redisSkewMs(settings, clock)
  if (typeof redis === 'number') skews.set('redis', redis)
  else notes.push(redis)
  const figures = [...skews].map(([of, ms]): CheckFigure => ({
    ...{ name: 'clock_skew_seconds', help: 'Their wall clock less ours.', unit: 's', labels: { of } },
    ...{ value: Math.round(ms) / 1000, warn: warnMs / 1000, critical: criticalMs / 1000 },
  }))
  const problems = [...skews].flatMap(([subject, ms]): CheckProblem[] => {
    const off = Math.abs(ms)
    if (off < warnMs) return []
    const problem = `the clock of ${subject} is ${Math.round(ms)} ms from ours`
    return [{ state: off < criticalMs ? 'warning' : 'critical', subject, problem }]
  })
  if (skews.size === 0) {
    return {
      ...report('clock', [], 'nobody has told a time', { notes, unreachable: true }),
      state: 'unknown',
    }
  }
  const worst = Math.round(Math.max(...[...skews.values()].map(Math.abs)))
  return report('clock', problems, `${plural(skews.size, 'clock')} within ${worst} ms of ours`, {
    figures,
    notes,
  })
}

/** The server's time, at the middle of the question; words where there is none. */
async function redisSkewMs(settings: Settings, clock: Clock): Promise<number | string> {
  try {
    const link = await connectRedis(settings.redis_url, 'arbees-check', REDIS_TIMEOUT_MS)
    try {
      const beforeMs = clock.nowMs()
      const [seconds = 0, micros = 0] = (await link.redis.time()).map(Number)
      return seconds * 1000 + micros / 1000 - (beforeMs + clock.nowMs()) / 2
    } finally {
      link.close()
    }
  } catch (error) {
    return `Redis tells no time: ${error instanceof Error ? error.message : String(error)}`
  }
}
