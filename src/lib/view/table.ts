/** Tables for a terminal: no frame, a dim head, columns that shrink and then go when the terminal is narrow. */

import Table from 'cli-table3'
import { sanitize } from '../core/sanitize.js'
import { createPalette } from './palette.js'
import type { Tone } from './palette.js'
import { cutText, textWidth } from './text-width.js'

export interface Column<Row> {
  readonly title: string
  /** The cell's text, without colors: foreign characters are made visible here. */
  readonly value: (row: Row) => string
  readonly tone?: (row: Row) => Tone
  readonly align?: 'left' | 'right'
  /** Columns of the terminal that this column keeps when it is cut; its natural width when not said. */
  readonly minWidth?: number
  /** Which columns go first when even cut ones do not fit: the highest number. Columns without it stay. */
  readonly dropOrder?: number
}

export interface TableOptions {
  /** Columns of the terminal; `Infinity` in a file or a pipe. */
  readonly width: number
  readonly color: boolean
}

/** Between two columns. */
const GAP = '  '

/** What one cell prints when it would make the table unreadable: a screenful. */
const MAX_CELL = 400

interface Measured<Row> {
  readonly column: Column<Row>
  readonly cells: readonly string[]
  readonly natural: number
}

/**
 * Lines of at most `width` columns, without a newline at the end. Long cells are cut with an ellipsis, the widest
 * column first; columns with a `dropOrder` go when that is not enough.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width, color }: TableOptions,
): string {
  const palette = createPalette(color)
  const { kept, widths } = fit(
    columns.map((column) => measure(column, rows)),
    width,
  )
  const table = new Table({
    chars: BARE,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: kept.map(({ column }) => column.align ?? 'left'),
    colWidths: [...widths],
    head: kept.map(({ column }, index) => palette.dim(cutText(column.title, widths[index] ?? 0))),
  })
  rows.forEach((row, rowIndex) => {
    table.push(
      kept.map(({ column, cells }, index) => {
        const tone = column.tone?.(row) ?? 'plain'
        return palette[tone](cutText(cells[rowIndex] ?? '', widths[index] ?? 0))
      }),
    )
  })
  return table
    .toString()
    .split('\n')
    .map((line) => cutText(trimEnd(line), width))
    .join('\n')
}

function measure<Row>(column: Column<Row>, rows: readonly Row[]): Measured<Row> {
  const cells = rows.map((row) => sanitize(column.value(row), MAX_CELL))
  const natural = Math.max(textWidth(column.title), ...cells.map(textWidth), 1)
  return { column, cells, natural }
}

/** Drops and cuts columns until they fit; when nothing more gives, lines are cut at the terminal's edge. */
function fit<Row>(
  measured: readonly Measured<Row>[],
  width: number,
): { readonly kept: readonly Measured<Row>[]; readonly widths: readonly number[] } {
  let kept = measured
  for (;;) {
    const room = width - GAP.length * Math.max(0, kept.length - 1)
    const widths = shrink(kept, room)
    const total = widths.reduce((sum, each) => sum + each, 0)
    const dropped = total <= room ? undefined : mostDispensable(kept)
    if (dropped === undefined) return { kept, widths }
    kept = kept.filter((candidate) => candidate !== dropped)
  }
}

function shrink<Row>(kept: readonly Measured<Row>[], room: number): number[] {
  const widths = kept.map(({ natural }) => natural)
  const floors = kept.map(({ column, natural }) => Math.min(natural, Math.max(1, column.minWidth ?? natural)))
  let excess = widths.reduce((sum, each) => sum + each, 0) - room
  while (excess > 0) {
    let widest = -1
    widths.forEach((each, index) => {
      const gives = each > (floors[index] ?? each)
      if (gives && (widest === -1 || each > (widths[widest] ?? 0))) widest = index
    })
    if (widest === -1) break
    widths[widest] = (widths[widest] ?? 0) - 1
    excess--
  }
  return widths
}

function mostDispensable<Row>(kept: readonly Measured<Row>[]): Measured<Row> | undefined {
  return kept
    .filter(({ column }) => column.dropOrder !== undefined)
    .reduce<Measured<Row> | undefined>(
      (worst, candidate) =>
        worst === undefined || (candidate.column.dropOrder ?? 0) > (worst.column.dropOrder ?? 0)
          ? candidate
          : worst,
      undefined,
    )
}

/** Padding at the end of a line would wrap nothing but shows up in every copy. */
const trimEnd = (line: string): string => line.replace(/ +$/, '')

/** No frame: the gap alone stands between columns. */
const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
} as const
