import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderTable } from '../../../src/lib/view/table.js'
import type { Column } from '../../../src/lib/view/table.js'
import { textWidth } from '../../../src/lib/view/text-width.js'

interface Row {
  readonly name: string
  readonly size: number
  readonly note: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'name', value: ({ name }) => name },
  {
    title: 'size',
    value: ({ size }) => String(size),
    align: 'right',
    tone: ({ size }) => (size > 9 ? 'bad' : 'good'),
  },
  { title: 'note', value: ({ note }) => note, minWidth: 6, dropOrder: 1 },
]
const ROWS: readonly Row[] = [
  { name: 'kalshi', size: 7, note: 'a note of some length' },
  { name: 'poly', size: 1234, note: '' },
]
const render = (width: number, color = false, rows = ROWS) => renderTable(rows, COLUMNS, { width, color })

describe('a table', () => {
  it('aligns its columns and ends no line in spaces', () => {
    expect(render(80).split('\n')).toEqual([
      'name    size  note',
      'kalshi     7  a note of some length',
      'poly    1234',
    ])
  })

  it('cuts the widest column first on a narrow terminal', () => {
    expect(render(24).split('\n')).toEqual(['name    size  note', 'kalshi     7  a note of…', 'poly    1234'])
  })

  it('drops a dispensable column when cutting is not enough', () => {
    expect(render(16).split('\n')).toEqual(['name    size', 'kalshi     7', 'poly    1234'])
  })

  it('cuts lines when nothing else gives', () => {
    expect(render(9).split('\n')).toEqual(['name    …', 'kalshi  …', 'poly    …'])
  })

  it('shows escape codes of foreign text instead of obeying them', () => {
    const rows = [{ name: '\u001b[2Jevil\n', size: 1, note: '\u202e' }]
    expect(render(80, true, rows)).not.toMatch(/\u001b\[2J|\u202e/)
    expect(render(80, false, rows)).toContain('\\u001b[2Jevil\\u000a')
  })

  it('colors by tone only when asked to', () => {
    expect(render(80, true)).toContain('\u001b[31m1234\u001b[39m')
    expect(render(80, false)).not.toContain('\u001b')
  })

  it('keeps columns in place behind wide characters', () => {
    const lines = render(80, false, [
      { name: '世界', size: 1, note: 'x' },
      { name: 'four', size: 2, note: 'x' },
    ]).split('\n')
    expect(new Set(lines.slice(1).map(textWidth)).size).toBe(1)
  })

  it('prints its head alone without rows', () => {
    expect(render(80, false, [])).toBe('name  size  note')
  })

  it('never exceeds the terminal, in color or not', () => {
    const row = fc.record({
      name: fc.string({ unit: 'grapheme' }),
      size: fc.nat(),
      note: fc.string({ unit: 'binary' }),
    })
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (rows, width, color) => {
          for (const line of render(width, color, rows).split('\n'))
            expect(textWidth(line)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})
