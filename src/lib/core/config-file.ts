/**
 * `arbees.yaml`: settings by section, and under `profiles` the same again for each profile, whose values are taken
 * before the file's own.
 *
 *     redis_url: redis://10.0.0.5
 *     kalshi:
 *       credentials_file: /etc/arbees/kalshi.json
 *     profiles:
 *       prod:
 *         env: prod
 */

import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document, Node, YAMLMap } from 'yaml'
import { ArbeesError, EXIT, messageOf } from './errors.js'
import { nearest } from './nearest.js'
import { assertPrivateFile, hasPassword } from './secrets.js'
import { SECTIONS, isSettingKey, nearHint, nearestKey } from './settings.js'
import type { SettingKey } from './settings.js'
import { yamlFault } from './yaml-fault.js'

/** One value as it stands in the file; line and column count from 1. */
export interface FileEntry {
  /** The profile that it belongs to; undefined: the file's own. */
  readonly profile: string | undefined
  readonly key: SettingKey
  readonly value: string
  readonly line: number
  readonly column: number
}

export interface FileProblem {
  readonly code: 'BAD_CONFIG' | 'UNKNOWN_SETTING'
  readonly line: number
  readonly column: number
  readonly message: string
  readonly hint?: string
}

export interface ConfigFile {
  readonly entries: readonly FileEntry[]
  /** In the order of the file. */
  readonly profiles: readonly string[]
  /** What is not a settings file about it, in the order of the file; values are not looked at. */
  readonly problems: readonly FileProblem[]
}

const PROFILE_NAME = /^[a-z][a-z0-9_-]{0,31}$/

/** Throws `NO_CONFIG`, `BAD_CONFIG`, and `OPEN_SECRET` for a password that others can read (all exit 4). */
export function readConfigFile(path: string): ConfigFile {
  const file = parseConfigText(readConfigText(path))
  assertPasswordsPrivate(file, path)
  return file
}

/** Throws `NO_CONFIG`, `BAD_CONFIG` (exit 4). */
export function readConfigText(path: string): string {
  if (!existsSync(path)) {
    throw new ArbeesError('NO_CONFIG', `no config file at ${resolve(path)}`, {
      exit: EXIT.CONFIG,
      hint: 'arbees config init writes one',
    })
  }
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ArbeesError('BAD_CONFIG', `${path}: ${messageOf(error)}`, { exit: EXIT.CONFIG, cause: error })
  }
}

/** Throws `OPEN_SECRET` (exit 4) for a password that others can read. */
export function assertPasswordsPrivate({ entries }: ConfigFile, path: string): void {
  if (entries.some(({ value }) => hasPassword(value))) assertPrivateFile(path)
}

export function parseConfigText(text: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const walk = new Walk(document, lines)
  const fault = yamlFault(document, text)
  if (fault === undefined) walk.document()
  else walk.report('BAD_CONFIG', fault.offset, fault.message, fault.hint)
  return walk
}

/** `a, b` and how to make one, for who asked for another. */
export function unknownProfile(name: string, path: string, profiles: readonly string[]): ArbeesError {
  const known = profiles.length === 0 ? 'it has none' : `it has ${profiles.join(', ')}`
  return new ArbeesError('UNKNOWN_PROFILE', `${path} has no profile '${name}': ${known}`, {
    exit: EXIT.CONFIG,
    hint: `arbees config set env prod --profile ${PROFILE_NAME.test(name) ? name : 'prod'} begins one`,
  })
}

/** Throws `BAD_PROFILE` (usage) for what cannot be the name of a profile. */
export function assertProfileName(name: string): void {
  if (PROFILE_NAME.test(name)) return
  throw new ArbeesError('BAD_PROFILE', `not a name of a profile: '${name}'`, {
    exit: EXIT.USAGE,
    hint: 'lowercase letters, digits, - and _, at most 32',
  })
}

class Walk implements ConfigFile {
  readonly entries: FileEntry[] = []
  readonly profiles: string[] = []
  readonly problems: FileProblem[] = []

