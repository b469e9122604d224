/** `npm run simulate -- [--runs N] [--from N] [--seed N] [--rules] [--json]`: the bus in a simulated world, by seeds. */

import { parseArgs } from 'node:util'
import { OURS } from '../simulation/parts.js'
import { RULES, withoutRule } from '../simulation/rules.js'
import { runSeed } from '../simulation/run.js'

const USAGE = `usage: npm run simulate -- [--runs N] [--from SEED] [--json]
       npm run simulate -- --seed N [--without RULE]
       npm run simulate -- --rules [--runs N] [--from SEED] [--json]
  Runs publisher, readers, mirrors and store in simulated time and chaos, N times (default 10,000), each from a seed of
  its own; then everything is healed, and what the bus promises must be so.
  --seed N   runs one seed and tells everything that happens in it
  --rules    switches off one rule of the bus after the other: each must break within N runs (default 1,000)
  rules: ${Object.keys(RULES).join('; ')}`

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    rules: { type: 'boolean', default: false },
    without: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs ?? (values.rules ? 1_000 : 10_000))
const from = Number(values.from)
const parts = values.without === undefined ? OURS : RULES[values.without]
const numbers = [runs, from, Number(values.seed ?? 0)]
if (values.help || parts === undefined || !numbers.every((number) => Number.isSafeInteger(number))) {
  process.stderr.write(`${USAGE}\n`)
  process.exit(values.help ? 0 : 2)
}

const say = (text: string) => process.stdout.write(`${text}\n`)

async function replay(seed: number): Promise<boolean> {
  const found = await runSeed(seed, parts, say)
  say(
    found === undefined
      ? `seed ${seed}: the promise was kept`
      : `seed ${seed}: ${found.what}: ${found.detail}`,
  )
  return found === undefined
}

async function simulate(): Promise<boolean> {
  const startedMs = performance.now()
  let toldMs = startedMs
  let counterexamples = 0
  for (let seed = from; seed < from + runs; seed++) {
    const found = await runSeed(seed, parts)
    if (found !== undefined) {
      counterexamples++
      if (values.json) say(JSON.stringify({ counterexample: found }))
      else say(`✗ seed ${seed}: ${found.what}: ${found.detail}\n  repeat with --seed ${seed}`)
    }
    if (performance.now() - toldMs > 5_000) {
      toldMs = performance.now()
      process.stderr.write(`${seed - from + 1} of ${runs} runs, ${counterexamples} counterexamples\n`)
    }
  }
  const seconds = (performance.now() - startedMs) / 1000
  const summary = {
    runs,
    from,
    counterexamples,
    seconds: Math.round(seconds * 10) / 10,
    runs_per_s: Math.round(runs / seconds),
  }
  say(
    values.json
      ? JSON.stringify({ summary })
      : `${runs} runs from seed ${from}: ${counterexamples} counterexamples, ${summary.seconds} s, ${summary.runs_per_s} runs/s`,
  )
  return counterexamples === 0
}

async function showRules(): Promise<boolean> {
  let seen = true
  if (!values.json) say(`${'switched off'.padEnd(28)} ${'run'.padStart(5)}  what broke`)
  for (const name of Object.keys(RULES)) {
    const { rule, failingRun, counterexample } = await withoutRule(name, from, runs)
    seen &&= failingRun !== null
    const run = failingRun === null ? '-' : String(failingRun)
    if (values.json) say(JSON.stringify({ rule, failing_run: failingRun, counterexample }))
    else
      say(
        `${rule.padEnd(28)} ${run.padStart(5)}  ${counterexample === undefined ? `nothing within ${runs} runs` : `${counterexample.what}: ${counterexample.detail}`}`,
      )
  }
  return seen
}

const run = values.rules ? showRules : simulate
const isGood = await (values.seed === undefined ? run() : replay(Number(values.seed)))
process.exit(isGood ? 0 : 1)
