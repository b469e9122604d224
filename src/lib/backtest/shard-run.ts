/** Shards decide again, each in the order and by the clock that it wrote down. */

import { inputsDir } from '../bus/journal/paths.js'
import type { LoadedSettings } from '../core/config.js'
import { codeOf } from '../core/errors.js'
import { inputsSource } from '../messages/sources.js'
import { findJournals } from '../operator/journal-folders.js'
import { decideAgain } from '../roles/shard-rerun.js'
import type { Rerun } from '../roles/shard-rerun.js'
import { diffOfShards } from './diff.js'
import { Observer } from './observer.js'
import { paceOf } from './options.js'
import type { BacktestOptions } from './options.js'
import type { BacktestRun, ShardRead } from './report.js'
import type { TrialResult } from './trial.js'

/** Those whose inputs are on this disk. */
export function shardsWithInputs(settings: LoadedSettings['settings']): number[] {
  try {
    return findJournals(inputsDir(settings, '.'))
      .flatMap(({ source }) => {
        const index = Number(/^shard-(\d+)\./.exec(source)?.[1] ?? NaN)
        return source === inputsSource(index) ? [index] : []
      })
      .sort((a, b) => a - b)
  } catch (error) {
    if (codeOf(error) === 'NO_JOURNAL') return []
    throw error
  }
}

/** Throws `NO_INPUTS` (usage). */
export async function decideAsShards(
  shards: readonly number[],
  options: BacktestOptions,
  results: readonly TrialResult[],
): Promise<BacktestRun> {
  const { loaded, epoch, maxSizeE2, signal, onProgress } = options
  const reruns: Rerun[] = []
  for (const shard of shards) {
    const observer = new Observer(results, maxSizeE2)
    const rerun = await decideAgain({
      ...{ settings: loaded.settings, shard, epoch, watch: observer, signal },
      pace: paceOf(options),
      onProgress: (done, total) => onProgress({ kind: 'turns', done, total }),
    })
    observer.end()
    reruns.push(rerun)
    if (signal.aborted) break
  }
  return {
    order: 'as decided',
    read: reruns.map(({ report }) => readOf(report)),
    firstMs: least(reruns.map(({ firstMs }) => firstMs)),
    lastMs: greatest(reruns.map(({ lastMs }) => lastMs)),
    signals: reruns.flatMap(({ decided }) => decided),
    diff: diffOfShards(reruns),
  }
}

const readOf = (report: Rerun['report']): ShardRead => ({
  shard: report.shard,
  epoch: report.epoch,
  turns: report.turns,
  inputs: report.inputs,
  turns_before: report.turns_before,
  turns_missing: report.turns_missing,
  messages_missing: report.messages_missing,
  clock_differs: report.clock_differs,
  signals_on_disk: report.signals_on_disk,
})

const known = (times: readonly (number | undefined)[]): number[] => times.filter((ms) => ms !== undefined)
const least = (times: readonly (number | undefined)[]): number | undefined =>
  known(times).sort((a, b) => a - b)[0]
const greatest = (times: readonly (number | undefined)[]): number | undefined =>
  known(times).sort((a, b) => b - a)[0]
