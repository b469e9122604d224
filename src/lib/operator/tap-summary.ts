/** The last word of a tap. */

import { formatCount, formatUs, plural } from '../view/units.js'
import type { TapSummary } from './tap-desk.js'

/** `12,345 messages, 1,234/s, 0 gaps, 0 duplicates, 0 problems, age p50 160us p99 1.2ms`. */
export function summaryText(summary: TapSummary): string {
  const { messages, ratePerSecond, gaps, missing, duplicates, problems, dropped } = summary
  const { recorded, unrecorded, ageP50Us, ageP99Us } = summary
  const refused = Object.entries(problems)
  const total = refused.reduce((sum, [, count]) => sum + count, 0)
  const named = refused.map(([name, count]) => `${name} ${formatCount(count)}`).join(', ')
  const parts = [
    plural(messages, 'message'),
    `${formatCount(Math.round(ratePerSecond))}/s`,
    gaps === 0 ? '0 gaps' : `${plural(gaps, 'gap')} (${formatCount(missing)} missing)`,
    plural(duplicates, 'duplicate'),
    total === 0 ? '0 problems' : `${plural(total, 'problem')} (${named})`,
  ]
  if (dropped > 0) parts.push(`${plural(dropped, 'line')} left out: the output was not read`)
  if (recorded !== undefined) parts.push(`${formatCount(recorded)} recorded`)
  if (unrecorded > 0) parts.push(`${formatCount(unrecorded)} not recorded: the disk is too slow`)
  if (ageP50Us !== undefined && ageP99Us !== undefined) {
    parts.push(`age p50 ${formatUs(ageP50Us)} p99 ${formatUs(ageP99Us)}`)
  }
  return parts.join(', ')
}
