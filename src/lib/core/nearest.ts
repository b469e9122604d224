/** What somebody meant who mistyped a name. */

/** Pairs of neighboring letters. */
const pairsOf = (word: string): ReadonlySet<string> =>
  new Set(Array.from({ length: Math.max(0, word.length - 1) }, (_, i) => word.slice(i, i + 2)))

/** The name that shares most pairs of letters with a mistyped one, and how alike they are: 0 to below 1. `names` holds some. */
export function nearest<Name extends string>(
  mistyped: string,
  names: readonly Name[],
): { readonly name: Name; readonly likeness: number } {
  const wanted = pairsOf(mistyped)
  return names
    .map((name) => ({
      name,
      likeness: [...pairsOf(name)].filter((pair) => wanted.has(pair)).length / name.length,
    }))
    .reduce((best, each) => (each.likeness > best.likeness ? each : best))
}
