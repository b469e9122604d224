/** Journals for people. */

import { sanitize } from '../core/sanitize.js'
import { createPalette } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatBytes, formatCount, plural } from '../view/units.js'
import type { JournalListing, ListedEpoch, ListedJournal } from './journal-list.js'
import type { Flaw, Verification } from './journal-verify.js'

interface EpochRow extends ListedEpoch {
  readonly journal: ListedJournal
  /** First row of its journal. */
  readonly isFirst: boolean
}

/** Lines without a newline at the end. */
export function renderListing({ journals }: JournalListing, options: TableOptions): string {
  const palette = createPalette(options.color)
  const rows = journals.flatMap((journal) =>
    journal.epochs.map((each, index): EpochRow => ({ ...each, journal, isFirst: index === 0 })),
  )
  const bytes = journals.reduce((sum, journal) => sum + journal.bytes, 0)
  const total = `${plural(journals.length, 'journal')}, ${formatBytes(bytes)}`
  return [renderTable(rows, LISTING, options), '', palette.dim(total)].join('\n')
}

const LISTING: readonly Column<EpochRow>[] = [
  { title: 'source', value: ({ journal, isFirst }) => (isFirst ? journal.source : ''), tone: () => 'strong' },
  { title: 'epoch', value: ({ epoch }) => String(epoch) },
  { title: 'began', value: ({ epoch }) => timeOf(epoch), tone: () => 'dim', dropOrder: 2 },
  { title: 'on disk', value: (row) => rangeText(row.first, row.last), align: 'right' },
  { title: 'published', value: ({ published }) => formatCount(published), align: 'right', dropOrder: 3 },
  { title: 'bytes', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { title: 'files', value: ({ segments }) => formatCount(segments), align: 'right', dropOrder: 4 },
  {
    title: 'holes',
    value: ({ holes }) => holes.map(({ from, to }) => rangeText(from, to)).join(' ') || '-',
    tone: ({ holes }) => (holes.length > 0 ? 'bad' : 'dim'),
    minWidth: 8,
  },
  {
    title: 'end',
    value: ({ end, journal }) => (end === 'open' ? `open, process ${journal.writer ?? '?'}` : end),
    tone: ({ end }) => (end === 'open' ? 'good' : end === 'known' ? 'plain' : 'warn'),
  },
]

/** Lines without a newline at the end. */
export function renderVerification({ journals, ok }: Verification, options: TableOptions): string {
  const palette = createPalette(options.color)
  const lines = journals.flatMap(
    ({ source, records, bytes, segments, flaws, damaged_lines: damagedLines }) => [
      `${palette.strong(source)}: ${plural(records, 'message')} in ${plural(segments, 'file')}, ${formatBytes(bytes)}`,
      ...flaws.map((flaw) => `  ${palette[flaw.kind === 'torn' ? 'warn' : 'bad'](sanitize(flawText(flaw)))}`),
      ...(damagedLines === 0 ? [] : [`  ${palette.bad(`epochs: ${plural(damagedLines, 'line')} damaged`)}`]),
    ],
  )
  return [...lines, ok ? palette.good('every checksum is right') : palette.bad('not whole')].join('\n')
}

function flawText({ kind, file, offset, bytes, epoch, from, to }: Flaw): string {
  const messages = to === null ? `from ${from} on` : rangeText(from, to)
  const place = file === null ? '' : `${file}:${offset ?? 0}: ${formatCount(bytes ?? 0)} bytes `
  if (kind === 'torn') return `${place}torn by a crash, sent to nobody; cut off at the next start`
  return `${place}${kind}: messages ${messages} of epoch ${epoch}`
}

const rangeText = (from: number | null, to: number | null): string =>
  from === null || to === null ? '-' : from === to ? String(from) : `${from}-${to}`

const timeOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
