/** Everything that is wrong with a settings file, at once: shape, keys, values, and what a role would refuse later. */

import { loadSettings, parseSetting } from '../core/config.js'
import type { SettingKey } from '../core/config.js'
import { assertPasswordsPrivate, parseConfigText, readConfigText } from '../core/config-file.js'
import type { ConfigFile } from '../core/config-file.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { LEAGUES } from '../model/game.js'
import { parseRedisUrl } from '../redis/url.js'

export interface ConfigProblem {
  /** From 1; null where no single place in the file is wrong. */
  readonly line: number | null
  readonly column: number | null
  /** In which profile; null: in the file's own part. */
  readonly profile: string | null
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

export interface ConfigReport {
  readonly file: string
  readonly valid: boolean
  readonly profiles: readonly string[]
  readonly problems: readonly ConfigProblem[]
}

/** Also whether others can read a password in it. Throws `NO_CONFIG`, `BAD_CONFIG` (exit 4) for what cannot be read. */
export function checkConfigFile(path: string): ConfigReport {
  const text = readConfigText(path)
  const report = checkConfigText(text, path)
  const open = errorOf(() => assertPasswordsPrivate(parseConfigText(text), path))
  if (open === undefined) return report
  return { ...report, valid: false, problems: [...report.problems, problemOf(open, { profile: undefined })] }
}

/** `path` is for the report alone. */
export function checkConfigText(text: string, path: string): ConfigReport {
  const file = parseConfigText(text)
  const problems: ConfigProblem[] = file.problems.map(({ line, column, code, message, hint }) => ({
    ...{ line, column, profile: null, code, message, hint: hint ?? null },
  }))
  for (const { key, value, profile, line, column } of file.entries) {
    const error = errorOf(() => parseSetting(key, value))
    if (error !== undefined) problems.push(problemOf(error, { profile, line, column }))
  }
  // What is said of a whole deployment is said of values that can be read; a profile repeats nothing.
  if (problems.length === 0) {
    const own = deploymentProblems(file, undefined)
    const others = file.profiles.flatMap((profile) => deploymentProblems(file, profile))
    problems.push(...own, ...others.filter(({ message }) => own.every((each) => each.message !== message)))
  }
  problems.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
  return { file: path, valid: problems.length === 0, profiles: file.profiles, problems }
}

/** Lines for people: where, what, and what mends it. */
export function renderConfigReport({ file, valid, profiles, problems }: ConfigReport): string {
  if (valid)
    return sanitize(`${file} is valid${profiles.length === 0 ? '' : `, profiles: ${profiles.join(', ')}`}`)
  const lines = problems.flatMap(({ line, column, profile, message, hint }) => [
    `${file}${line === null ? '' : `:${line}:${column ?? 1}`}: ${profile === null ? '' : `profile ${profile}: `}${message}`,
    ...(hint === null ? [] : [`  ${hint}`]),
  ])
  return lines.map((line) => sanitize(line)).join('\n')
}

function deploymentProblems({ entries }: ConfigFile, profile: string | undefined): ConfigProblem[] {
  const inForce = new Map<SettingKey, (typeof entries)[number]>()
  for (const entry of entries) {
    const isOwn = entry.profile === profile
    if (isOwn || (entry.profile === undefined && !inForce.has(entry.key))) inForce.set(entry.key, entry)
  }
  // A profile answers for what it says, and for what it makes of the rest.
  const flags = Object.fromEntries([...inForce].map(([key, { value }]) => [key, value]))
  const at = (key: SettingKey) => inForce.get(key)
  const loading = errorOf(() => loadSettings({ flags }))
  if (loading !== undefined) return [problemOf(loading, { profile })]
  const { settings } = loadSettings({ flags })
  const unknown = settings.leagues.filter((name) => !(LEAGUES as readonly string[]).includes(name))
  const found = [
    { error: errorOf(() => parseRedisUrl(settings.redis_url)), ...at('redis_url') },
    ...unknown.map((name) => ({
      error: new ArbeesError('BAD_CONFIG', `leagues has '${name}'`, {
        hint: `any of: ${LEAGUES.join(', ')}`,
      }),
      ...at('leagues'),
    })),
  ]
  return found.flatMap(({ error, ...where }) =>
    error === undefined ? [] : [problemOf(error, { ...where, profile })],
  )
}

function errorOf(attempt: () => unknown): unknown {
  try {
    attempt()
    return undefined
  } catch (error) {
    return error
  }
}

function problemOf(
  error: unknown,
  {
    profile,
    line,
    column,
  }: { readonly profile: string | undefined; readonly line?: number; readonly column?: number },
): ConfigProblem {
  const known = error instanceof ArbeesError ? error : undefined
  return {
    ...{ line: line ?? null, column: column ?? null, profile: profile ?? null },
    ...{ code: known?.code ?? 'BAD_CONFIG', message: messageOf(error), hint: known?.hint ?? null },
  }
}
