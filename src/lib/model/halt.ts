/**
 * The order to stop trading, as it stands in the halt file, in Redis, and in a request on exec's recovery socket:
 *
 *     {"level":"entries","reason":"odd fills","by":"ops@host"}
 */

import { sanitize } from '../core/sanitize.js'
import type { Env, Mode } from './venue.js'

/** entries: opening orders. all: hedges and retries too, whatever is unhedged then. */
export type HaltLevel = 'entries' | 'all'

export interface HaltOrder {
  readonly level: HaltLevel
  readonly reason: string
  /** User and host. */
  readonly by: string
}

/** What an exec says is stopped, and which exec it is; one of an older arbees does not say the latter. */
export interface HaltedExec {
  readonly level: HaltLevel
  readonly env?: Env | undefined
  readonly mode?: Mode | undefined
}

type JsonObject = Readonly<Record<string, unknown>>

/** Whether a level stops at least what `wanted` stops. */
export const isAtLeast = (level: HaltLevel | undefined, wanted: HaltLevel): boolean =>
  level === 'all' || level === wanted

export const isHaltLevel = (value: unknown): value is HaltLevel => value === 'entries' || value === 'all'

/** Whatever cannot be read halts entries: an empty file is the plainest order. Never throws. */
export const parseHaltOrder = (text: string, fallback: string): HaltOrder =>
  haltOrderOf(jsonObject(text), fallback)

/** As `parseHaltOrder`, of what is parsed already. */
export const haltOrderOf = (value: JsonObject, fallback = 'no reason was given'): HaltOrder => ({
  level: value['level'] === 'all' ? 'all' : 'entries',
  reason: wordsOf(value['reason']) ?? fallback,
  by: wordsOf(value['by']) ?? 'unknown',
})

export const formatHaltOrder = ({ level, reason, by }: HaltOrder): string =>
  JSON.stringify({ level, reason, by })

const MAX_WORDS = 300

/** Somebody's words, safe to show; undefined where there are none. */
export const wordsOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? sanitize(value, MAX_WORDS) : undefined

/** The object that a text is; an empty one for anything else. */
export function jsonObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
  } catch {
    return {}
  }
}
