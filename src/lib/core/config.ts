/**
 * Settings from all their sources: flag, then environment, then `.env`, then what a running `up` left in `up.json`,
 * then the chosen profile of `arbees.yaml`, then the rest of that file, then default. An unknown key is an error;
 * every value knows where it came from.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readConfigFile, unknownProfile } from './config-file.js'
import type { FileEntry } from './config-file.js'
import { DOTENV_FILE, SHELL_VARIABLES, unknownVariable } from './dotenv.js'
import type { Dotenv } from './dotenv.js'
import { ArbeesError, EXIT, messageOf } from './errors.js'
import { maskPassword } from './secrets.js'
import { SETTINGS, SETTING_KEYS, environmentName } from './settings.js'
import type { SettingKey, Settings } from './settings.js'
import type { Setting } from './setting-types.js'

export { SETTINGS, SETTING_KEYS, environmentName, settingText } from './settings.js'
export type { SettingKey, Settings } from './settings.js'

export interface LoadedSettings {
  readonly settings: Settings
  readonly origins: Readonly<Record<SettingKey, string>>
  /** The profile that was chosen. */
  readonly profile?: string
}

/** What a running `up` leaves in `data_dir/up.json` for the operator's commands. */
export interface UpFile {
  readonly pid: number
  readonly boot_id: string
  readonly settings: Readonly<Record<string, string>>
  /** The profile that it was started with. */
  readonly profile?: string
  /** Where each role answers for its metrics; empty where none does. */
  readonly metrics: Readonly<Record<string, string>>
}

export interface ConfigSources {
  readonly flags?: Readonly<Partial<Record<SettingKey, string | undefined>>>
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly dotenv?: Dotenv
  /** Settings from up.json, when that process is alive. */
  readonly up?: Readonly<Record<string, string>>
  /** Path of the YAML file; it must exist when `required`, or when a profile of it is wanted. */
  readonly file?: { readonly path: string; readonly required: boolean }
  /** Which profile of the file. */
  readonly profile?: string | undefined
}

/** Where the shell finds its completions: what `arbees autocomplete` says to set. */
const COMPLETION_PREFIX = 'ARBEES_AC_'
/** Variables that begin like settings and are none. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  ...SHELL_VARIABLES,
  'ARBEES_FIXTURES',
  'ARBEES_SIM_SEED',
  'ARBEES_SIM_SPEED',
])

/** A misspelled limit must not be silently ignored. */
function refuseUnknownVariables(environment: Readonly<Record<string, string | undefined>>): void {
  const known = new Set(SETTING_KEYS.map(environmentName))
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('ARBEES_') || known.has(name) || OTHER_VARIABLES.has(name)) continue
    if (name.startsWith(COMPLETION_PREFIX)) continue
    throw unknownVariable(name, 'environment')
  }
}

/** A value, how `config show` names its origin, and how an error does. */
interface Candidate {
  readonly value: string
  readonly origin: string
  readonly where: string
}

/**
 * Loads every setting. Throws `BAD_CONFIG` (exit 4) naming the key, the value, its origin and what is wanted, and
 * `UNKNOWN_SETTING`, `UNKNOWN_PROFILE`, `NO_CONFIG`, `OPEN_SECRET` (exit 4).
 */
