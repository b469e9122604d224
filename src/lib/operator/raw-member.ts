/** The text of one member of a JSON object, exactly as it was sent. */

/**
 * The raw text of the last top-level member `name` (the one that `JSON.parse` keeps), or undefined. `json` must have
 * been parsed before: this scan finds where values end and checks nothing.
 */
export function rawMember(json: string, name: string): string | undefined {
  let found: string | undefined
  let at = json.indexOf('{') + 1
  for (;;) {
    const keyStart = json.indexOf('"', at)
    if (keyStart === -1) return found
    const keyEnd = endOfString(json, keyStart)
    const valueStart = json.indexOf(':', keyEnd) + 1
    const valueEnd = endOfValue(json, valueStart)
    if (isKey(json.slice(keyStart, keyEnd), name)) found = json.slice(valueStart, valueEnd).trim()
    at = valueEnd + 1
    if (json[valueEnd] !== ',') return found
  }
}

function isKey(quoted: string, name: string): boolean {
  return quoted.includes('\\') ? JSON.parse(quoted) === name : quoted === `"${name}"`
}

/** The index behind the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}

/** The index of the comma or brace behind the value that begins at or after `start`. */
function endOfValue(json: string, start: number): number {
  let depth = 0
  let at = start
  while (at < json.length) {
    const char = json[at]
    if (char === '"') {
      at = endOfString(json, at)
      continue
    }
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      if (depth === 0) return at
      depth--
    } else if (char === ',' && depth === 0) return at
    at++
  }
  return at
}
