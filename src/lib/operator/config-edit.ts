/** One value of `arbees.yaml` changed, and the rest of the file left as it is. */

import { isDeepStrictEqual } from 'node:util'
import { isMap, isNode, isScalar, isSeq, parseDocument, stringify } from 'yaml'
import type { Document } from 'yaml'
import { parseConfigText } from '../core/config-file.js'
import type { ConfigFile } from '../core/config-file.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { SETTINGS } from '../core/settings.js'
import type { SettingKey } from '../core/settings.js'

/** A value as YAML on one line; numbers, booleans and lists as themselves. `text` must be one that the setting takes. */
export function yamlValue(key: SettingKey, text: string): string {
  return stringify(typed(key, text), STYLE).trim()
}

const STYLE = {
  lineWidth: 0,
  collectionStyle: 'flow',
  flowCollectionPadding: false,
  singleQuote: true,
} as const

function typed(key: SettingKey, text: string): unknown {
  const parsed: unknown = SETTINGS[key].parse(text)
  const isUnitless = !('unit' in SETTINGS[key])
  return isUnitless ? parsed : text
}

/**
 * The text with `key` set, in `profile` or else in the file's own part. A value that is there on one line is replaced
 * where it stands; a new one joins its section, which makes the file's spacing uniform and keeps its comments. The
 * text must be a settings file without problems. Throws `BAD_CONFIG` (exit 4) where it cannot be set without another
 * setting, as it is with anchors and aliases.
 */
export function setInConfigText(
  text: string,
  key: SettingKey,
  value: string,
  profile: string | undefined,
): string {
  const change = { key, profile, value }
  const before = parseConfigText(text)
  let other: string | undefined
  // What reads otherwise where it stands (a comma in a list on one line) is set by its whole section.
  for (const edit of [replaceInPlace, setInSection]) {
    const edited = attempt(() => edit(text, key, value, profile))
    const after = edited === undefined ? undefined : parseConfigText(edited)
    if (edited === undefined || after === undefined || after.problems.length > 0) continue
    const changed = otherChange(before, after, change)
    if (changed === undefined && holds(after, change)) return edited
    other ??= changed
  }
  const why = other === undefined ? 'where an alias stands' : `alone: ${other} would change, too`
  throw new ArbeesError('BAD_CONFIG', `${nameOf(change)} cannot be set ${why}`, {
    exit: EXIT.CONFIG,
    hint: 'write its values out in place of the anchor (&name) and its aliases (*name), then set it',
  })
}

/** What YAML cannot write (a section that is an alias, an alias without its anchor) is undefined. */
function attempt(edit: () => string | undefined): string | undefined {
  try {
    return edit()
  } catch {
    return undefined
  }
}

function setInSection(text: string, key: SettingKey, value: string, profile: string | undefined): string {
  const document = parseDocument(text)
  const path = pathOf(document, key, profile)
  if (document.contents === null || isScalar(document.contents))
    return `${text.trimEnd()}${text.trim() === '' ? '' : '\n\n'}${nested(path, yamlValue(key, value))}`
  for (let depth = 1; depth < path.length; depth++) {
    const section = document.getIn(path.slice(0, depth), true)
    if (isScalar(section) && section.value === null)
      document.setIn(path.slice(0, depth), document.createNode({}))
  }
  document.setIn(path, document.createNode(typed(key, value), { flow: true }))
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, singleQuote: true })
}

/** Undefined for what is not there, or takes several lines. */
function replaceInPlace(
  text: string,
  key: SettingKey,
  value: string,
  profile: string | undefined,
): string | undefined {
  const document = parseDocument(text)
  const found = document.getIn(pathOf(document, key, profile), true)
  const isOneLine = isScalar(found) ? !isBlock(found.type) : isSeq(found) && found.flow === true
  if (!isOneLine || !isNode(found) || !found.range) return undefined
  return `${text.slice(0, found.range[0])}${yamlValue(key, value)}${text.slice(found.range[1])}`
}

interface Change {
  readonly key: SettingKey
  readonly profile: string | undefined
  readonly value: string
}

/** As the setting reads it: `nba, nhl` may come to stand as a list. */
function holds({ entries }: ConfigFile, { key, profile, value }: Change): boolean {
  const found = entries.find((entry) => entry.key === key && entry.profile === profile)
  const read = (text: string): unknown => SETTINGS[key].parse(text)
  return found !== undefined && isDeepStrictEqual(read(found.value), read(value))
}

/** The first setting beside the one that is to change which is another one than before. */
function otherChange(before: ConfigFile, after: ConfigFile, change: Change): string | undefined {
  const [old, now] = [valuesOf(before), valuesOf(after)]
  const names = [...now.keys(), ...old.keys()]
  return names.find((name) => name !== nameOf(change) && now.get(name) !== old.get(name))
}

const valuesOf = ({ entries }: ConfigFile): ReadonlyMap<string, string> =>
  new Map(entries.map((entry) => [nameOf(entry), entry.value]))

const nameOf = ({ key, profile }: { readonly key: string; readonly profile: string | undefined }): string =>
  profile === undefined ? key : `profile ${profile}: ${key}`

const isBlock = (type: string | undefined): boolean => type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED'

/** Where the key stands or would: a file may write `kalshi.rest_url` as one word. */
function pathOf(document: Document, key: SettingKey, profile: string | undefined): string[] {
  const base = profile === undefined ? [] : ['profiles', profile]
  const parent = base.length === 0 ? document.contents : document.getIn(base)
  return isMap(parent) && parent.has(key) ? [...base, key] : [...base, ...key.split('.')]
}

const nested = (path: readonly string[], value: string): string =>
  path.map((name, depth) => `${'  '.repeat(depth)}${name}:`).join('\n') + ` ${value}\n`
