/** Topics for people. */

import { createPalette } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatAge, formatBytes, formatCount, plural } from '../view/units.js'
import type { TopicRow, TopicsReport } from './topics.js'

/** Lines without a newline at the end. */
export function renderTopics(
  { topics, more, silent, looked_ms: lookedMs }: TopicsReport,
  options: TableOptions,
): string {
  const palette = createPalette(options.color)
  const moving = topics.filter(({ messages }) => messages > 0).length
  return [
    ...(topics.length === 0 ? [] : [renderTable(topics, COLUMNS, options), '']),
    `${plural(topics.length, 'topic')}, ${formatCount(moving)} moved within ${formatAge(lookedMs)}`,
    ...(more === 0 ? [] : [palette.warn(`${plural(more, 'message')} on further topics: name a prefix`)]),
    ...(silent.length === 0 ? [] : [palette.warn(`no answer about what stands still: ${silent.join(', ')}`)]),
  ].join('\n')
}

const COLUMNS: readonly Column<TopicRow>[] = [
  { title: 'topic', value: ({ topic }) => topic, minWidth: 20 },
  {
    title: 'messages/s',
    value: ({ per_s: rate }) => (rate === 0 ? '-' : rate.toFixed(1)),
    align: 'right',
    tone: ({ messages }) => (messages > 0 ? 'plain' : 'dim'),
  },
  { title: 'newest', value: ({ age_ms: ms }) => formatAge(ms), align: 'right' },
  { title: 'seq', value: ({ seq }) => formatCount(seq), align: 'right', dropOrder: 2 },
  { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right', dropOrder: 1 },
]
