/** How much of what a tap sees: by source, and by topic where that is asked for. */

import type { Gap } from '../bus/gap.js'
import { familyOfSource } from '../messages/sources.js'
import type { TapItem } from './tap-item.js'

export interface SourceStats {
  readonly source: string
  readonly family: string
  /** Since the start. */
  readonly messages: number
  readonly bytes: number
  readonly gaps: number
  /** Inside gaps whose two ends are known. */
  readonly missing: number
  readonly perSecond: number
  readonly bytesPerSecond: number
}

export interface TopicStats {
  readonly topic: string
  readonly messages: number
  readonly perSecond: number
  readonly bytesPerSecond: number
}

export interface TapStatsReport {
  /** Since the start, our monotonic clock. */
  readonly elapsedMs: number
  /** What the rates are of: the time since the report before, of the last one all of it. */
  readonly intervalMs: number
  readonly messages: number
  readonly bytes: number
  readonly perSecond: number
  readonly bytesPerSecond: number
  readonly gaps: number
  readonly missing: number
  /** By family, then by name. */
  readonly sources: readonly SourceStats[]
  /** Topics that were seen, as far as they are remembered. */
  readonly topics: number
  /** The busiest first. */
  readonly busiest: readonly TopicStats[]
}

/** One that counts, and what it had at the report before. */
class Count {
  messages = 0
  bytes = 0
  private before = { messages: 0, bytes: 0 }

  add(bytes: number): void {
    this.messages++
    this.bytes += bytes
  }

  /** Totals and rates; the next ones begin here. */
  take(seconds: number, ofAll: boolean) {
    const { messages, bytes } = this
    const before = ofAll ? { messages: 0, bytes: 0 } : this.before
    this.before = { messages, bytes }
    const perSecond = (now: number, then: number) => (seconds > 0 ? (now - then) / seconds : 0)
    return {
      messages,
      bytes,
      perSecond: perSecond(messages, before.messages),
      bytesPerSecond: perSecond(bytes, before.bytes),
    }
  }
}

interface SourceCount {
  readonly family: string
  readonly count: Count
  gaps: number
  missing: number
}

/** A stranger may make up topics: what is beyond these is counted by its source alone. */
const MAX_TOPICS = 20_000

export class TapStats {
  private readonly all = new Count()
  private readonly sources = new Map<string, SourceCount>()
  private readonly topics = new Map<string, Count>()
  private lastUs: number

  /** `top` topics are reported. */
  constructor(
    private readonly top: number,
    private readonly startUs: number,
  ) {
    this.lastUs = startUs
  }

  item({ topic, source, seq, text }: TapItem): void {
    const bytes = Buffer.byteLength(text)
    this.all.add(bytes)
    const family = seq === undefined ? topic.slice(0, topic.indexOf('.')) : familyOfSource(source)
    this.of(source, family).count.add(bytes)
    if (this.top === 0) return
    const known = this.topics.get(topic)
    if (known === undefined && this.topics.size >= MAX_TOPICS) return
    const count = known ?? new Count()
    if (known === undefined) this.topics.set(topic, count)
    count.add(bytes)
  }

  gap({ source, from, to }: Gap): void {
    const of = this.of(source, familyOfSource(source))
    of.gaps++
    if (to !== null) of.missing += to - from + 1
  }

  /** The next report's rates begin here; the last one's are of all the time. */
  report(nowUs: number, { isLast = false } = {}): TapStatsReport {
    const intervalMs = (nowUs - (isLast ? this.startUs : this.lastUs)) / 1000
    const seconds = intervalMs / 1000
    this.lastUs = nowUs
    const sources = [...this.sources]
      .map(([source, { family, count, gaps, missing }]) => ({
        source,
        family,
        ...count.take(seconds, isLast),
        gaps,
        missing,
      }))
      .sort((a, b) => compare(a.family, b.family) || compare(a.source, b.source))
    const busiest = [...this.topics]
      .map(([topic, count]) => ({ topic, ...count.take(seconds, isLast) }))
      .sort((a, b) => b.perSecond - a.perSecond || b.messages - a.messages || compare(a.topic, b.topic))
      .slice(0, this.top)
    const sum = (of: (source: SourceStats) => number) => sources.reduce((total, each) => total + of(each), 0)
    return {
      elapsedMs: (nowUs - this.startUs) / 1000,
      intervalMs,
      ...this.all.take(seconds, isLast),
      gaps: sum(({ gaps }) => gaps),
      missing: sum(({ missing }) => missing),
      sources,
      topics: this.topics.size,
      busiest,
    }
  }

  private of(source: string, family: string): SourceCount {
    const known = this.sources.get(source)
    if (known !== undefined) return known
    const made = { family, count: new Count(), gaps: 0, missing: 0 }
    this.sources.set(source, made)
    return made
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
