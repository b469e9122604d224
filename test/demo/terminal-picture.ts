/** Screens of a terminal, as `tmux capture-pane -e` gives them, as one animated SVG. */

export interface Frame {
  readonly text: string
  readonly holdMs: number
}

interface Run {
  readonly column: number
  readonly text: string
  readonly classes: readonly string[]
}

const CELL = { width: 8.4, height: 17 }
const MARGIN = 14
/** Only these are ever written: src/lib/view/palette.ts. */
const STYLES: Readonly<Record<string, string>> = { 1: 'bold', 2: 'dim', 31: 'red', 32: 'green', 33: 'yellow' }

const escapeXml = (text: string): string => text.replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** A line cut at its color codes: what is written in one style, and the column where it begins. */
function styledRuns(line: string): Run[] {
  const runs: Run[] = []
  let classes = new Set<string>()
  let column = 0
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    const codes = /^\u001b\[([0-9;]*)m$/.exec(part)?.[1]
    if (codes === undefined) {
      if (part.trim() !== '') runs.push({ column, text: part, classes: [...classes] })
      column += [...part].length
      continue
    }
    for (const code of codes.split(';')) {
      if (code === '' || code === '0') classes = new Set()
      else if (code === '22')
        classes = new Set([...classes].filter((name) => name !== 'bold' && name !== 'dim'))
      else if (code === '39')
        classes = new Set([...classes].filter((name) => name === 'bold' || name === 'dim'))
      else {
        const style = STYLES[code]
        if (style !== undefined) classes.add(style)
      }
    }
  }
  return runs
}

function drawRun({ column, text, classes }: Run): string {
  const lead = text.length - text.trimStart().length
  const shown = text.trim()
  const x = ((column + lead) * CELL.width).toFixed(1)
  const length = ([...shown].length * CELL.width).toFixed(1)
  const style = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`
  return `<tspan x="${x}" textLength="${length}"${style}>${escapeXml(shown)}</tspan>`
}

function drawScreen(text: string, rows: number): string {
  return text
    .split('\n')
    .slice(-rows)
    .map((line, row) => {
      const runs = styledRuns(line).map(drawRun).join('')
      return runs === '' ? '' : `<text y="${(row + 1) * CELL.height - 4}">${runs}</text>`
    })
    .join('')
}

/** The frames, one after the other and over again. Where nothing moves, the first one stands. */
export function drawFilm(
  frames: readonly Frame[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN)
  const height = rows * CELL.height + 2 * MARGIN
  const totalMs = frames.reduce((sum, { holdMs }) => sum + holdMs, 0)
  const percent = (ms: number) => `${((ms / totalMs) * 100).toFixed(3)}%`
  let startMs = 0
  const rules: string[] = []
  const groups: string[] = []
  frames.forEach(({ text, holdMs }, index) => {
    const endMs = startMs + holdMs
    const before = startMs === 0 ? '' : `0%{visibility:hidden}`
    const after = endMs === totalMs ? '' : `${percent(endMs)}{visibility:hidden}`
    rules.push(
      `@keyframes f${index}{${before}${percent(startMs)}{visibility:visible}${after}}`,
      `#f${index}{animation:f${index} ${totalMs}ms step-end infinite}`,
    )
    groups.push(`<g id="f${index}"${index === 0 ? '' : ' visibility="hidden"'}>${drawScreen(text, rows)}</g>`)
    startMs = endMs
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d8dee9;white-space:pre}
.bold{font-weight:bold}.dim{fill:#8b95a7}.red{fill:#ff6b70}.green{fill:#8fd18f}.yellow{fill:#ebcb8b}
${rules.join('\n')}
</style>
<rect width="100%" height="100%" rx="8" fill="#161b22"/>
<g transform="translate(${MARGIN} ${MARGIN})">
${groups.join('\n')}
</g>
</svg>
`
}
