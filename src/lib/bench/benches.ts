/** The benchmarks by name: each loads what it needs when it runs. */

import type { TableOptions } from '../view/table.js'
import type { HopSummary } from './hop-report.js'
import type { KalshiSummary } from './kalshi-report.js'
import type { MirrorSummary } from './mirror-report.js'
import type { PipelineSummary } from './pipeline-report.js'
import type { PolymarketSummary } from './polymarket-report.js'
import type { RefillSummary } from './refill-report.js'
import type { ShardSummary } from './shard-report.js'
import type { StartupSummary } from './startup-report.js'

export const BENCH_NAMES = [
  'hop',
  'pipeline',
  'mirror',
  'refill',
  'startup',
  'kalshi',
  'polymarket',
  'shard',
] as const
export type BenchName = (typeof BENCH_NAMES)[number]

export type BenchSummary =
  | HopSummary
  | PipelineSummary
  | MirrorSummary
  | RefillSummary
  | StartupSummary
  | KalshiSummary
  | PolymarketSummary
  | ShardSummary

export interface BenchOptions {
  readonly rounds: number
  /** Measured part of a case, ms. */
  readonly forMs: number
  /** In the journal that is read; each benchmark's own number when not said. */
  readonly messages: number | undefined
  /** Publishing processes of `mirror`. */
  readonly publishers: number
  readonly signal: AbortSignal
  /** Progress and warnings. */
  readonly say: (line: string) => void
  /** Of the table for people. */
  readonly table: TableOptions
}

export interface BenchResult {
  readonly summary: BenchSummary
  readonly text: string
}

/** Figures of a summary that a threshold may name; null where they are not known. */
export const FIGURES: Readonly<Record<BenchName, readonly string[]>> = {
  hop: [
    ...['p50_us', 'p99_us', 'cpu_us_per_msg', 'dropped', 'max_rate'],
    ...['ratio_to_libzmq_c', 'ratio_to_redis_pubsub'],
  ],
  pipeline: [
    ...['p50_us', 'p99_us', 'order_p50_us', 'order_p99_us', 'cpu_us_per_msg', 'dropped'],
    ...['ratio_to_redis_pubsub', 'order_ratio_to_redis_pubsub'],
  ],
  mirror: [
    ...['p50_us', 'p99_us', 'cpu_us_per_msg', 'dropped', 'max_rate'],
    ...['catch_up_per_s', 'catch_up_lost', 'catch_up_duplicated'],
  ],
  refill: ['p50_us', 'p99_us', 'dropped', 'p99_ratio_to_no_refill', 'refill_s'],
  startup: ['p50_us', 'max_ratio_to_bare'],
  kalshi: [
    ...['rate', 'p50_us', 'p99_us', 'cpu_us_per_msg', 'dropped', 'ratio_to_json_parse'],
    ...['order_p50_us', 'order_p99_us', 'order_ratio_to_bare_post', 'order_ratio_to_bare_post_ed25519'],
  ],
  polymarket: [
    ...['rate', 'p50_us', 'p99_us', 'cpu_us_per_msg', 'dropped', 'ratio_to_json_parse'],
    ...['hash_us', 'core_share', 'false_alarms_per_1000'],
  ],
  shard: [
    ...['rate', 'p50_us', 'p99_us', 'cpu_us_per_msg', 'dropped', 'ratio_to_json_parse'],
    ...['ratio_to_fewest', 'ratio_to_fewest_quoted'],
  ],
}

/** Throws what the benchmark throws; an aborted one gives what it has. */
export async function runBench(name: BenchName, options: BenchOptions): Promise<BenchResult> {
  const { say, table, messages } = options
  const warn = (warnings: readonly string[]) => warnings.forEach((line) => say(`warning: ${line}`))
  switch (name) {
    case 'hop': {
      const { benchHop } = await import('./hop.js')
      const { hopWarnings, renderHop } = await import('./hop-report.js')
      const summary = await benchHop({ ...options, rates: [1_000, 10_000] })
      warn(hopWarnings(summary))
      return { summary, text: renderHop(summary, table) }
    }
    case 'pipeline': {
      const { benchPipeline } = await import('./pipeline.js')
      const { pipelineWarnings, renderPipeline } = await import('./pipeline-report.js')
      const summary = await benchPipeline({ ...options, rates: [1_000, 10_000] })
      warn(pipelineWarnings(summary))
      return { summary, text: renderPipeline(summary, table) }
    }
    case 'mirror': {
      const { benchMirror } = await import('./mirror.js')
      const { mirrorWarnings, renderMirror } = await import('./mirror-table.js')
      const journaled = messages ?? 300_000
      const summary = await benchMirror({ ...options, journaled, rates: [1_000, 10_000, 50_000] })
      warn(mirrorWarnings(summary))
      return { summary, text: renderMirror(summary, table) }
    }
    case 'refill': {
      const { benchRefill } = await import('./refill.js')
      const { renderRefill } = await import('./refill-report.js')
      const summary = await benchRefill({ ...options, journaled: messages ?? 1_000_000, rate: 1_000 })
      return { summary, text: renderRefill(summary, table) }
    }
    case 'startup': {
      const { benchStartup } = await import('./startup.js')
      const { renderStartup } = await import('./startup-report.js')
      const summary = await benchStartup(options)
      return { summary, text: renderStartup(summary, table) }
    }
    case 'kalshi': {
      const { benchKalshi } = await import('./kalshi.js')
      const { renderKalshi } = await import('./kalshi-report.js')
      const summary = await benchKalshi(options)
      return { summary, text: renderKalshi(summary, table) }
    }
    case 'polymarket': {
      const { benchPolymarket } = await import('./polymarket.js')
      const { renderPolymarket } = await import('./polymarket-report.js')
      const summary = await benchPolymarket(options)
      return { summary, text: renderPolymarket(summary, table) }
    }
    case 'shard': {
      const { benchShard } = await import('./shard.js')
      const { renderShard } = await import('./shard-report.js')
      const summary = await benchShard(options)
      return { summary, text: renderShard(summary, table) }
    }
  }
}
