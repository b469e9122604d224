/** What somebody meant who mistyped a name. */

/** A name, and its end, which many type without the section before it. */
const partsOf = (name: string): string[] => [name, name.replace(/^.*[.:]/, '')]

/** The name that takes fewest slips of the keyboard; undefined where that is more than one in three letters. */
export function nearest<Name extends string>(mistyped: string, names: readonly Name[]): Name | undefined {
  const wanted = mistyped.toLowerCase()
  const most = Math.max(1, Math.floor(wanted.length / 3))
  let best: { readonly name: Name; readonly slips: number } | undefined
  for (const name of names) {
    const slips = Math.min(...partsOf(name).map((part) => slipsBetween(wanted, part)))
    if (slips <= most && slips < wanted.length && slips < (best?.slips ?? Infinity)) best = { name, slips }
  }
  return best?.name
}

/** Letters left out, added, changed, or swapped with their neighbor (Damerau and Levenshtein's distance). */
function slipsBetween(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const at = (from: readonly number[], k: number): number => from[k] ?? Infinity
      const changed = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(at(last, j) + 1, at(row, j - 1) + 1, changed, isSwapped ? at(before, j - 2) + 1 : Infinity),
      )
    }
    ;[before, last] = [last, row]
  }
  return last[b.length] ?? Infinity
}
