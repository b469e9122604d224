/** A shard's decisions, made again, for people. */

import type { RerunReport } from '../roles/shard-rerun.js'
import { createPalette } from '../view/palette.js'
import { formatCount, plural } from '../view/units.js'

/** Signals that are named of each kind. */
const MAX_NAMED = 5

/** Lines without a newline at the end. */
export function renderRerun(report: RerunReport, color: boolean): string {
  const palette = createPalette(color)
  const { shard, epoch, turns, inputs, decided, published, same, ok } = report
  const bad = faultsOf(report).map((text) => `  ${palette.bad(text)}`)
  const tail = report.unpublished_tail
  const lines = [
    `${palette.strong(`shard ${shard}`)}, inputs of epoch ${epoch}: ${plural(inputs, 'input')} in ${plural(turns, 'turn')}`,
    `  ${formatCount(published)} signals published, ${formatCount(decided)} decided again, ${formatCount(same)} the same`,
    ...(tail === 0
      ? []
      : [palette.dim(`  the last ${formatCount(tail)} decided were not published any more`)]),
    ...bad,
  ]
  return [...lines, ok ? palette.good('the same signals, byte for byte') : palette.bad('not the same')].join(
    '\n',
  )
}

function faultsOf(report: RerunReport): string[] {
  const { different, unpublished, unexplained, turns_before: before, turns_missing: missing } = report
  const gone = Object.entries(report.messages_missing)
  return [
    ...(before === 0 ? [] : [`the first ${plural(before, 'turn')} are not on disk any more`]),
    ...(missing === 0 ? [] : [`${plural(missing, 'turn')} cannot be read`]),
    ...gone.map(([source, messages]) => `${plural(messages, 'message')} of ${source} are in no journal here`),
    ...(report.signals_on_disk ? [] : ['what it published in that life is in no journal here']),
    ...named('with other bytes', different),
    ...named('decided again, and not published', unpublished),
    ...named('published, and not decided again', unexplained),
    ...((report.clock_differs ?? 0) === 0 ? [] : ['this is not the version of arbees that the shard was']),
  ]
}

function named(what: string, ids: readonly string[]): string[] {
  if (ids.length === 0) return []
  const more = ids.length > MAX_NAMED ? ' …' : ''
  return [`${plural(ids.length, 'signal')} ${what}: ${ids.slice(0, MAX_NAMED).join(' ')}${more}`]
}
