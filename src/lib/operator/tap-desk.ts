/** Where everything that a tap takes ends up: lines or counts, a file, and the summary. */

import type { Gap } from '../bus/gap.js'
import type { Clock } from '../core/clock.js'
import type { PastMessage } from '../history/past.js'
import { Histogram } from '../telemetry/histogram.js'
import type { LineOutput } from './line-output.js'
import type { TapFormat, TapProblem } from './tap-format.js'
import type { TapItem } from './tap-item.js'
import type { TapRecording } from './tap-recording.js'
import { wantsGap, wantsItem } from './tap-selection.js'
import type { TapSelection } from './tap-selection.js'
import { TapStats } from './tap-stats.js'
import type { TapStatsReport } from './tap-stats.js'

export interface TapDeskOptions {
  readonly selection: TapSelection
  readonly clock: Clock
  readonly format: TapFormat
  readonly output: Pick<LineOutput, 'line' | 'dropped'>
  /** Talk: one line, without its newline. */
  readonly talk: (line: string) => void
  /** Instead of messages: counts each second, and at the end. */
  readonly stats?:
    | {
        /** So many topics. */
        readonly top: number
        readonly show: (report: TapStatsReport) => void
      }
    | undefined
  readonly recording?: TapRecording | undefined
}

export interface TapSummary {
  readonly messages: number
  /** From the first message to the last; 0 when there are fewer than two. */
  readonly ratePerSecond: number
  readonly gaps: number
  /** Messages inside gaps whose two ends are known. */
  readonly missing: number
  readonly duplicates: number
  /** Lines that nobody took in time. */
  readonly dropped: number
  /** In the file; undefined where there is none. */
  readonly recorded: number | undefined
  /** Messages that the disk was too slow for. */
  readonly unrecorded: number
  /** Refused input by `kind:reason`, duplicates not among them. */
  readonly problems: Readonly<Record<string, number>>
  readonly ageP50Us: number | undefined
  readonly ageP99Us: number | undefined
}

/** Problems of one kind, reason and origin are told so often; then they are counted. */
const TOLD_PROBLEMS = 3
const STATS_MS = 1_000

export class TapDesk {
  private readonly ages = new Histogram()
  private readonly problems = new Map<string, number>()
  private readonly told = new Map<string, number>()
  private readonly stats: TapStats | undefined
  private readonly timer: NodeJS.Timeout | undefined
  private messages = 0
  private gaps = 0
  private missing = 0
  private duplicates = 0
  private firstUs = 0
  private lastUs = 0

  constructor(private readonly options: TapDeskOptions) {
    const { stats, clock } = options
    if (stats === undefined) return
    this.stats = new TapStats(stats.top, clock.monoUs())
    this.timer = setInterval(() => this.showStats(false), STATS_MS)
  }

  wants(item: TapItem): boolean {
    return wantsItem(this.options.selection, item)
  }

  /** Shows what is wanted; `message` is what goes into the file. */
  show(item: TapItem, message?: PastMessage): void {
    const { clock, output, format, recording } = this.options
    const nowUs = clock.monoUs()
    if (this.messages === 0) this.firstUs = nowUs
    this.lastUs = nowUs
    this.messages++
    if (item.ageUs !== undefined) this.ages.record(item.ageUs)
    if (message !== undefined) recording?.add(message)
    if (this.stats === undefined) output.line(() => format.item(item))
    else this.stats.item(item)
  }

  /** Says whether it concerns what is wanted. */
  gap(gap: Gap): boolean {
    const { clock, output, format, recording, selection } = this.options
    if (!wantsGap(selection, gap)) return false
    this.gaps++
    if (gap.to !== null) this.missing += gap.to - gap.from + 1
    this.stats?.gap(gap)
    recording?.add({ kind: 'gap', gap, afterMs: -Infinity, timestampMs: clock.nowMs() })
    output.line(() => format.gap(gap))
    return true
  }

  /** `origin` tells apart who causes it. */
  problem(problem: TapProblem, origin = ''): void {
    const { kind, reason } = problem
    if (kind === 'duplicate') this.duplicates++
    else {
      const name = kind === reason ? kind : `${kind}:${reason}`
      this.problems.set(name, (this.problems.get(name) ?? 0) + 1)
    }
    const key = `${kind} ${reason} ${origin}`
    const told = (this.told.get(key) ?? 0) + 1
    this.told.set(key, told)
    if (told > TOLD_PROBLEMS) return
    this.options.talk(this.options.format.problem(problem, told === TOLD_PROBLEMS))
  }

  /** What else a silence may come from. */
  hints(): string[] {
    const unseen = [...(this.options.selection.where?.unseen ?? [])]
    return unseen.length === 0 ? [] : [`--where: no message so far has a field ${unseen.join(', ')}`]
  }

  /** The last counts; then none any more. */
  close(): void {
    clearInterval(this.timer)
    this.showStats(true)
  }

  summary(): TapSummary {
    const { output, recording } = this.options
    const spanUs = this.lastUs - this.firstUs
    const age = (percent: number) => (this.ages.count === 0 ? undefined : this.ages.percentile(percent))
    return {
      messages: this.messages,
      ratePerSecond: spanUs > 0 ? ((this.messages - 1) * 1e6) / spanUs : 0,
      gaps: this.gaps,
      missing: this.missing,
      duplicates: this.duplicates,
      dropped: output.dropped,
      recorded: recording?.messages,
      unrecorded: recording?.dropped ?? 0,
      problems: Object.fromEntries(this.problems),
      ageP50Us: age(50),
      ageP99Us: age(99),
    }
  }

  private showStats(isLast: boolean): void {
    const { stats, clock } = this.options
    const report = this.stats?.report(clock.monoUs(), { isLast })
    if (report !== undefined) stats?.show(report)
  }
}
