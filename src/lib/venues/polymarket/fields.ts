/** Checked reading of the market channel's fields: each returns a value of our own or throws `Refusal`. */

import { parsePriceE4, parseScaled, parseSizeE2 } from '../../model/price.js'
import type { StatedBest, WireLevel } from './events.js'
import { isAssetId, isMarketId, isTimestamp } from './lost-frame.js'

/** A value that the wire must not carry; never leaves the parser. */
export class Refusal extends Error {
  constructor(
    readonly reason: string,
    detail: string,
  ) {
    super(detail)
  }
}

export type Json = { readonly [key: string]: unknown }

export function asObject(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal(
      'not_object',
      Array.isArray(value) ? 'an array inside an array' : String(value).slice(0, 80),
    )
  }
  if (Object.hasOwn(value, '__proto__')) throw new Refusal('hostile_key', '__proto__')
  return value as Json
}

export function levels(value: unknown, field: string): WireLevel[] {
  if (!Array.isArray(value)) throw new Refusal('bad_field', `${field} is not an array`)
  const parsed = value.map((entry) => level(asObject(entry)))
  if (new Set(parsed.map(({ priceE4 }) => priceE4)).size !== parsed.length) {
    throw new Refusal('duplicate_level', field)
  }
  return parsed
}

const ZERO = /^[0.]*$/

export function level(entry: Json): WireLevel {
  const priceE4 = price(entry.price)
  const { size } = entry
  const sizeE2 = typeof size === 'string' ? parseSizeE2(size) : undefined
  if (typeof size !== 'string' || sizeE2 === undefined) throw new Refusal('bad_size', shown(size))
  return { price: String(entry.price), size, priceE4, sizeE2, empty: ZERO.test(size) }
}

/** Nothing rests at 0 or 1: the venue's prices run from one tick to one less a tick. */
export function price(value: unknown): number {
  const priceE4 = typeof value === 'string' ? parsePriceE4(value) : undefined
  if (priceE4 === undefined || priceE4 <= 0 || priceE4 >= 10_000) throw new Refusal('bad_price', shown(value))
  return priceE4
}

export function tick(value: unknown, field: string): string {
  const tickE4 = typeof value === 'string' ? parseScaled(value, 4) : undefined
  if (tickE4 === undefined || tickE4 < 1 || tickE4 > 1000)
    throw new Refusal('bad_tick', `${field} ${shown(value)}`)
  return String(value)
}

export function statedBest(value: unknown, field: string): StatedBest {
  if (isAbsent(value)) return undefined
  const priceE4 = typeof value === 'string' ? parsePriceE4(value) : undefined
  if (priceE4 === undefined) throw new Refusal('bad_price', `${field} ${shown(value)}`)
  return priceE4 === 0 || priceE4 === 10_000 ? null : priceE4
}

export const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''

export function optionalDecimal(value: unknown, field: string): string | undefined {
  return isAbsent(value) ? undefined : decimal(value, field)
}

export function decimal(value: unknown, field: string): string {
  if (typeof value !== 'string' || parseSizeE2(value) === undefined) {
    throw new Refusal('bad_field', `${field} ${shown(value)}`)
  }
  return value
}

export function optionalText(value: unknown, field: string): string | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value !== 'string' || value.length > 128)
    throw new Refusal('bad_field', `${field} ${shown(value)}`)
  return value
}

export function timestamp(value: unknown): string {
  if (!isTimestamp(value)) throw new Refusal('bad_timestamp', shown(value))
  return value
}

export const venueMs = (value: unknown): number => Number(timestamp(value))

export function marketId(value: unknown): string {
  if (!isMarketId(value)) throw new Refusal('bad_market', shown(value))
  return value
}

export function assetId(value: unknown): string {
  if (!isAssetId(value)) throw new Refusal('bad_asset', shown(value))
  return value
}

/** Never `String()` of a foreign value: an object's own `toString` throws, a deep array overflows the stack. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 60)}'` : `a ${value === null ? 'null' : typeof value}`
}
