/** From calls to the figures of an order at Kalshi: percentiles, and ratios to the bare POST by the same key. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { percentileOf } from './percentiles.js'

/** What signs: the venue hands out both. */
export const KALSHI_KEYS = ['rsa-2048', 'ed25519'] as const
export type KalshiKey = (typeof KALSHI_KEYS)[number]

const CALLS = ['bare POST', 'bare POST, signed', 'order'] as const
/** Of an order: its text made ready for the ledger, and from then until its bytes are handed to the socket. */
const PARTS = ['order, its text', 'order, to its bytes', 'signature alone'] as const
const WAYS = [...CALLS, ...PARTS] as const
type Way = (typeof WAYS)[number]

export interface KalshiOrderCase {
  readonly bench: 'kalshi'
  readonly case: Way
  readonly key: KalshiKey
  readonly n: number
  readonly p50_us: number
  readonly p99_us: number
  /** Median over the bare POST's; null for what is a part of a call. */
  readonly ratio_to_bare_post: number | null
}

/** Of the key that every account can have, RSA-2048; null when nothing was measured. */
export interface KalshiOrderFigures {
  readonly order_p50_us: number | null
  readonly order_p99_us: number | null
  readonly order_ratio_to_bare_post: number | null
  /** The same with the newer kind of key. */
  readonly order_ratio_to_bare_post_ed25519: number | null
  readonly cases: readonly KalshiOrderCase[]
}

export class OrderSamples {
  private readonly tookUs = new Map<string, number[]>()

  add(key: KalshiKey, way: Way, ms: number): void {
    const name = `${key} ${way}`
    const list = this.tookUs.get(name)
    if (list === undefined) this.tookUs.set(name, [ms * 1_000])
    else list.push(ms * 1_000)
  }

  of(key: KalshiKey, way: Way): Float64Array {
    return Float64Array.from(this.tookUs.get(`${key} ${way}`) ?? [])
  }
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
const isCall = (way: Way): boolean => CALLS.some((call) => call === way)

export function summarizeOrders(samples: OrderSamples): KalshiOrderFigures {
  const cases = KALSHI_KEYS.flatMap((key) => {
    const bareUs = percentileOf(samples.of(key, 'bare POST'), 50)
    return WAYS.flatMap((way): KalshiOrderCase[] => {
      const tookUs = samples.of(key, way)
      if (tookUs.length === 0 || bareUs === 0) return []
      const p50Us = percentileOf(tookUs, 50)
      return [
        {
          bench: 'kalshi',
          case: way,
          key,
          n: tookUs.length,
          p50_us: round(p50Us),
          p99_us: round(percentileOf(tookUs, 99)),
          ratio_to_bare_post: isCall(way) ? round(p50Us / bareUs, 2) : null,
        },
      ]
    })
  })
  const orderBy = (key: KalshiKey) => cases.find((each) => each.case === 'order' && each.key === key)
  const rsa = orderBy('rsa-2048')
  return {
    order_p50_us: rsa?.p50_us ?? null,
    order_p99_us: rsa?.p99_us ?? null,
    order_ratio_to_bare_post: rsa?.ratio_to_bare_post ?? null,
    order_ratio_to_bare_post_ed25519: orderBy('ed25519')?.ratio_to_bare_post ?? null,
    cases,
  }
}

export function renderOrders(cases: readonly KalshiOrderCase[], options: TableOptions): string[] {
  if (cases.length === 0) return []
  return [
    '',
    renderTable(cases, COLUMNS, options),
    '',
    'us from the prepared body to the outcome, at the simulated venue in a process',
    'of its own, which verifies, charges and matches in each case; a bare POST is',
    'signed before its clock runs.',
  ]
}

const COLUMNS: readonly Column<KalshiOrderCase>[] = [
  { title: 'case', value: (each) => each.case },
  { title: 'key', value: (each) => each.key },
  { title: 'p50', align: 'right', value: (each) => String(each.p50_us), tone: () => 'strong' },
  { title: 'p99', align: 'right', value: (each) => String(each.p99_us) },
  {
    title: 'of bare POST',
    align: 'right',
    value: (each) => String(each.ratio_to_bare_post ?? '-'),
    tone: () => 'strong',
  },
  { title: 'n', align: 'right', value: (each) => String(each.n), dropOrder: 1 },
]