export function loadSettings(sources: ConfigSources): LoadedSettings {
  const { flags = {}, environment = {}, dotenv = {}, up = {}, file, profile } = sources
  refuseUnknownVariables(environment)
  const entries = file === undefined ? [] : entriesOf(file, profile)
  const plain = (value: string | undefined, origin: string): Candidate | undefined =>
    value === undefined ? undefined : { value, origin, where: origin }
  const variable = (name: string): Candidate | undefined => {
    const found = dotenv[name]
    if (found === undefined) return undefined
    return { value: found.value, origin: `${DOTENV_FILE} ${name}`, where: `${DOTENV_FILE}:${found.line}` }
  }
  const inFile = (key: SettingKey, wanted: string | undefined): Candidate | undefined => {
    const found = entries.find((entry) => entry.key === key && entry.profile === wanted)
    if (found === undefined || file === undefined) return undefined
    const origin = wanted === undefined ? file.path : `${file.path} profile ${wanted}`
    return { value: found.value, origin, where: `${file.path}:${found.line}:${found.column}` }
  }
  const settings: Record<string, unknown> = {}
  const origins: Record<string, string> = {}
  for (const key of SETTING_KEYS) {
    const name = environmentName(key)
    const found =
      plain(flags[key], 'flag') ??
      plain(environment[name], `environment ${name}`) ??
      variable(name) ??
      plain(up[key], 'up.json') ??
      (profile === undefined ? undefined : inFile(key, profile)) ??
      inFile(key, undefined)
    origins[key] = found?.origin ?? 'default'
    settings[key] = found === undefined ? SETTINGS[key].fallback : parseSetting(key, found.value, found.where)
  }
  refuseRecoveryBeyondPorts(settings as Settings)
  return {
    ...{ settings: settings as Settings, origins: origins as Record<SettingKey, string> },
    ...(profile === undefined ? {} : { profile }),
  }
}

/** Where a value came from, without its name: what `config show --origin` asks for. */
export const ORIGIN_KINDS = ['flag', 'environment', '.env', 'up.json', 'profile', 'file', 'default'] as const
export type OriginKind = (typeof ORIGIN_KINDS)[number]

export function originKind(origin: string): OriginKind {
  if (origin === 'flag' || origin === 'up.json' || origin === 'default') return origin
  if (origin.startsWith('environment ARBEES_')) return 'environment'
  if (origin.startsWith(`${DOTENV_FILE} ARBEES_`)) return '.env'
  return / profile \S+$/.test(origin) ? 'profile' : 'file'
}

/** Reads one value; `where` it stands is for the message. Throws `BAD_CONFIG` (exit 4). */
export function parseSetting(key: SettingKey, value: string, where?: string): unknown {
  const setting: Setting<unknown> = SETTINGS[key]
  try {
    return setting.parse(value)
  } catch (error) {
    const origin = where === undefined ? '' : ` (${where})`
    const what =
      setting.secret === true ? `${key}${origin} is` : `${key} is '${maskPassword(value)}'${origin},`
    throw new ArbeesError('BAD_CONFIG', `${what} not ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      hint: `${key}: ${setting.doc}`,
    })
  }
}

/** The file as far as it is for this profile. What is wrong in another profile is wrong, too. */
function entriesOf(
  { path, required }: { readonly path: string; readonly required: boolean },
  profile: string | undefined,
): readonly FileEntry[] {
  if (!required && profile === undefined && !existsSync(path)) return []
  const { entries, profiles, problems } = readConfigFile(path)
  const [first] = problems
  if (first !== undefined) {
    throw new ArbeesError(first.code, `${path}:${first.line}:${first.column}: ${first.message}`, {
      exit: EXIT.CONFIG,
      ...(first.hint === undefined ? {} : { hint: first.hint }),
    })
  }
  if (profile !== undefined && !profiles.includes(profile)) throw unknownProfile(profile, path, profiles)
  return entries
}

/** Who says nothing of a recovery socket gets the publisher's port + 1000, which must be one. */
function refuseRecoveryBeyondPorts(settings: Settings): void {
  for (const name of ['kalshi', 'poly', 'orchestrator', 'exec', 'replay'] as const)
    assertRoomAbove(`endpoints.${name}`, settings[`endpoints.${name}`], settings[`recovery.${name}`])
  for (const [index, url] of settings['endpoints.shards'].entries())
    assertRoomAbove('endpoints.shards', url, settings['recovery.shards'][index] ?? '')
}

function assertRoomAbove(key: SettingKey, url: string, recovery: string): void {
  if (recovery !== '' || Number(/:(\d+)$/.exec(url)?.[1] ?? 0) <= 64_535) return
  throw new ArbeesError('BAD_CONFIG', `${key} is '${url}', which leaves no port 1000 above it for recovery`, {
    exit: EXIT.CONFIG,
    hint: `take a port up to 64535, or set ${key.replace('endpoints', 'recovery')}`,
  })
}

export const upFilePath = (dataDir: string): string => join(dataDir, 'up.json')
