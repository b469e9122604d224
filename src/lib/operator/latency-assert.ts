/** Thresholds as operators write them: `p99<1ms`, `monitor_shard.p99<=250us`, `decision.n>100`. */

import { ArbeesError, EXIT } from '../core/errors.js'
import type { HopFigures } from './latency-figures.js'
import { HOPS } from './latency-hops.js'
import type { Hop } from './latency-hops.js'

const METRICS = {
  min: 'min_us',
  p50: 'p50_us',
  p90: 'p90_us',
  p99: 'p99_us',
  'p99.9': 'p999_us',
  max: 'max_us',
  n: 'n',
} as const
type Metric = keyof typeof METRICS
const HOLDS = {
  '<': (found: number, wanted: number) => found < wanted,
  '<=': (found: number, wanted: number) => found <= wanted,
  '>': (found: number, wanted: number) => found > wanted,
  '>=': (found: number, wanted: number) => found >= wanted,
} as const
type Operator = keyof typeof HOLDS

export interface Threshold {
  readonly expression: string
  /** Undefined: every hop between stamps of one host, but for what this command itself adds. */
  readonly hop: Hop | undefined
  readonly metric: Metric
  readonly operator: Operator
  /** Microseconds; of `n` a count. */
  readonly limit: number
}

export interface Verdict {
  readonly expression: string
  readonly holds: boolean
  /** The worst that was found, us (of `n` a count), and where; null when nothing was measured. */
  readonly found: number | null
  readonly hop: Hop | null
}

const EXPRESSION =
  /^(?:([a-z_]+)\.)?(min|p50|p90|p99\.9|p99|max|n)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)(us|ms|s)?$/
const UNIT_US = { us: 1, ms: 1_000, s: 1_000_000 } as const

/** Throws `BAD_ASSERT` (usage). */
export function parseThreshold(text: string): Threshold {
  const match = EXPRESSION.exec(text.trim())
  const [, hopName, metric, operator, amount, unit] = match ?? []
  const hop = HOPS.find((name) => name === hopName)
  const wrong =
    match === null
      ? `not a threshold: '${text}'`
      : hopName !== undefined && hop === undefined
        ? `no hop is named '${hopName}': '${text}'`
        : (metric === 'n') !== (unit === undefined)
          ? `${metric === 'n' ? 'a count has no unit' : 'a time needs a unit'}: '${text}'`
          : undefined
  if (wrong !== undefined || metric === undefined || operator === undefined) {
    throw new ArbeesError('BAD_ASSERT', wrong ?? text, {
      exit: EXIT.USAGE,
      hint: `write [hop.]metric<value, as p99<1ms or monitor_shard.p99.9<=250us; metrics: ${Object.keys(METRICS).join(', ')}; hops: ${HOPS.join(', ')}`,
    })
  }
  const factor = unit === undefined ? 1 : UNIT_US[unit as keyof typeof UNIT_US]
  return {
    expression: text.trim(),
    hop,
    metric: metric as Metric,
    operator: operator as Operator,
    limit: Number(amount) * factor,
  }
}

/** What a threshold without a hop is about: neither this command's own part, nor a clock that is not the host's. */
const isOfTheBus = ({ hop, clock }: HopFigures): boolean =>
  clock === 'monotonic' && hop !== 'receive' && hop !== 'mirror_lag'

/** What was not measured does not hold. */
export function judgeThreshold(
  { expression, hop, metric, operator, limit }: Threshold,
  rows: readonly HopFigures[],
): Verdict {
  const judged = rows.filter((row) => (hop === undefined ? isOfTheBus(row) : row.hop === hop))
  const isUpper = operator.startsWith('<')
  const worst = judged.reduce<HopFigures | undefined>((found, row) => {
    if (found === undefined) return row
    const [a, b] = [found[METRICS[metric]], row[METRICS[metric]]]
    return (isUpper ? b > a : b < a) ? row : found
  }, undefined)
  if (worst === undefined) return { expression, holds: false, found: null, hop: null }
  const found = worst[METRICS[metric]]
  return { expression, holds: HOLDS[operator](found, limit), found, hop: worst.hop }
}
