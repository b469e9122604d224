/** Named counters of one role: `<what>` or `<what>:<reason>`. Cheap to add to, copied only when someone asks. */

/** Reasons come from code, but some carry a foreign word (an unknown frame type): keep each set bounded. */
const MAX_REASONS = 40
const OTHER = 'other'

export class Counters {
  private readonly values = new Map<string, number>()
  /** How many reasons each name has. */
  private readonly reasons = new Map<string, number>()

  /** Adds to `name`, or to `name:reason`. Beyond 40 reasons of one name a new one counts as `name:other`. */
  add(name: string, reason?: string, by = 1): void {
    const key = reason === undefined ? name : this.keyOf(name, reason)
    this.values.set(key, (this.values.get(key) ?? 0) + by)
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

  private keyOf(name: string, reason: string): string {
    const key = `${name}:${reason}`
    if (this.values.has(key)) return key
    const count = this.reasons.get(name) ?? 0
    if (count >= MAX_REASONS) return `${name}:${OTHER}`
    this.reasons.set(name, count + 1)
    return key
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
