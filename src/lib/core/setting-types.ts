/** The kinds of settings: how each is read, what it refuses, and how JSON Schema says the same. */

import { parseBytes } from './bytes.js'
import { parseDurationMs } from './duration.js'

export interface Setting<T> {
  /** Reads the text of a flag, a variable or a YAML value; throws a plain Error saying what it wants. */
  readonly parse: (text: string) => T
  readonly fallback: T
  /** The fallback as people write it. */
  readonly written: string
  readonly doc: string
  /** What a YAML value must look like, as JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>
  /** Unit behind the number when it is written out. */
  readonly unit?: string
  /** The text may hold a password: no message repeats it. */
  readonly secret?: true
}

interface TextRule {
  /** The whole text, when it is not empty. */
  readonly pattern: RegExp
  /** What is wanted, behind the word `not`. */
  readonly wanted: string
  readonly mayBeEmpty: boolean
}

/** Text that is one line, and keeps to a rule. `wanted` and `fallback` are the setting's own. */
function ruled({ pattern, wanted, mayBeEmpty }: TextRule, fallback: string, doc: string): Setting<string> {
  const source = mayBeEmpty ? `^$|${pattern.source}` : pattern.source
  return {
    parse: (value) => {
      if (value === '' ? !mayBeEmpty : !pattern.test(value)) throw new Error(wanted)
      return value
    },
    ...{ fallback, written: fallback, doc },
    schema: { type: 'string', pattern: source },
  }
}

/** No control characters, nothing invisible at its ends. */
const PATH: RegExp = /^[^\s\u0000-\u001f\u007f]([^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f])?$/

/** Of a file or a folder. */
export const path = (fallback: string, doc: string): Setting<string> =>
  ruled({ pattern: PATH, wanted: 'a path on one line', mayBeEmpty: fallback === '' }, fallback, doc)

/** What an HTTP header may hold. */
export const headerText = (fallback: string, doc: string): Setting<string> =>
  ruled(
    {
      pattern: /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/,
      wanted: 'one line of printable ASCII',
      mayBeEmpty: false,
    },
    fallback,
    doc,
  )

/** Never empty: to a socket that would mean every address. */
export const address = (fallback: string, doc: string): Setting<string> =>
  ruled({ pattern: /^[A-Za-z0-9_.:%-]+$/, wanted: 'a host or an address', mayBeEmpty: false }, fallback, doc)

/** Scheme and one line; what else it may say, the room that connects checks. */
export const redisUrl = (fallback: string, doc: string): Setting<string> => ({
  ...ruled(
    {
      pattern: /^rediss?(\+sentinel)?:\/\/[^\s\u0000-\u001f\u007f]+$/,
      wanted: 'redis[s]://[user:password@]host[:port][/db] or redis[s]+sentinel://host[:port]/name',
      mayBeEmpty: false,
    },
    fallback,
    doc,
  ),
  secret: true,
})

/** Of a venue; empty: the one of env. No password: it would stand in logs. */
export function url(schemes: readonly string[], doc: string): Setting<string> {
  const wanted = `${schemes.map((scheme) => `${scheme}://`).join(' or ')} with a host, without user, query and spaces`
  const pattern = new RegExp(`^(${schemes.join('|')}):\\/\\/[^\\s@?#\\/]+(\\/[^\\s@?#]*)?$`)
  const { parse, ...rest } = ruled({ pattern, wanted, mayBeEmpty: true }, '', doc)
  return {
    ...rest,
    parse: (value) => {
      if (value !== '' && !URL.canParse(value)) throw new Error(wanted)
      return parse(value)
    },
  }
}

/** As `url`, or `off`. */
export function urlOrOff(schemes: readonly string[], doc: string): Setting<string> {
  const { parse, schema, ...rest } = url(schemes, doc)
  return {
    ...rest,
    parse: (value) => (value === 'off' ? value : parse(value)),
    schema: { anyOf: [schema, { const: 'off' }] },
  }
}

