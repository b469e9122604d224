/** The check of the mirror for people: the verdict, a line a channel, then what is wrong. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatAge, formatCount } from '../view/units.js'
import type { ChannelVerdict, ContentProof } from './check-channel.js'
import type { MirrorCheck } from './check-mirror-report.js'
import { CHECK_TONES, renderCheck } from './check-view.js'

/** Lines without a newline at the end. */
export const renderMirrorCheck = (report: MirrorCheck, options: TableOptions): string =>
  renderCheck(
    report,
    options,
    report.channels.length > 0 ? renderTable(report.channels, COLUMNS, options) : '',
  )

const PROOFS: Readonly<Record<ContentProof, string>> = {
  equal: 'as journaled',
  differs: 'not as journaled',
  missing: 'not there',
  unproven: 'not compared',
  none: '-',
}

const count = (value: number | null): string => (value === null ? '-' : formatCount(value))

const COLUMNS: readonly Column<ChannelVerdict>[] = [
  { title: 'channel', value: ({ source }) => source, tone: () => 'strong' },
  { title: 'flow', value: ({ flow }) => flow, tone: ({ state }) => CHECK_TONES[state] },
  { title: 'published', align: 'right', value: ({ published }) => count(published), dropOrder: 3 },
  { title: 'in Redis', align: 'right', value: ({ stored }) => count(stored), dropOrder: 2 },
  {
    title: 'behind',
    align: 'right',
    value: ({ lag }) => count(lag),
    tone: ({ state }) => (state === 'ok' ? 'plain' : CHECK_TONES[state]),
  },
  { title: 'oldest', align: 'right', value: ({ lag_ms: ms }) => (ms === null ? '-' : formatAge(ms)) },
  {
    title: 'rate',
    align: 'right',
    value: ({ per_s: rate }) => (rate === null ? '-' : `${formatCount(rate)}/s`),
    dropOrder: 4,
  },
  {
    title: 'newest in Redis',
    value: ({ content }) => PROOFS[content],
    tone: ({ content }) => (content === 'differs' || content === 'missing' ? 'bad' : 'dim'),
    minWidth: 10,
    dropOrder: 1,
  },
]
