/** The recorded files of the folder named by ARBEES_FIXTURES, those that we know and those that we do not. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Json = Readonly<Record<string, unknown>>

const ROOT = process.env['ARBEES_FIXTURES']
const FOLDER = ROOT === undefined ? '' : join(ROOT, 'kalshi')
const ALL = existsSync(FOLDER) ? readdirSync(FOLDER) : []

/** The request that a recording answers: no answer itself. */
const REQUEST = /\.request\.json$/
/** What must be refused by name: integer cents, the removed order call, fields left out, and what is broken. */
const REFUSED_NAME = /old_cents|legacy|trimmed|malformed|invalid_json|garbage|corrupt/

export const namesOf = (prefix: 'rest_' | 'ws_'): string[] =>
  ALL.filter((name) => name.startsWith(prefix) && !REQUEST.test(name))
export const requestsOf = (prefix: 'rest_' | 'ws_'): string[] =>
  ALL.filter((name) => name.startsWith(prefix) && REQUEST.test(name))

export const isToBeRefused = (name: string): boolean => REFUSED_NAME.test(name)

export const textOfFile = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
export const jsonOfFile = (name: string): Json => JSON.parse(textOfFile(name)) as Json

/** HTTP status at the end of a name; 200 where it says none. */
export const statusOf = (name: string): number => Number(/_(\d{3})(?=[_.])/.exec(name)?.[1] ?? 200)

/** What was asked, where that was recorded. */
export function requestOf(name: string): Json | undefined {
  const file = name.replace(/\.jsonl?$/, '.request.json')
  return ALL.includes(file) ? jsonOfFile(file) : undefined
}