const ENDPOINT = /^tcp:\/\/(?:\*|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(\*|\d{1,5})$/
const ENDPOINT_WANTED = 'tcp://host:port with a port from 1 to 65535 (* when it binds: any)'

function assertEndpoint(value: string): void {
  const port = ENDPOINT.exec(value)?.[1]
  if (port === undefined || (port !== '*' && (Number(port) < 1 || Number(port) > 65_535)))
    throw new Error(ENDPOINT_WANTED)
}

/** Where a socket of the bus binds and is reached; may be empty where its fallback is. */
export const endpoint = (fallback: string, doc: string): Setting<string> => ({
  parse: (value) => {
    if (value !== '' || fallback !== '') assertEndpoint(value)
    return value
  },
  ...{ fallback, written: fallback, doc },
  schema: { type: 'string', pattern: fallback === '' ? `^$|${ENDPOINT.source}` : ENDPOINT.source },
})

export const port = (doc: string): Setting<string> => ({
  parse: (value) => {
    if (value !== '' && (!/^\d{1,5}$/.test(value) || Number(value) > 65_535))
      throw new Error('a port from 0 to 65535')
    return value
  },
  ...{ fallback: '', written: '', doc },
  schema: {
    anyOf: [
      { type: 'integer', minimum: 0, maximum: 65_535 },
      { type: 'string', pattern: '^\\d{0,5}$' },
    ],
  },
})

export const oneOf = <const T extends readonly string[]>(
  allowed: T,
  fallback: T[number],
  doc: string,
): Setting<T[number]> => ({
  parse: (value) => {
    const found = allowed.find((candidate) => candidate === value)
    if (found === undefined) throw new Error(`one of ${allowed.join(', ')}`)
    return found
  },
  ...{ fallback, written: fallback, doc },
  schema: { enum: allowed },
})

export const wholeNumber = (
  fallback: number,
  doc: string,
  { min = 0, max = 999_999_999_999_999 } = {},
): Setting<number> => ({
  parse: (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN
    if (number >= min && number <= max) return number
    throw new Error(`a whole number${min > 0 || max < 1e14 ? ` from ${min} to ${max}` : ''}`)
  },
  ...{ fallback, written: String(fallback), doc },
  schema: { type: 'integer', minimum: min, maximum: max },
})

export const flag = (fallback: boolean, doc: string): Setting<boolean> => ({
  parse: (value) => {
    if (value !== 'true' && value !== 'false') throw new Error('true or false')
    return value === 'true'
  },
  ...{ fallback, written: String(fallback), doc },
  schema: { type: 'boolean' },
})

/** Items between commas. Items count by their place, so none may be empty. */
function listOf(
  fallback: readonly string[],
  doc: string,
  assertItem: (item: string) => void,
  items: RegExp,
): Setting<readonly string[]> {
  return {
    parse: (value) => {
      if (value.trim() === '') return []
      const found = value.split(',').map((item) => item.trim())
      for (const item of found) assertItem(item)
      return found
    },
    ...{ fallback, written: fallback.join(','), doc },
    schema: {
      anyOf: [{ type: 'array', items: { type: 'string', pattern: items.source } }, { type: 'string' }],
    },
  }
}

const NAME = /^[a-z0-9][a-z0-9_-]*$/

export const nameList = (fallback: readonly string[], doc: string): Setting<readonly string[]> =>
  listOf(
    fallback,
    doc,
    (item) => {
      if (!NAME.test(item)) throw new Error('a list of names in lowercase')
    },
    NAME,
  )

export const endpointList = (fallback: readonly string[], doc: string): Setting<readonly string[]> =>
  listOf(
    fallback,
    doc,
    (item) => {
      if (item === '') throw new Error(`a list without holes of ${ENDPOINT_WANTED}`)
      assertEndpoint(item)
    },
    ENDPOINT,
  )

export const duration = (fallback: string, doc: string): Setting<number> => ({
  parse: (value) => {
    let ms = 0
    try {
      ms = parseDurationMs(value)
    } catch {
      // Said below, as the other kinds say it.
    }
    if (ms > 0) return ms
    throw new Error('a duration such as 250ms, 5s, 10m or 1h')
  },
  ...{ fallback: parseDurationMs(fallback), written: fallback, doc, unit: 'ms' },
  schema: { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h)$' },
})

export const bytes = (fallback: string, doc: string): Setting<number> => ({
  parse: (value) => {
    const size = parseBytes(value)
    if (size === 0) throw new Error('a size such as 512KiB, 64MiB or 2GiB')
    return size
  },
  ...{ fallback: parseBytes(fallback), written: fallback, doc, unit: 'B' },
  schema: {
    anyOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: '^\\d{1,12}(B|KiB|MiB|GiB)?$' },
    ],
  },
})
