/** Reading fields of parsed JSON that someone else wrote. */

export type JsonObject = Readonly<Record<string, unknown>>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The parsed text, or undefined when it is not JSON (`null` parses to null). */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** A non-empty string, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A safe integer of at least `min`, else undefined: refuses 1e400, fractions and numbers in strings. */
export function integerOf(value: unknown, min = 0): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min ? value : undefined
}

/** An array of non-empty strings, else undefined. */
export function textsOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts: string[] = []
  for (const item of value as readonly unknown[]) {
    if (typeof item !== 'string' || item === '') return undefined
    texts.push(item)
  }
  return texts
}

/** A foreign value for an error's detail: its own text, or what kind of thing it is (an object is never converted). */
export function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : value === null
      ? 'null'
      : typeof value
}

/** Unix ms of an RFC 3339 time, else undefined. */
export function timeMsOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isNaN(ms) ? undefined : ms
}
