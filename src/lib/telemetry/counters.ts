/** Named counters of one role: `<what>` or `<what>:<reason>`. Cheap to add to, copied only when someone asks. */

/** Reasons come from code, but some carry a foreign word (an unknown frame type): keep the set bounded. */
const MAX_NAMES = 200
const OTHER = 'other'

export class Counters {
  private readonly values = new Map<string, number>()

  /** Adds to `name`, or to `name:reason`. Beyond 200 names a new reason counts as `name:other`. */
  add(name: string, reason?: string, by = 1): void {
    const key = reason === undefined ? name : `${name}:${reason}`
    const known = this.values.has(key) || this.values.size < MAX_NAMES
    const target = known ? key : `${name}:${OTHER}`
    this.values.set(target, (this.values.get(target) ?? 0) + by)
  }

  /** Sets a gauge. */
  set(name: string, value: number): void {
    this.values.set(name, value)
  }

  get(name: string): number {
    return this.values.get(name) ?? 0
  }

  /** The sum over `name` and every `name:reason`. */
  total(name: string): number {
    return totalOf(Object.fromEntries(this.values), name)
  }

  snapshot(): Record<string, number> {
    return Object.fromEntries(this.values)
  }
}

/** The sum over `name` and every `name:reason` of a snapshot. */
export function totalOf(counts: Readonly<Record<string, number>>, name: string): number {
  let sum = 0
  for (const [key, value] of Object.entries(counts)) {
    if (key === name || key.startsWith(`${name}:`)) sum += value
  }
  return sum
}

/** Adds two snapshots name by name. */
export function sumCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...a }
  for (const [name, value] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + value
  return sum
}
