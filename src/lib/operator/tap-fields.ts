/** Fields of a message by the names that `--where` and `--fields` take. */

import { isObject } from '../messages/checks.js'
import type { TapItem } from './tap-item.js'

/** The value of a field; undefined where the message has none of that name. */
export type FieldReader = (name: string) => unknown

/**
 * `yes_ask`, `home.score`, `legs.0.venue`: of the payload, or where that has no such field of the envelope (`seq`,
 * `stamps.pub`), or of what tap adds: `topic`, `age_us`.
 */
export function fieldReader(item: TapItem): FieldReader {
  const envelope: unknown = JSON.parse(item.text)
  const payload = isObject(envelope) && isObject(envelope['payload']) ? envelope['payload'] : envelope
  const { topic, source, ageUs } = item
  const added = { topic, source, age_us: ageUs }
  return (name) => {
    const path = name.split('.')
    for (const part of [payload, envelope, added]) {
      const value = valueAt(part, path)
      if (value !== undefined) return value
    }
    return undefined
  }
}

function valueAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return valueAt((value as Readonly<Record<string, unknown>>)[name], rest)
}
