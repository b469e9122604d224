/**
 * `npm run backtest-hour`: an hour of simulated time, traded live, then decided again from its journals: twice on one
 * core, at full speed and at a pace. Every signal must have the same bytes each time, and those that were published.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sleep } from '../../src/lib/core/backoff.js'
import type { BacktestReport } from '../../src/lib/backtest/report.js'
import type { UpSummary } from '../../src/lib/roles/up-summary.js'
import { BINARY, createPlace, launch } from '../e2e/launch.js'
import { changePrice } from './change-price.js'

const HELP = `usage: npm run backtest-hour -- [--minutes N] [--speed N] [--seed N] [--pace N]

  --minutes N   of simulated time (60)
  --speed N     simulated minutes a minute (10)
  --seed N      which simulated evening (1)
  --pace N      the paced run decides so many times as fast as the shard did (10)

Exit 0 when all payloads are the same, a diff beside what was published is clean, and one beside a journal with one
price changed is not; 1 otherwise. One line of JSON says what was found. Where there is no taskset, "pinned" is null.
`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    speed: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    pace: { type: 'string', default: '10' },
    help: { type: 'boolean', short: 'h' },
  },
})
const [minutes, speed, seed, pace] = [values.minutes, values.speed, values.seed, values.pace].map(Number)
const isUsable = [minutes, speed, pace].every((value) => value! > 0) && Number.isInteger(seed)
if (values.help === true || !isUsable) {
  process.stdout.write(HELP)
  process.exit(values.help === true ? 0 : 2)
}

const INTEGRITY = 8
const say = (text: string): void => void process.stderr.write(`backtest-hour: ${text}\n`)
const scratch = mkdtempSync(join(tmpdir(), 'arbees-backtest-hour-'))
const place = await createPlace()
const NO_FILE = { ARBEES_CONFIG: '' }

/** The folder of a run whose state was kept, and what it says of itself. */
async function tradeLive(): Promise<{ readonly dir: string; readonly summary: UpSummary }> {
  const forS = Math.ceil((minutes! * 60) / speed!)
  const environment = { ...place.environment, ...NO_FILE, ARBEES_JOURNAL__RETAIN: '4GiB' }
  const args = ['--for', `${forS}s`, '--speed', String(speed), '--seed', String(seed), '--keep', '--json']
  const run = launch(['up', ...args], environment)
  let isOver = false
  const ended = run.ended.finally(() => (isOver = true))
  for (let passedS = 0; !isOver; passedS += 30) {
    if (passedS > 0) say(`live for ${passedS} s of ${forS}`)
    await Promise.race([ended, sleep(30_000)])
  }
  if ((await ended) !== 0) throw new Error(`up failed:\n${run.stderr()}`)
  const sim = join(place.dir, 'sim')
  const [name = ''] = readdirSync(sim)
  const last = run.stdout().trimEnd().split('\n').at(-1) ?? ''
  return { dir: join(sim, name), summary: (JSON.parse(last) as { summary: UpSummary }).summary }
}

interface Found {
  readonly code: number | string | null
  readonly ms: number
  /** Of the file of payloads, byte by byte. */
  readonly sha256: string
  readonly report: BacktestReport
}

let runs = 0
async function decideAgain(dataDir: string, args: readonly string[] = [], isPinned = false): Promise<Found> {
  const out = join(scratch, `signals-${++runs}.jsonl`)
  const words = ['backtest', '--data-dir', dataDir, '--env', 'sim', '--diff', '--out', out, ...args]
  const startedMs = performance.now()
  const run = isPinned
    ? launch(words, NO_FILE, undefined, ['taskset', '-c', '0', process.execPath, BINARY])
    : launch(words, NO_FILE)
  const code = await run.ended
  const ms = Math.round(performance.now() - startedMs)
  if (run.stdout() === '') throw new Error(`backtest ${args.join(' ')} said nothing:\n${run.stderr()}`)
  const sha256 = createHash('sha256').update(readFileSync(out)).digest('hex')
  return { code, ms, sha256, report: JSON.parse(run.stdout()) as BacktestReport }
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const bytesBelow = (dir: string): number =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)

async function run(): Promise<boolean> {
  say(`${minutes} min of simulated time at speed ${speed}`)
  const { dir, summary } = await tradeLive()
  const { quotes, signals, orders, fills, gaps } = summary
  say(`${quotes} quotes, ${signals} signals live; decided again`)
  const isPinnable = hasTaskset()
  const max = await decideAgain(dir, ['--speed', 'max'])
  const again = [await decideAgain(dir, [], isPinnable), await decideAgain(dir, [], isPinnable)]
  say(`at pace ${pace}`)
  const paced = await decideAgain(dir, ['--speed', String(pace)])
  const rerun = launch(['journal', 'rerun', '--data-dir', dir, '--env', 'sim'], NO_FILE)
  const rerunCode = await rerun.ended

  const control = join(scratch, 'control')
  cpSync(join(dir, 'journal'), join(control, 'journal'), { recursive: true })
  cpSync(join(dir, 'inputs'), join(control, 'inputs'), { recursive: true })
  const changed = changePrice({ data_dir: control, env: 'sim' }, 0)
  say(`control: ${changed}`)
  const wrong = await decideAgain(control)

  const all = [max, ...again, paced]
  const isSame = all.every(({ sha256, code }) => sha256 === max.sha256 && code === 0)
  const isRed = wrong.code === INTEGRITY && wrong.sha256 !== max.sha256
  const { diff, read } = max.report
  const isAll = signals === diff?.recorded && diff.recorded > 0
  const ok = isSame && isRed && isAll && rerunCode === 0
  const figures = {
    ...{ ok, minutes, speed, seed, quotes, signals, orders, fills, gaps },
    journal_bytes: bytesBelow(join(dir, 'journal')) + bytesBelow(join(dir, 'inputs')),
    read,
    ...{
      decided: max.report.signals.decided,
      recorded: diff?.recorded,
      same: diff?.same,
      clean: diff?.clean,
    },
    sha256: [...new Set(all.map(({ sha256 }) => sha256))],
    max_ms: max.ms,
    pinned: isPinnable ? again.map(({ ms }) => ms) : null,
    ...{ paced_ms: paced.ms, pace, journal_rerun_exit: rerunCode },
    control: {
      ...{ changed, exit: wrong.code, same: wrong.report.diff?.same },
      different: wrong.report.diff?.different.length,
      unexplained: wrong.report.diff?.unexplained.length,
      unpublished: wrong.report.diff?.unpublished.length,
      fields: wrong.report.diff?.fields[0],
    },
    opportunities: max.report.opportunities
      .filter(({ league }) => league === null)
      .map(({ survival: _, ...row }) => row),
    capture: max.report.capture.filter(({ league }) => league === null),
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
  return ok
}

let isGood = false
try {
  isGood = await run()
} finally {
  rmSync(scratch, { recursive: true, force: true })
  place.remove()
}
process.exit(isGood ? 0 : 1)
