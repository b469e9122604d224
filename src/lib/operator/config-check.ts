/** Everything that is wrong with a settings file, at once: shape, keys, values, and what a role would refuse later. */

import { loadSettings, parseSetting } from '../core/config.js'
import type { SettingKey, Settings } from '../core/config.js'
import { parseConfigText } from '../core/config-file.js'
import type { ConfigFile, FileEntry } from '../core/config-file.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { deploymentFaults } from './config-deployment.js'

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
  /** What nobody refuses, and is hardly meant. */
  readonly warnings: readonly ConfigProblem[]
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
  // What is said of a whole deployment is said of values that can be read.
  const findings = problems.length === 0 ? eachProfile(file, deploymentFindings) : []
  problems.push(...findings.filter(({ isWarning }) => !isWarning).map(({ problem }) => problem))
  const warnings = findings.filter(({ isWarning }) => isWarning).map(({ problem }) => problem)
  for (const each of [problems, warnings]) each.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
  return { file: path, valid: problems.length === 0, profiles: file.profiles, problems, warnings }
}

/** What a look at the file's own part and at each profile finds; a profile repeats nothing. */
export function eachProfile<Finding extends { readonly problem: ConfigProblem }>(
  file: ConfigFile,
  look: (inForce: InForce, profile: string | undefined) => readonly Finding[],
): Finding[] {
  const own = look(inForceOf(file, undefined), undefined)
  const others = file.profiles.flatMap((profile) => look(inForceOf(file, profile), profile))
  const isNew = ({ problem: { message } }: Finding) => own.every(({ problem }) => problem.message !== message)
  return [...own, ...others.filter(isNew)]
}

/** The values of a file by their keys, and where they stand. */
export type InForce = ReadonlyMap<SettingKey, FileEntry>

function inForceOf({ entries }: ConfigFile, profile: string | undefined): InForce {
  const inForce = new Map<SettingKey, FileEntry>()
  for (const entry of entries) {
    const isOwn = entry.profile === profile
    if (isOwn || (entry.profile === undefined && !inForce.has(entry.key))) inForce.set(entry.key, entry)
  }
  return inForce
}

/** With the defaults of all that the file leaves out. Throws what `loadSettings` throws. */
export const settingsOf = (inForce: InForce): Settings =>
  loadSettings({ flags: Object.fromEntries([...inForce].map(([key, { value }]) => [key, value])) }).settings

/** Lines for people: where, what, and what mends it. */
export function renderConfigReport({ file, valid, profiles, problems, warnings }: ConfigReport): string {
  const line = (kind: string, { line, column, profile, message, hint }: ConfigProblem): string[] => [
    `${file}${line === null ? '' : `:${line}:${column ?? 1}`}: ${kind}${profile === null ? '' : `profile ${profile}: `}${message}`,
    ...(hint === null ? [] : [`  ${hint}`]),
  ]
  const lines = [
    ...(valid
      ? [`${file} is valid${profiles.length === 0 ? '' : `, profiles: ${profiles.join(', ')}`}`]
      : []),
    ...problems.flatMap((problem) => line('', problem)),
    ...warnings.flatMap((warning) => line('warning: ', warning)),
  ]
  return lines.map((each) => sanitize(each)).join('\n')
}

interface DeploymentFinding {
  readonly problem: ConfigProblem
  readonly isWarning: boolean
}

/** A profile answers for what it says, and for what it makes of the rest. */
function deploymentFindings(inForce: InForce, profile: string | undefined): DeploymentFinding[] {
  let settings: Settings
  try {
    settings = settingsOf(inForce)
  } catch (error) {
    return [{ problem: problemOf(error, { profile }), isWarning: false }]
  }
  return deploymentFaults(settings).map(({ error, keys, isWarning }) => {
    const place = keys.map((key) => inForce.get(key)).find((entry) => entry !== undefined)
    return { problem: problemOf(error, { ...place, profile }), isWarning }
  })
}

export function errorOf(attempt: () => unknown): unknown {
  try {
    attempt()
    return undefined
  } catch (error) {
    return error
  }
}

export function problemOf(
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
