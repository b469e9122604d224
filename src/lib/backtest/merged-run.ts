/** What was recorded, merged by time and decided on. */

import { setImmediate } from 'node:timers/promises'
import { signalsPayload } from '../messages/convert.js'
import type { Refusal } from '../messages/codec.js'
import { PastTally } from '../operator/past-tally.js'
import { openOrigin } from '../operator/run-replay.js'
import { strategySettings } from '../roles/shard.js'
import type { SignalText } from '../roles/signal-comparison.js'
import { formatCount, plural } from '../view/units.js'
import { Channels } from './channels.js'
import { diffMerged } from './diff.js'
import { MergedInputs } from './merged-inputs.js'
import { Observer } from './observer.js'
import { paceOf } from './options.js'
import type { BacktestOptions, MergedOrigin } from './options.js'
import { isWholeRead } from './report.js'
import type { BacktestRun, MergedRead } from './report.js'
import type { TrialResult } from './trial.js'

/** Throws what the origin throws. */
export async function decideMerged(
  from: MergedOrigin,
  options: BacktestOptions,
  results: readonly TrialResult[],
): Promise<BacktestRun> {
  const { loaded, shard, maxSizeE2, signal, onProgress, talk } = options
  const { settings } = loaded
  const tally = new PastTally()
  const channels = new Channels()
  let refused = 0
  const onRefused = (refusal: Refusal) => {
    refused++
    options.onRefused(refusal)
  }
  const [decided, published]: [SignalText[], SignalText[]] = [[], []]
  const observer = new Observer(results, maxSizeE2)
  const inputs = new MergedInputs({
    ...{ env: settings.env, strategy: strategySettings(settings), shard, watch: observer, onRefused },
    onDecided: (one) => decided.push({ id: one.id, text: JSON.stringify(signalsPayload(one)) }),
    onPublished: ({ payload: { hmac: _, ...payload } }) =>
      published.push({ id: payload.id, text: JSON.stringify(payload) }),
  })
  const past = openOrigin({ ...from, follow: false }, loaded, { onProblem: onRefused, talk })
  const pace = paceOf(options)
  pages: for await (const page of past(signal)) {
    for (const item of page) {
      await pace?.(item.timestampMs)
      if (signal.aborted) break pages
      tally.note(item)
      channels.note(item)
      inputs.take(item)
    }
    onProgress({ kind: 'messages', tally })
    await setImmediate()
  }
  inputs.end()
  observer.end()
  const { messages, gaps, missing, firstMs, lastMs } = tally
  const { read: heard, absent } = channels
  const read: MergedRead = { messages, gaps, missing, refused, channels: heard, absent }
  const isWhole = isWholeRead(read)
  if (!isWhole)
    talk(
      `not all there: ${[...absent.map((source) => `nothing of ${source}`), plural(gaps, 'gap'), `${formatCount(refused)} left out`].join(', ')}`,
    )
  const diff = diffMerged(published, decided)
  return {
    order: 'merged by time',
    read,
    firstMs,
    lastMs,
    signals: decided,
    diff: { ...diff, clean: diff.clean && isWhole },
  }
}
