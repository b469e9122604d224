/** `npm run faults`: real processes under real faults, and beside each a control that must lose. */

import { parseArgs } from 'node:util'
import { renderTable } from '../../src/lib/view/table.js'
import { Programs } from './actor.js'
import { FAMILIES, allCases } from './catalog.js'
import type { FaultCase } from './fault-case.js'
import { networkRefusal } from './network.js'
import { runCases } from './runner.js'
import { selfTest } from './self-test.js'
import { smallDiskRefusal } from './small-disk.js'
import type { CaseLine, SkippedLine } from './verdict.js'

const HELP = `Usage: npm run faults -- [--only FAMILY] [--case NAME]... [--rounds N] [--json]

Real processes, real Redis, SIGKILL, SIGSTOP, a TCP proxy, network namespaces, a small disk. Beside each case runs its
control, the first design's naive behavior, under the same publisher and fault. A case passes when ours lost, doubled
and reordered nothing, what was sent was really received or is exactly covered by gap records, and a control that must
lose lost or doubled something.

  --only FAMILY   bus, mirror, exec, shard, kalshi or polymarket; all of them when not said
  --case NAME     cases whose name contains NAME; may be repeated
  --rounds N      rounds of each case (1)
  --width N       cases side by side (4)
  --json          one JSON object a line, a line a case
  --list          names of the cases, and whether their control must lose
  --keep          leave the folder of each round, named on stderr
  --self-test     breaks ours, and the control, on purpose: passes when every break is seen

Exit 0 when every case passed, 1 when one failed, 2 for a wrong flag. What this machine forbids is skipped by name.
`

function usage(text: string): never {
  process.stderr.write(`${text}\n\n${HELP}`)
  process.exit(2)
}

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        case: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string', default: '1' },
        width: { type: 'string', default: '4' },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        'self-test': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
}

function count(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) usage(`${flag} is '${text}', not a number from 1 on`)
  return value
}

const flags = readFlags()
if (flags.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
if (flags.only !== undefined && !FAMILIES.some((family) => family === flags.only)) {
  usage(`--only is '${flags.only}', not one of ${FAMILIES.join(', ')}`)
}
const rounds = count('--rounds', flags.rounds)
const width = count('--width', flags.width)
const chosen = allCases().filter(
  ({ name, family }) =>
    (flags.only === undefined || family === flags.only) &&
    (flags.case.length === 0 || flags.case.some((part) => name.includes(part))),
)
if (chosen.length === 0) usage('no case is named so; --list tells all')
if (flags.list) {
  for (const { name, expected } of chosen) process.stdout.write(`${name}  ${expected.control}\n`)
  process.exit(0)
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.stderr.write('faults: ending the rounds that run, then stopping (again to stop at once)\n')
    stopping.abort()
    process.once(signal, () => process.exit(130))
  })
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const started = performance.now()
const programs = new Programs()
process.once('exit', () => programs.remove())

function whySkipped(
  { needs }: FaultCase,
  refusals: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return needs === undefined ? undefined : refusals[needs]
}

function progress(line: CaseLine, total: number, done: number): void {
  const { ok, sent, recovery_ms, control, failures, took_ms } = line
  const verdict = ok ? 'ok  ' : 'FAIL'
  const lost = `control lost ${control.lost}, doubled ${control.duplicated}`
  const recovery = recovery_ms === null ? 'never equal' : `equal in ${recovery_ms} ms`
  say(
    `${verdict} [${done}/${total}] ${line.case}: ${sent} sent, ${recovery}, ${lost} (${(took_ms / 1000).toFixed(1)} s)`,
  )
  for (const failure of failures) say(`       ${failure}`)
}

if (flags['self-test']) {
  process.exit((await selfTest(programs, say)) ? 0 : 1)
}

const needed = new Set(chosen.map(({ needs }) => needs))
const refusals = {
  network: needed.has('network') ? networkRefusal() : undefined,
  'small-disk': needed.has('small-disk') ? smallDiskRefusal() : undefined,
}
const skipped: SkippedLine[] = []
const runnable = chosen.filter((each) => {
  const why = whySkipped(each, refusals)
  if (why !== undefined) skipped.push({ case: each.name, skipped: why })
  return why === undefined
})
for (const line of skipped) {
  say(`skip ${line.case}: ${line.skipped}`)
  if (flags.json) process.stdout.write(`${JSON.stringify(line)}\n`)
}
let done = 0
const lines = await runCases(runnable, {
  programs,
  rounds,
  width,
  keep: flags.keep,
  signal: stopping.signal,
  onLine: (line) => {
    progress(line, runnable.length, ++done)
    if (flags.json) process.stdout.write(`${JSON.stringify(line)}\n`)
  },
})
if (!flags.json) process.stdout.write(`${table(lines)}\n`)
const failed = lines.filter(({ ok }) => !ok)
say(
  `faults: ${lines.length - failed.length} of ${lines.length} cases passed, ${skipped.length} skipped, ` +
    `${((performance.now() - started) / 1000).toFixed(0)} s`,
)
for (const { case: name, failures } of failed) say(`  ${name}: ${failures.join('; ')}`)
process.exit(failed.length > 0 || lines.length < runnable.length ? 1 : 0)

function table(rows: readonly CaseLine[]): string {
  const number = (title: string, value: (line: CaseLine) => number | null) => ({
    title,
    align: 'right' as const,
    value: (line: CaseLine) => String(value(line) ?? '-'),
  })
  const sorted = [...rows].sort((a, b) => a.case.localeCompare(b.case))
  return renderTable(
    sorted,
    [
      { title: 'case', value: (line) => line.case },
      { title: 'verdict', value: ({ ok }) => (ok ? 'ok' : 'FAIL'), tone: ({ ok }) => (ok ? 'good' : 'bad') },
      number('sent', ({ sent }) => sent),
      number('received', ({ received }) => received),
      number('lost', ({ lost }) => lost),
      number('gapped', ({ gapped }) => gapped),
      number('doubled', ({ duplicated }) => duplicated),
      number('disorder', ({ out_of_order }) => out_of_order),
      number('equal ms', ({ recovery_ms }) => recovery_ms),
      { title: 'control', value: ({ control }) => control.expect },
      number('lost', ({ control }) => control.lost),
      number('doubled', ({ control }) => control.duplicated),
    ],
    {
      width: process.stdout.columns ?? Infinity,
      color: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
    },
  )
}
