/** Text by the columns it takes on a terminal: wide characters take two, color codes none. */

import stringWidth from 'string-width'

const ESCAPE_CODE = /\u001b\[[0-9;?]*[A-Za-z]/y
const RESET = '\u001b[0m'
const ELLIPSIS = '…'

export const textWidth = (text: string): number => stringWidth(text)

/** At most `width` columns; an ellipsis marks the cut. Color codes survive, and are reset behind a cut. */
export function cutText(text: string, width: number): string {
  // No character of these takes more than one column: most lines end here.
  if (text.length <= width && /^[\x20-\x7e]*$/.test(text)) return text
  if (stringWidth(text) <= width) return text
  if (width <= 0) return ''
  let kept = ''
  let used = 0
  let colored = false
  for (const part of partsOf(text)) {
    if (part.code) {
      kept += part.text
      colored = true
      continue
    }
    const columns = stringWidth(part.text)
    if (used + columns > width - 1) break
    kept += part.text
    used += columns
  }
  return `${kept}${ELLIPSIS}${colored ? RESET : ''}`
}

/** Lines of at most `width` columns, broken between words and, where one word is longer, cut; `indent` begins all but the first. */
export function wrapText(text: string, width: number, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line)
      line = `${indent}${word}`
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].map((each) => cutText(each, width)).join('\n')
}

/** As `cutText` for plain ASCII, with the cut in the middle: both ends of an identifier tell. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text
  const head = Math.ceil((width - 1) / 2)
  return width <= 1
    ? ELLIPSIS
    : `${text.slice(0, head)}${ELLIPSIS}${text.slice(text.length - (width - 1 - head))}`
}

/** Color codes and the characters between them, as a person counts characters. */
function* partsOf(text: string): Generator<{ readonly text: string; readonly code: boolean }> {
  const segmenter = new Intl.Segmenter()
  let start = 0
  while (start < text.length) {
    ESCAPE_CODE.lastIndex = start
    const code = ESCAPE_CODE.exec(text)?.[0]
    if (code !== undefined) {
      yield { text: code, code: true }
      start += code.length
      continue
    }
    const next = text.indexOf('\u001b', start + 1)
    const end = next === -1 ? text.length : next
    for (const { segment } of segmenter.segment(text.slice(start, end))) yield { text: segment, code: false }
    start = end
  }
}
