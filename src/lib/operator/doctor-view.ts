/** `doctor` for people: a line a check, and below each that is broken the line that mends it. */

import { sanitize } from '../core/sanitize.js'
import { createPalette } from '../view/palette.js'
import type { Tone } from '../view/palette.js'
import { textWidth, wrapText } from '../view/text-width.js'
import { plural } from '../view/units.js'
import type { DoctorReport, DoctorState } from './doctor-report.js'

const MARKS: Readonly<Record<DoctorState, readonly [mark: string, tone: Tone]>> = {
  ok: ['ok', 'good'],
  warning: ['warn', 'warn'],
  failed: ['FAIL', 'bad'],
  skipped: ['-', 'dim'],
}
const MARK_WIDTH = 4

/** Lines without a newline at the end. */
export function renderDoctor(
  { healthy, checks }: DoctorReport,
  { width, color }: { readonly width: number; readonly color: boolean },
): string {
  const palette = createPalette(color)
  const nameWidth = Math.max(...checks.map(({ name }) => textWidth(name)))
  const indent = MARK_WIDTH + nameWidth + 4
  const lines = checks.flatMap(({ name, state, found, mend }) => {
    const [mark, tone] = MARKS[state]
    const room = Math.max(20, width - indent)
    const below = (text: string) =>
      wrapText(sanitize(text), room)
        .split('\n')
        .join(`\n${' '.repeat(indent)}`)
    const line = `${palette[tone](mark.padEnd(MARK_WIDTH))}  ${name.padEnd(nameWidth)}  ${below(found)}`
    return mend === undefined ? [line] : [line, palette.dim(`${' '.repeat(indent)}${below(mend)}`)]
  })
  const count = (state: DoctorState) => checks.filter((check) => check.state === state).length
  const warnings = count('warning') === 0 ? '' : `, ${plural(count('warning'), 'warning')}`
  const verdict = healthy ? `nothing is broken${warnings}` : `${count('failed')} broken${warnings}`
  return [...lines, '', healthy ? palette.good(verdict) : palette.bad(verdict)].join('\n')
}
