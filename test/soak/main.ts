/** `npm run soak`: faults at random for as long as you like, and whether anything was lost, doubled, or grew. */

import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseDurationMs } from '../../src/lib/core/duration.js'
import { messageOf } from '../../src/lib/core/errors.js'
import { Prng } from '../../src/lib/sim/prng.js'
import { Programs } from '../faults/actor.js'
import { addTallies, NOTHING } from '../faults/tally.js'
import type { Tally } from '../faults/tally.js'
import { canSample, growthOf, sampleOf } from './growth.js'
import type { Growth, Sample, Trend } from './growth.js'
import { Lane } from './lane.js'
import { LookOut } from './look.js'
import { Trouble } from './trouble.js'

const USAGE = `usage: npm run soak -- [--for 60m] [--seed N] [--json]

Two publishers, readers, mirrors and Redis servers under load, and trouble at random: SIGKILL, SIGSTOP, wires that are
cut, mute or slow, Redis killed, stopped or emptied, bursts, a second mirror. Every 30 s or so all of it heals, and what
was published is compared with what arrived and with what Redis holds. One process of each kind is never killed: its
memory (RSS) and its file descriptors are followed, and a line is put through them by least squares.

  --for DURATION  how long (60m)
  --seed N        draws the same faults again; the moment at which one strikes is the machine's
  --json          one JSON object a line: each look, then {"summary":{...}}

Exit 0 when nothing was lost, doubled, out of order or in a gap record and nothing grew; 1 when something was, 2 for a
wrong flag. A process has grown when its line rises, within the time that was measured, by more than 10 % of its mean
and 8 MB (2 descriptors), twice the standard error of that rise aside: a long run sees less. What is measured begins
after a quarter of the run, 5 minutes at most.`

const PER_SECOND = 400
/** Between two looks. */
const TROUBLE_MS = 30_000
const SAMPLE_MS = 500
const PATIENCE_MS = 60_000
const LEAST_MS = 60_000
const MOST_WARM_UP_MS = 300_000

const say = (text: string): void => void process.stderr.write(`${text}\n`)

function usage(why: string): never {
  say(`${why}\n\n${USAGE}`)
  process.exit(2)
}

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        for: { type: 'string', default: '60m' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const [forMs, seed] = [parseDurationMs(values.for), Number(values.seed)]
    if (!Number.isSafeInteger(seed)) usage(`--seed is '${values.seed}', not a whole number`)
    if (forMs < LEAST_MS)
      usage(`--for is '${values.for}', less than a minute: nothing could be said of growth`)
    return { ...values, forMs, seed }
  } catch (error) {
    return usage(messageOf(error))
  }
}

const { forMs, seed, json, help } = readFlags()
if (help) {
  process.stdout.write(`${USAGE}\n`)
  process.exit(0)
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('soak: healing, then the verdict (again to stop at once)')
    stopping.abort()
    process.once(signal, () => process.exit(130))
  })
}
const programs = new Programs()
const dir = mkdtempSync(join(tmpdir(), 'arbees-soak-'))
process.once('exit', () => {
  programs.remove()
  rmSync(dir, { recursive: true, force: true })
})
const laneAt = (index: number) => {
  const laneDir = join(dir, String(index))
  mkdirSync(laneDir)
  // Whoever lives long meets whoever dies: a publisher sees readers go, a reader and a mirror see epochs change.
  const mortal = { publisher: index === 0, mirror: index === 1 }
  const readers = index === 0 ? [false, true] : [true]
  return Lane.set({ programs, dir: laneDir, index, mortal, readers })
}
const lanes = [await laneAt(0), await laneAt(1)]
const failures: string[] = []
const samples = new Map<string, Sample[]>()
const startMs = performance.now()
const warmUpMs = Math.min(forMs / 4, MOST_WARM_UP_MS)
let sampler: NodeJS.Timeout | undefined
let total: Tally = NOTHING
let published = 0
let slowestMs = 0
try {
  const dice = new Prng(seed, 'soak')
  const trouble = new Trouble(lanes, dice)
  say(`soak: seed ${seed}, ${lanes.length} publishers at ${PER_SECOND}/s each`)
  await Promise.all(lanes.map((lane) => lane.begin()))
  const lookOuts = lanes.map((lane) => new LookOut(lane))
  await look(lookOuts, trouble)
  if (canSample()) sampler = setInterval(sample, SAMPLE_MS)
  else say('soak: no /proc here, so memory and descriptors are not followed')
  while (!stopping.signal.aborted && performance.now() - startMs < forMs) {
    for (const lane of lanes) lane.rate(PER_SECOND)
    await trouble.make(Math.min(TROUBLE_MS, forMs - (performance.now() - startMs)), stopping.signal)
    await look(lookOuts, trouble)
  }
  failures.push(
    ...trouble.problems,
    ...lanes.flatMap(({ actors }) => actors.flatMap((each) => each.accidents)),
  )
  conclude(trouble)
} catch (error) {
  say(`soak: ${messageOf(error)}`)
  process.exitCode = 1
} finally {
  clearInterval(sampler)
  await Promise.all(lanes.map((lane) => lane.close()))
}
process.exit()

