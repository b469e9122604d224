/** The check of the mirror for people: the verdict, a line a channel, then what is wrong. */

import { sanitize } from '../core/sanitize.js'
import { createPalette } from '../view/palette.js'
import type { Tone } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { cutText } from '../view/text-width.js'
import { formatAge, formatCount, plural } from '../view/units.js'
import type { ChannelVerdict, ContentProof } from './check-channel.js'
import type { MirrorCheck } from './check-mirror-report.js'
import type { CheckState } from './check-report.js'

/** Lines without a newline at the end. */
export function renderMirrorCheck(report: MirrorCheck, options: TableOptions): string {
  const palette = createPalette(options.color)
  const { state, summary, channels, problems, notes } = report
  const verdict = problems.length > 1 ? plural(problems.length, 'problem') : summary
  const lines = [palette[TONES[state]](`${state.toUpperCase()} ${report.check}: ${sanitize(verdict)}`)]
  if (channels.length > 0) lines.push('', renderTable(channels, COLUMNS, options), '')
  // A single one stands in the first line.
  for (const { state: how, subject, problem } of problems.length > 1 ? problems : []) {
    lines.push(palette[TONES[how]](`! ${sanitize(subject)}: ${sanitize(problem)}`))
  }
  lines.push(...notes.map((note) => palette.dim(sanitize(note))))
  return lines
    .join('\n')
    .split('\n')
    .map((line) => cutText(line, options.width))
    .join('\n')
    .trimEnd()
}

const TONES: Readonly<Record<CheckState, Tone>> = {
  ok: 'good',
  warning: 'warn',
  critical: 'bad',
  unknown: 'warn',
}

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
  { title: 'flow', value: ({ flow }) => flow, tone: ({ state }) => TONES[state] },
  { title: 'published', align: 'right', value: ({ published }) => count(published), dropOrder: 3 },
  { title: 'in Redis', align: 'right', value: ({ stored }) => count(stored), dropOrder: 2 },
  {
    title: 'behind',
    align: 'right',
    value: ({ lag }) => count(lag),
    tone: ({ state }) => (state === 'ok' ? 'plain' : TONES[state]),
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
