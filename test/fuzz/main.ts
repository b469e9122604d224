/** `npm run fuzz -- [--runs N] [--seed N] [--only NAME] [--json]`: mutated frames at every socket. */

import { parseArgs } from 'node:util'
import { TARGETS, fuzz } from './run.js'

const USAGE = `usage: npm run fuzz -- [--runs N] [--seed N] [--only NAME] [--json]
  Sends N mutated frames or sessions (default 100,000: some five minutes) to every socket of the bus. Nothing
  may throw; where a socket counts what it gets, its counts must add up and hold each kind of refusal that is
  tried; and each must take a right message afterwards.
  targets: ${TARGETS.map(({ name }) => name).join(', ')}`

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed)
const targets = TARGETS.filter(({ name }) => values.only === undefined || name.includes(values.only))
if (
  values.help ||
  !Number.isSafeInteger(runs) ||
  runs < 1 ||
  !Number.isSafeInteger(seed) ||
  targets.length === 0
) {
  process.stderr.write(`${USAGE}\n`)
  process.exit(values.help ? 0 : 2)
}

let toldMs = 0
const reports = await fuzz(targets, runs, seed, ({ name }, done, of) => {
  if (Date.now() - toldMs < 2_000) return
  toldMs = Date.now()
  process.stderr.write(`${name}: ${done} of ${of}\n`)
})
for (const report of reports) {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`)
    continue
  }
  const { target, unit, sent, expected, counted, seen, faults, ms } = report
  const claim = expected === undefined ? '' : `, ${Math.ceil(expected.atLeast)} to be counted`
  const verdict = faults.join(', ') || 'all well'
  process.stdout.write(
    `${faults.length === 0 ? '✓' : '✗'} ${target}: ${sent} ${unit} in ${ms} ms${claim}: ${verdict}\n`,
  )
  for (const [who, counts] of [
    ['counted', counted],
    ['seen', seen],
  ] as const) {
    for (const [outcome, count] of Object.entries(counts).sort(([, a], [, b]) => b - a)) {
      process.stdout.write(`    ${String(count).padStart(9)} ${who.padEnd(7)} ${outcome}\n`)
    }
  }
}
if (reports.some(({ faults }) => faults.length > 0)) {
  process.stderr.write(`repeat with --seed ${seed}\n`)
  process.exit(1)
}
process.exit(0)
