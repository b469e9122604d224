/** Fields of Gamma's JSON, checked: what is missing or malformed is a reason to leave the event out. */

import { parseScaled } from '../../model/price.js'
import { parseJson } from './http.js'

export type Json = { readonly [field: string]: unknown }

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Why an event is left out. */
export class Skip extends Error {}

/** Short, for a reason. */
export const shown = (value: unknown): string => JSON.stringify(value ?? null).slice(0, 40)

export function text(object: Json, field: string): string {
  const value = object[field]
  if (typeof value !== 'string' || value === '') throw new Skip(`${field} is missing`)
  return value
}

/** A non-negative JSON number as an integer scaled by 10^digits, exactly. */
export function scaledNumber(object: Json, field: string, digits: number): number {
  const value = object[field]
  const scaled = typeof value === 'number' ? parseScaled(String(value), digits) : undefined
  if (scaled === undefined || scaled < 0) throw new Skip(`${field} is missing or malformed`)
  return scaled
}

export function stringPair(object: Json, field: string): [string, string] {
  const [first, second, ...more] = parseStringArray(object[field]) ?? []
  if (first === undefined || second === undefined || more.length > 0) throw new Skip(`${field} is not a pair`)
  return [first, second]
}

/** Gamma sends these arrays as JSON inside a string. */
export function parseStringArray(value: unknown): string[] | undefined {
  const array = typeof value === 'string' ? parseJson(value) : undefined
  return Array.isArray(array) && array.every((item): item is string => typeof item === 'string')
    ? array
    : undefined
}
