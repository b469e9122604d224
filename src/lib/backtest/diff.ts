/** Signals decided again beside those that are recorded. Pure. */

import type { Rerun } from '../roles/shard-rerun.js'
import { compareSignals, isSameSignals } from '../roles/signal-comparison.js'
import type { SignalText } from '../roles/signal-comparison.js'
import type { BacktestDiff } from './report.js'
import { differencesOf } from './signal-differences.js'

/** Differing payloads that are shown field by field. */
const MAX_SHOWN = 3

/** Of all shards, as each compared its own. */
export function diffOfShards(reruns: readonly Rerun[]): BacktestDiff {
  const reports = reruns.map(({ report }) => report)
  const sum = (of: (report: Rerun['report']) => number) => reports.reduce((all, each) => all + of(each), 0)
  const different = reports.flatMap((each) => each.different)
  return {
    compared: 'payload bytes',
    recorded: sum((each) => each.published),
    same: sum((each) => each.same),
    different,
    unpublished: reports.flatMap((each) => each.unpublished),
    unpublished_tail: sum((each) => each.unpublished_tail),
    unexplained: reports.flatMap((each) => each.unexplained),
    fields: fieldsOf(
      different,
      reruns.flatMap(({ published }) => published),
      reruns.flatMap(({ decided }) => decided),
    ),
    clean: reports.every(({ ok }) => ok),
  }
}

/** By their ids: several shards wrote them side by side. */
export function diffMerged(published: readonly SignalText[], decided: readonly SignalText[]): BacktestDiff {
  const [before, after] = [published, decided].map((signals) =>
    signals.map(withoutAges).sort((a, b) => (a.id < b.id ? -1 : 1)),
  ) as [SignalText[], SignalText[]]
  const recordedIds = new Set(before.map(({ id }) => id))
  const comparison = compareSignals(
    before,
    after.filter(({ id }) => recordedIds.has(id)),
    { isWhole: true, due: after.length },
  )
  const { same, different, unexplained } = comparison
  const unpublished = decided.flatMap(({ id }) => (recordedIds.has(id) ? [] : [id]))
  return {
    compared: 'payloads without ages',
    recorded: published.length,
    same,
    different,
    unpublished,
    unpublished_tail: 0,
    unexplained,
    fields: fieldsOf(different, before, after),
    clean: isSameSignals({ different, unpublished, unexplained }),
  }
}

const withoutAges = ({ id, text }: SignalText): SignalText => ({
  id,
  text: text.replace(/"age_us":\d+/g, '"age_us":0'),
})

function fieldsOf(
  ids: readonly string[],
  published: readonly SignalText[],
  decided: readonly SignalText[],
): BacktestDiff['fields'] {
  const textOf = (signals: readonly SignalText[], id: string) => signals.find((each) => each.id === id)?.text
  return ids.slice(0, MAX_SHOWN).map((id) => ({
    id,
    fields: differencesOf(textOf(published, id) ?? '{}', textOf(decided, id) ?? '{}'),
  }))
}
