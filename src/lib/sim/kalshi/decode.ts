/** JSON bodies as Kalshi's decoder takes them: types are strict, unknown fields pass, null is absent. */

import { parseJson, recordOf } from '../http-host.js'
import { decodeError, missingParameters, type KalshiRefusal } from './errors.js'

export type FieldType = 'string' | 'int' | 'int64' | 'bool'

export interface BodyForm {
  /** The request's name, as the venue's errors say it. */
  readonly name: string
  readonly types: Readonly<Record<string, FieldType>>
  /** Fields that may be neither absent nor an empty text. */
  readonly required: readonly string[]
}

/** The form's fields that are there, each of its type, or the refusal. */
export function decodeBody(body: string, form: BodyForm): Readonly<Record<string, unknown>> | KalshiRefusal {
  const parsed = parseJson(body)
  if (parsed === undefined) {
    return decodeError(body === '' ? 'EOF' : 'invalid character looking for beginning of value')
  }
  const raw = recordOf(parsed)
  if (raw === undefined) {
    return decodeError(`json: cannot unmarshal ${kindOf(parsed)} into Go value of type ${form.name}`)
  }
  for (const [field, type] of Object.entries(form.types)) {
    const value = raw[field]
    if (isAbsent(value) || hasType(value, type)) continue
    return decodeError(
      `json: cannot unmarshal ${kindOf(value)} into Go struct field ${form.name}.${field} of type ${type}`,
    )
  }
  if (form.required.some((field) => isAbsent(raw[field]) || raw[field] === '')) return missingParameters
  const known = Object.keys(form.types).filter((field) => !isAbsent(raw[field]))
  return Object.fromEntries(known.map((field) => [field, raw[field]]))
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null

function hasType(value: unknown, type: FieldType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
    case 'int64':
      return Number.isSafeInteger(value)
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value
}
