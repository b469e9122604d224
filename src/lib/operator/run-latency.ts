/** `arbees latency` from its options to its report: what is measured, and what is printed on the way. */

import type { BusKeys } from '../bus/curve.js'
import { systemClock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import type { Env } from '../model/venue.js'
import { allEndpoints, replayEndpoint } from '../roles/wiring.js'
import { LiveScreen, canRedraw } from '../view/live-screen.js'
import type { Terminal } from '../view/live-screen.js'
import { parseThreshold } from './latency-assert.js'
import { measureMonotonicError } from './latency-clock.js'
import type { MonotonicError } from './latency-clock.js'
import { readEarlier } from './latency-compare.js'
import { LOOP_GAUGES, publisherEchoes, redisEcho, tcpEcho } from './latency-echoes.js'
import { figuresOf } from './latency-figures.js'
import { LIVE_HOPS, PROBE_HOPS } from './latency-hops.js'
import type { Hop } from './latency-hops.js'
import { CSV_HEAD, HistoryTable, csvLines, intervalJson } from './latency-lines.js'
import { runProbe } from './latency-probe.js'
import type { Ticks } from './latency-probe.js'
import type { Interval } from './latency-recorder.js'
import { reportOf } from './latency-report.js'
import type { LatencyReport, Machine } from './latency-report.js'
import type { Grouping } from './latency-totals.js'
import { renderInterval, renderLatency } from './latency-view.js'
import { reads, runLatency } from './latency.js'
import type { LatencyRun } from './latency.js'
import { readPrefixes, replayOf } from './prefixes.js'
import type { BoundOptions } from './stream-bounds.js'

export interface RunLatencyOptions extends BoundOptions {
  readonly settings: Settings
  readonly keys: BusKeys | undefined
  readonly prefixes: readonly string[]
  /** Undefined: hops on live traffic, who answers when asked. */
  readonly grouping: Grouping | undefined
  readonly probe: boolean
  readonly vsRedis: boolean
  readonly baseline: boolean
  readonly format: 'text' | 'json' | 'csv'
  readonly history: boolean
  readonly intervalMs: number
  readonly dist: boolean
  readonly asserts: readonly string[]
  readonly compare: string | undefined
  readonly machine: Machine
  readonly ticks: Ticks
  readonly color: boolean
  readonly terminal: Terminal
  readonly talk: (line: string) => void
}

/** Intervals that the screen shows. */
const TREND_LENGTH = 60
/** Lines of a history under one head. */
const LINES_PER_HEAD = 20

/**
 * Measures until a bound is reached, prints (but for the report as JSON), and returns the report. Throws `BAD_ASSERT`,
 * `BAD_COMPARE`, `BAD_INTERVAL`, `BAD_PREFIX` (usage) before it begins, and with `vsRedis` what `connectRedis` throws.
 */
export async function measureLatency(options: RunLatencyOptions): Promise<LatencyReport> {
  const { settings, machine, dist } = options
  assertInterval(options.intervalMs)
  const thresholds = options.asserts.map(parseThreshold)
  const earlier = options.compare === undefined ? undefined : readEarlier(options.compare)
  const isProbe = options.probe || options.vsRedis || options.baseline
  const { prefixes, notes } = readPrefixes(options.prefixes)
  notes.forEach(options.talk)
  const run = replayOf(prefixes)
  const env: Env = run === undefined ? settings.env : 'replay'
  const monotonic = await measureMonotonicError()
  const mode = isProbe ? 'probe' : 'live'
  const report = (found: LatencyRun) =>
    reportOf(found, { mode, env, prefixes, monotonic, machine, dist, thresholds, earlier })
  const printer = new Printer(options, isProbe ? PROBE_HOPS : LIVE_HOPS, monotonic)
  const shared = {
    ...options,
    clock: systemClock,
    onInterval: (each: Interval) => printer.interval(each),
    talk: (line: string) => printer.talk(line),
  }
  const lifecycle = new Lifecycle()
  try {
    const endpoints = run === undefined ? allEndpoints(settings) : [replayEndpoint(settings, run)]
    const found = isProbe
      ? await runProbe({
          ...shared,
          grouping: options.grouping ?? 'role',
          gauges: options.baseline ? LOOP_GAUGES : [],
          echoes: [
            ...(options.probe || options.vsRedis
              ? publisherEchoes(
                  endpoints.filter(({ sources }) => sources.some((source) => reads(prefixes, source))),
                  options.keys,
                  lifecycle,
                )
              : []),
            ...(options.vsRedis ? [await redisEcho(settings.redis_url, lifecycle)] : []),
            ...(options.baseline ? [await tcpEcho(lifecycle)] : []),
          ],
        })
      : await runLatency({
          ...shared,
          endpoints,
          prefixes,
          env,
          grouping: options.grouping ?? 'hop',
          redisUrl: run === undefined ? settings.redis_url : undefined,
        })
    const result = report(found)
    printer.end(result)
    return result
  } finally {
    printer.close()
    await lifecycle.close()
  }
}

/** Shorter ones would measure themselves. */
const LEAST_INTERVAL_MS = 20
const MOST_INTERVAL_MS = 24 * 3_600_000

function assertInterval(ms: number): void {
  if (ms >= LEAST_INTERVAL_MS && ms <= MOST_INTERVAL_MS) return
  throw new ArbeesError('BAD_INTERVAL', `not an interval of figures: ${ms} ms`, {
    exit: EXIT.USAGE,
    hint: `write --interval with ${LEAST_INTERVAL_MS}ms or more, 24h at most`,
  })
}

/** What a run ends with, for the shell: nothing received, a threshold missed, or all well. */
export function exitOfLatency({ messages, asserts }: LatencyReport): number {
  if (messages === 0) return EXIT.TIMEOUT
  return asserts.every(({ holds }) => holds) ? EXIT.OK : EXIT.UNHEALTHY
}

class Printer {
  private readonly screen: LiveScreen | undefined
  private readonly history: HistoryTable | undefined
  private readonly trend = new Map<Hop, (number | null)[]>()
  private lines = 0

  constructor(
    private readonly options: RunLatencyOptions,
    private readonly hops: readonly Hop[],
    private readonly monotonic: MonotonicError,
  ) {
    const { format, history, terminal } = options
    const isText = format === 'text'
    this.history = isText && history ? new HistoryTable(this.width, hops) : undefined
    this.screen =
      isText && !history && canRedraw(terminal) ? new LiveScreen(terminal, process.stdin) : undefined
    this.screen?.update(hops === LIVE_HOPS ? 'listening …' : 'asking …')
    if (format === 'csv') this.out(CSV_HEAD)
  }

  /** A line for people, above the figures where these are redrawn. */
  talk(line: string): void {
    if (this.screen?.active === true) this.screen.print(line)
    else this.options.talk(line)
  }

  interval(interval: Interval): void {
    const { format, history, terminal } = this.options
    this.follow(interval)
    if (this.screen !== undefined) {
      const figures = interval.rows.map((row) => figuresOf(row, this.monotonic, []))
      return this.screen.update(
        renderInterval(
          interval,
          this.hops === LIVE_HOPS ? 'message' : 'answer',
          figures,
          this.trend,
          this.table,
        ),
      )
    }
    // Not read meanwhile: each says from when to when it is, and the end has all of it.
    if (!history || terminal.writableNeedDrain === true) return
    if (this.history !== undefined) {
      if (this.lines++ % LINES_PER_HEAD === 0) this.out(this.history.head())
      this.out(this.history.line(interval))
    } else if (format === 'csv') {
      const figures = interval.rows.map((row) => figuresOf(row, this.monotonic, []))
      csvLines(interval.fromMs, interval.toMs, figures).forEach((line) => this.out(line))
    } else {
      this.out(intervalJson(interval, this.monotonic))
    }
  }

  /** The whole run. */
  end(report: LatencyReport): void {
    this.close()
    switch (this.options.format) {
      case 'json':
        return
      case 'csv':
        return csvLines(report.from_ms, report.to_ms, [...report.hops, ...report.receive]).forEach((line) =>
          this.out(line),
        )
      case 'text':
        if (this.lines > 0) this.out('')
        return this.out(renderLatency(report, this.trend, this.table))
    }
  }

  close(): void {
    if (this.screen === undefined) return
    this.screen.update('')
    this.screen.close()
  }

  private get table() {
    return { width: this.width, color: this.options.color }
  }

  private get width(): number {
    const { isTTY, columns } = this.options.terminal
    return isTTY === true && columns !== undefined && columns > 0 ? columns : Infinity
  }

  private out(line: string): void {
    this.options.terminal.write(`${line}\n`)
  }

  private follow({ rows }: Interval): void {
    for (const hop of this.hops) {
      const row = rows.find((each) => each.hop === hop)
      const trend = this.trend.get(hop) ?? []
      if (row === undefined && trend.length === 0) continue
      trend.push(row === undefined ? null : row.histogram.percentile(50))
      this.trend.set(hop, trend.slice(-TREND_LENGTH))
    }
  }
}
