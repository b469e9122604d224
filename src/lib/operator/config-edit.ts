/** One value of `arbees.yaml` changed, and the rest of the file left as it is. */

import { isMap, isNode, isScalar, isSeq, parseDocument, stringify } from 'yaml'
import type { Document } from 'yaml'
import { parseConfigText } from '../core/config-file.js'
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
 * text must be a settings file without problems.
 */
export function setInConfigText(
  text: string,
  key: SettingKey,
  value: string,
  profile: string | undefined,
): string {
  const document = parseDocument(text)
  const path = pathOf(document, key, profile)
  const replaced = replaceInPlace(text, document.getIn(path, true), yamlValue(key, value))
  // What reads otherwise where it stands (a comma in a list on one line) is set by its whole section.
  if (replaced !== undefined && holds(replaced, key, value, profile)) return replaced
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
function replaceInPlace(text: string, found: unknown, value: string): string | undefined {
  const isOneLine = isScalar(found) ? !isBlock(found.type) : isSeq(found) && found.flow === true
  if (!isOneLine || !isNode(found) || !found.range) return undefined
  return `${text.slice(0, found.range[0])}${value}${text.slice(found.range[1])}`
}

function holds(text: string, key: SettingKey, value: string, profile: string | undefined): boolean {
  const { entries, problems } = parseConfigText(text)
  const found = entries.find((entry) => entry.key === key && entry.profile === profile)
  return problems.length === 0 && found?.value === value
}

const isBlock = (type: string | undefined): boolean => type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED'

/** Where the key stands or would: a file may write `kalshi.rest_url` as one word. */
function pathOf(document: Document, key: SettingKey, profile: string | undefined): string[] {
  const base = profile === undefined ? [] : ['profiles', profile]
  const parent = base.length === 0 ? document.contents : document.getIn(base)
  return isMap(parent) && parent.has(key) ? [...base, key] : [...base, ...key.split('.')]
}

const nested = (path: readonly string[], value: string): string =>
  path.map((name, depth) => `${'  '.repeat(depth)}${name}:`).join('\n') + ` ${value}\n`
