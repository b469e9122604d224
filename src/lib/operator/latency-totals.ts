/** Histograms by hop, by what tells them apart, and by the clock that was read. */

import { Histogram } from '../telemetry/histogram.js'
import { publisherOf } from './check-mirror-report.js'
import { HOPS } from './latency-hops.js'
import type { Hop, Reading, Sample } from './latency-hops.js'

export const GROUPINGS = ['hop', 'topic', 'role'] as const
export type Grouping = (typeof GROUPINGS)[number]

export interface HopRow {
  readonly hop: Hop
  /** The topic or the role; null where only hops are told apart. */
  readonly by: string | null
  readonly clock: Reading['clock']
  /** Of a wall clock reading: the two hosts. */
  readonly from: string | null
  readonly to: string | null
  readonly histogram: Histogram
  /** Samples below zero, which count as 0: one clock is behind the other. */
  readonly belowZero: number
}

/** Topics beyond so many are one row. */
const MAX_GROUPS = 500
export const OTHER_TOPICS = '(others)'

export class HopTotals {
  private readonly rowsByKey = new Map<string, { row: Omit<HopRow, 'belowZero'>; belowZero: number }>()
  private readonly groups = new Set<string>()

  constructor(private readonly grouping: Grouping) {}

  record({ hop, reading, source, topic }: Sample): void {
    const by = this.groupOf(source, topic)
    const { us, clock } = reading
    const [from, to] = clock === 'wall' ? [reading.from, reading.to] : [null, null]
    const key = `${hop} ${clock} ${by ?? ''} ${from ?? ''} ${to ?? ''}`
    let found = this.rowsByKey.get(key)
    if (found === undefined) {
      found = { row: { hop, by, clock, from, to, histogram: new Histogram() }, belowZero: 0 }
      this.rowsByKey.set(key, found)
    }
    found.row.histogram.record(us)
    if (us < 0) found.belowZero++
  }

  /** In the order of the way; of one hop the busiest first. */
  rows(): HopRow[] {
    return [...this.rowsByKey.values()]
      .map(({ row, belowZero }) => ({ ...row, belowZero }))
      .sort((a, b) => HOPS.indexOf(a.hop) - HOPS.indexOf(b.hop) || b.histogram.count - a.histogram.count)
  }

  private groupOf(source: string, topic: string): string | null {
    if (this.grouping === 'hop') return null
    if (this.grouping === 'role') return publisherOf(source)
    const group = groupOfTopic(topic)
    if (!this.groups.has(group)) {
      if (this.groups.size >= MAX_GROUPS) return OTHER_TOPICS
      this.groups.add(group)
    }
    return group
  }
}

const NAMED_BY_ID = /^((?:replay\.[^.]+\.)?(?:signals|orders|trades)\.[^.]+\.)./

/** A signal or an order has a topic of its own: they are taken together. */
const groupOfTopic = (topic: string): string => NAMED_BY_ID.exec(topic)?.[1] ?? topic
