/** An earlier run, from its `--json`, beside this one. */

import { readFileSync } from 'node:fs'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'

export interface EarlierFigures {
  readonly hop: string
  readonly by: string | null
  readonly clock: string
  readonly p50_us: number
  readonly p99_us: number
  readonly n: number
}

/** Of hops that both runs have; ratios are now over then, null where then is 0. */
export interface Comparison {
  readonly hop: string
  readonly by: string | null
  readonly clock: string
  readonly before: Pick<EarlierFigures, 'p50_us' | 'p99_us' | 'n'>
  readonly now: Pick<EarlierFigures, 'p50_us' | 'p99_us' | 'n'>
  readonly p50_ratio: number | null
  readonly p99_ratio: number | null
}

/** The hops of a report in a file, its last line if there are several. Throws `BAD_COMPARE` (usage). */
export function readEarlier(path: string): EarlierFigures[] {
  let found: unknown
  try {
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    found = JSON.parse(lines.at(-1) ?? '')
  } catch (error) {
    throw badCompare(`cannot compare with ${path}: ${messageOf(error)}`)
  }
  const hops = isObject(found) ? found['hops'] : undefined
  if (!Array.isArray(hops) || hops.length === 0 || !hops.every(isEarlier)) {
    throw badCompare(`cannot compare with ${path}: it holds no hops of an earlier run`)
  }
  return hops
}

export function compareFigures(
  earlier: readonly EarlierFigures[],
  now: readonly EarlierFigures[],
): Comparison[] {
  return now.flatMap((row) => {
    const { hop, by, clock } = row
    const before = earlier.find((each) => each.hop === hop && each.by === by && each.clock === clock)
    if (before === undefined) return []
    return {
      hop,
      by,
      clock,
      before: essenceOf(before),
      now: essenceOf(row),
      p50_ratio: ratio(row.p50_us, before.p50_us),
      p99_ratio: ratio(row.p99_us, before.p99_us),
    }
  })
}

const essenceOf = ({ p50_us, p99_us, n }: EarlierFigures) => ({ p50_us, p99_us, n })

const ratio = (now: number, before: number): number | null =>
  before === 0 ? null : Number((now / before).toFixed(3))

const badCompare = (message: string): ArbeesError =>
  new ArbeesError('BAD_COMPARE', message, {
    exit: EXIT.USAGE,
    hint: 'keep a run with: arbees latency --for 10s --json > before.json',
  })

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isEarlier(value: unknown): value is EarlierFigures {
  if (!isObject(value)) return false
  const { hop, by, clock, p50_us, p99_us, n } = value
  return (
    typeof hop === 'string' &&
    (by === null || typeof by === 'string') &&
    typeof clock === 'string' &&
    [p50_us, p99_us, n].every((figure) => typeof figure === 'number' && figure >= 0)
  )
}
