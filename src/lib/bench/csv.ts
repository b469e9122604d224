/** Cases as CSV (RFC 4180): a line of names, then a line a case. */

/** Nested figures become `hops.decision.p50_us`, lists one cell; what a case does not have is empty. */
export function toCsv(cases: readonly object[]): string {
  const rows = cases.map((each) => new Map(cellsOf(each, '')))
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  return [names.map(quoted), ...rows.map((row) => names.map((name) => quoted(row.get(name) ?? '')))]
    .map((line) => `${line.join(',')}\r\n`)
    .join('')
}

function cellsOf(value: object, prefix: string): [string, string][] {
  return Object.entries(value).flatMap(([name, cell]: [string, unknown]): [string, string][] => {
    if (Array.isArray(cell)) return [[prefix + name, cell.join(' ')]]
    if (typeof cell === 'object' && cell !== null) return cellsOf(cell, `${prefix}${name}.`)
    const text = typeof cell === 'string' ? cell : cell === null ? '' : JSON.stringify(cell)
    return [[prefix + name, text]]
  })
}

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
