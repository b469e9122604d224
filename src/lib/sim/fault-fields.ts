/** Fields of a line of a fault script; each throws what is wrong with its own. */

export type Raw = Readonly<Record<string, unknown>>

export function whole(raw: Raw, field: string, min = 0): number | undefined {
  const value = raw[field]
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || Number(value) < min)
    throw new Error(`bad ${field}: ${JSON.stringify(value)}`)
  return Number(value)
}

/** At most ten, in millionths; null when it is not said. */
export function multiplier(value: unknown): number | null {
  if (value === undefined) return null
  if (typeof value === 'number' && value >= 0 && value <= 10 && Math.round(value * 1e6) / 1e6 === value)
    return value
  throw new Error(`bad fee_multiplier: ${JSON.stringify(value)}`)
}

export function required(raw: Raw, field: string, min = 0): number {
  const value = whole(raw, field, min)
  if (value === undefined) throw new Error(`${field} is missing`)
  return value
}

export function text(raw: Raw, field: string): string | undefined {
  const value = raw[field]
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw new Error(`bad ${field}: ${JSON.stringify(value)}`)
}

export function flag(raw: Raw, field: string): boolean {
  const value = raw[field] ?? false
  if (typeof value !== 'boolean') throw new Error(`bad ${field}: ${JSON.stringify(value)}`)
  return value
}

export function one<T>(raw: Raw, field: string, among: readonly T[]): T {
  const found = among.find((each) => each === raw[field])
  if (found === undefined) throw new Error(`${field} is one of ${among.join(', ')}`)
  return found
}