  constructor(
    private readonly source: Document,
    private readonly lines: LineCounter,
  ) {}

  document(): void {
    const { contents } = this.source
    if (contents === null || (isScalar(contents) && contents.value === null)) return
    if (isMap(contents)) this.section(contents, '', undefined)
    else this.report('BAD_CONFIG', startOf(contents), 'not `key: value` lines')
  }

  report(code: FileProblem['code'], offset: number, message: string, hint?: string): void {
    const { line, col: column } = this.lines.linePos(offset)
    this.problems.push({ code, line, column, message, ...(hint === undefined ? {} : { hint }) })
  }

  private section(map: YAMLMap, prefix: string, profile: string | undefined): void {
    for (const pair of map.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
      const key = `${prefix}${name}`
      const at = startOf(pair.key as Node)
      const value = this.resolved(pair.value as Node | null)
      const isEmpty = value === null || (isScalar(value) && value.value === null)
      if (key === 'profiles' && profile === undefined) {
        if (isMap(value)) this.profileSections(value)
        else if (!isEmpty) this.report('BAD_CONFIG', at, 'profiles is not a section of sections')
      } else if (name === '<<') {
        this.report('BAD_CONFIG', at, 'merge keys are not taken', 'write its settings out instead')
      } else if (isSettingKey(key)) {
        if (isEmpty)
          this.report('BAD_CONFIG', at, `${key} has no value`, `write '' for none, or take the line out`)
        else this.entry(key, value, profile, at)
      } else if (prefix === '' && SECTIONS.has(key)) {
        if (isMap(value)) this.section(value, `${key}.`, profile)
        else if (!isEmpty) this.report('BAD_CONFIG', at, `${key} is a section, not a value`)
      } else if (prefix === '' && isMap(value)) {
        const near = nearest(key, [...SECTIONS, ...(profile === undefined ? ['profiles'] : [])])
        this.report('UNKNOWN_SETTING', at, `no section is named '${key}'`, nearHint(near))
      } else {
        this.report('UNKNOWN_SETTING', at, `no setting is named '${key}'`, nearHint(nearestKey(key)))
      }
    }
  }

  private profileSections(map: YAMLMap): void {
    for (const pair of map.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
      const value = this.resolved(pair.value as Node | null)
      const at = startOf(pair.key as Node)
      if (!PROFILE_NAME.test(name)) {
        this.report(
          'BAD_CONFIG',
          at,
          `not a name of a profile: '${name}'`,
          'lowercase letters, digits, - and _',
        )
        continue
      }
      this.profiles.push(name)
      if (isMap(value)) this.section(value, '', name)
      else if (value !== null && !(isScalar(value) && value.value === null))
        this.report('BAD_CONFIG', at, `profile ${name} is not a section`)
    }
  }

  private entry(key: SettingKey, node: Node | null, profile: string | undefined, keyAt: number): void {
    const items = isSeq(node) ? node.items.map((item) => this.resolved(item as Node | null)) : [node]
    const scalars = items.filter((item) => isScalar(item))
    if (scalars.length < items.length || scalars.some(({ value }) => value === null)) {
      this.report('BAD_CONFIG', keyAt, `${key} is neither a value nor a list of values`)
      return
    }
    if (this.entries.some((other) => other.key === key && other.profile === profile)) {
      this.report('BAD_CONFIG', keyAt, `${key} is given twice`)
      return
    }
    const { line, col: column } = this.lines.linePos(startOf(node))
    this.entries.push({
      profile,
      key,
      value: scalars.map(({ value }) => String(value)).join(','),
      line,
      column,
    })
  }

  private resolved(node: Node | null): Node | null {
    if (!isAlias(node)) return node
    const meant = node.resolve(this.source)
    if (meant === undefined) {
      const hint = `no &${node.source} stands before it; quote a value that begins with *`
      this.report('BAD_CONFIG', startOf(node), `*${node.source} stands for nothing`, hint)
    }
    return meant ?? null
  }
}

const startOf = (node: Node | null): number => node?.range?.[0] ?? 0
