/**
 * `arbees backtest`: what was recorded, decided again by the same code, and what would have come of it. From the
 * shards' journals of inputs where they are, else merged by time.
 */

import { createHash } from 'node:crypto'
import { sizeToWire } from '../model/price.js'
import { decideMerged } from './merged-run.js'
import type { BacktestOptions } from './options.js'
import { NOT_KNOWN, assumptionsOf, captureRows, opportunityRows } from './report.js'
import type { BacktestReport, BacktestRun } from './report.js'
import { decideAsShards, shardsWithInputs } from './shard-run.js'
import { emptyResult } from './trial.js'
import type { TrialResult } from './trial.js'

export interface Backtest {
  readonly report: BacktestReport
  /** The payloads of the signals as they are sent, without the seal, in the order in which they were decided. */
  readonly payloads: readonly string[]
}

/** Throws `NO_INPUTS`, and what the origin throws. */
export async function backtest(options: BacktestOptions): Promise<Backtest> {
  const { latenciesMs, minEdgesMicros, maxSizeE2, signal } = options
  const results = minEdgesMicros.map((minEdgeMicros) => emptyResult(minEdgeMicros, latenciesMs))
  const decided = await decide(options, results)
  const { order, read, firstMs, lastMs, signals, diff } = decided
  const partial = signal.aborted
  const payloads = signals.map(({ text }) => text)
  const sha256 = createHash('sha256')
  for (const text of payloads) sha256.update(`${text}\n`)
  const report: BacktestReport = {
    order,
    partial,
    read,
    first_ms: firstMs ?? null,
    last_ms: lastMs ?? null,
    max_size: maxSizeE2 === undefined ? null : sizeToWire(maxSizeE2),
    signals: { decided: payloads.length, sha256: sha256.digest('hex') },
    // Of a part nobody knows what it lacks.
    diff: options.diff && !partial ? diff : null,
    opportunities: opportunityRows(results),
    capture: captureRows(results),
    assumed: assumptionsOf(order),
    not_known: NOT_KNOWN,
  }
  return { report, payloads }
}

async function decide(options: BacktestOptions, results: readonly TrialResult[]): Promise<BacktestRun> {
  const { loaded, from, shard, talk } = options
  const { settings } = loaded
  if (from !== undefined) return decideMerged(from, options, results)
  const shards = shard === undefined ? shardsWithInputs(settings) : [shard]
  if (shards.length > 0) return decideAsShards(shards, options, results)
  talk(`no inputs of a shard are in ${settings.data_dir}: what the journals hold is merged by time`)
  return decideMerged({ kind: 'journal', names: [] }, options, results)
}