function sample(): void {
  const atMs = performance.now() - startMs
  if (atMs < warmUpMs) return
  for (const lane of lanes) {
    for (const actor of lane.actors) {
      if (lane.mortals.includes(actor) || actor.pid === undefined) continue
      const found = sampleOf(actor.pid, atMs)
      if (found !== undefined) samples.set(actor.name, [...(samples.get(actor.name) ?? []), found])
    }
  }
}

/** All rest, all have healed: what has arrived by now is what there is. */
async function look(lookOuts: readonly LookOut[], trouble: Trouble): Promise<void> {
  for (const lane of lanes) lane.rate(0)
  const beganMs = performance.now()
  const there = await Promise.all(lanes.map((lane) => lane.caughtUp(PATIENCE_MS)))
  const tookMs = Math.round(performance.now() - beganMs)
  slowestMs = Math.max(slowestMs, tookMs)
  const found = await Promise.all(lookOuts.map((each) => each.look()))
  const wrong = found.flatMap((each) => each.failures)
  for (const [index, lane] of lanes.entries()) {
    if (!there[index]) wrong.push(`${lane.name} had not caught up after ${PATIENCE_MS} ms`)
  }
  failures.push(...wrong)
  total = [total, ...found.map(({ ours }) => ours)].reduce(addTallies)
  published += found.reduce((sum, each) => sum + each.published, 0)
  const atS = Math.round((performance.now() - startMs) / 1000)
  const faults = Object.values(trouble.counts).reduce((sum, count) => sum + count, 0)
  const { lost, duplicated, outOfOrder } = total
  say(
    `${atS} s: ${published} published, ${faults} faults, caught up in ${tookMs} ms; ` +
      `lost ${lost}, doubled ${duplicated}, out of order ${outOfOrder}`,
  )
  for (const text of wrong) say(`  ${text}`)
  if (json) tell({ look: { at_s: atS, published, faults, caught_up_ms: tookMs, failures: wrong } })
}

function conclude({ counts }: Trouble): void {
  const growths = [...samples].map(([name, own]) => growthOf(name, own))
  failures.push(...growths.flatMap((growth) => growth.failures))
  if (canSample() && growths.length === 0) failures.push('ended before the growth of anything was followed')
  const { received, lost, gapped, duplicated, outOfOrder } = total
  if (published === 0 || received === 0) failures.push('nothing was published or nothing received')
  const summary = {
    ok: failures.length === 0,
    seed,
    seconds: Math.round((performance.now() - startMs) / 1000),
    published,
    received,
    lost,
    gapped,
    duplicated,
    out_of_order: outOfOrder,
    slowest_catch_up_ms: slowestMs,
    faults: counts,
    growth: growths.map(growthLine),
    failures,
  }
  if (json) tell({ summary })
  else {
    for (const growth of summary.growth) {
      const { process: name, rss_mb: rss, descriptors: open } = growth
      say(`${name}: ${rss.mean} MB, ${rss.per_hour} MB/h; ${open.mean} descriptors, ${open.per_hour}/h`)
    }
    const struck = Object.entries(counts).map(([kind, count]) => `${kind} ${count}`)
    say(`${published} published, ${received} received by all readers and mirrors; ${struck.join(', ')}`)
    say(summary.ok ? 'soak: nothing lost, nothing doubled, nothing grew' : `soak: ${failures.join('\n  ')}`)
  }
  process.exitCode = summary.ok ? 0 : 1
}

function growthLine({ process: name, samples: count, rssMegabytes, descriptors }: Growth) {
  const round = ({ mean, perHour, grown, doubt }: Trend) => ({
    mean: tenths(mean),
    per_hour: tenths(perHour),
    grown: tenths(grown),
    doubt: tenths(doubt),
  })
  return { process: name, samples: count, rss_mb: round(rssMegabytes), descriptors: round(descriptors) }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
