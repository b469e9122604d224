/** Two payloads of one signal, field by field. Pure. */

import { isObject } from '../messages/checks.js'

export interface FieldDifference {
  /** `legs.0.limit`. */
  readonly field: string
  /** Null where there is none. */
  readonly recorded: unknown
  readonly decided: unknown
}

/** The fields of the two JSON texts that are not the same; only `(order)` where just the fields' or signals' order differs. */
export function differencesOf(recorded: string, decided: string): FieldDifference[] {
  const [before, after] = [fieldsOf(recorded), fieldsOf(decided)]
  const fields = [...new Set([...before.keys(), ...after.keys()])]
  const found = fields
    .map((field) => ({ field, recorded: before.get(field) ?? null, decided: after.get(field) ?? null }))
    .filter((each) => each.recorded !== each.decided)
  return found.length > 0 ? found : [{ field: '(order)', recorded: null, decided: null }]
}

function fieldsOf(text: string): Map<string, unknown> {
  const fields = new Map<string, unknown>()
  const visit = (path: string, value: unknown): void => {
    if (!isObject(value) && !Array.isArray(value)) return void fields.set(path, value)
    for (const [name, each] of Object.entries(value)) visit(path === '' ? name : `${path}.${name}`, each)
  }
  visit('', JSON.parse(text))
  return fields
}
