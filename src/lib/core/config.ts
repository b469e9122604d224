/**
 * Settings: flag, then environment, then what a running `up` left in `up.json`, then `arbees.yaml`, then default.
 * An unknown key is an error; every value knows where it came from. Secrets are never settings: only the paths of
 * their files are.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { ArbeesError, EXIT, messageOf } from './errors.js'
import { parseDurationMs } from './duration.js'
import { parseBytes } from './bytes.js'
import { nearest } from './nearest.js'

interface Setting<T> {
  /** Reads the text of a flag, a variable or a YAML scalar; throws a plain Error saying what it wants. */
  readonly parse: (text: string) => T
  readonly fallback: T
  readonly doc: string
  /** Unit behind the number when it is written out. */
  readonly unit?: string
}

const text = (fallback: string, doc: string): Setting<string> => ({ parse: (value) => value, fallback, doc })

const port = (doc: string): Setting<string> => ({
  parse: (value) => {
    if (value !== '' && (!/^\d{1,5}$/.test(value) || Number(value) > 65_535)) throw new Error('a port')
    return value
  },
  fallback: '',
  doc,
})

/** Never empty: to a socket that would mean every address. */
const address = (fallback: string, doc: string): Setting<string> => ({
  parse: (value) => {
    if (value.trim() === '') throw new Error('a host or an address')
    return value
  },
  fallback,
  doc,
})

const oneOf = <const T extends readonly string[]>(
  allowed: T,
  fallback: T[number],
  doc: string,
): Setting<T[number]> => ({
  parse: (value) => {
    const found = allowed.find((candidate) => candidate === value)
    if (found === undefined) throw new Error(`one of ${allowed.join(', ')}`)
    return found
  },
  fallback,
  doc,
})

const wholeNumber = (fallback: number, doc: string): Setting<number> => ({
  parse: (value) => {
    if (!/^\d{1,15}$/.test(value)) throw new Error('a whole number')
    return Number(value)
  },
  fallback,
  doc,
})

const flag = (fallback: boolean, doc: string): Setting<boolean> => ({
  parse: (value) => {
    if (value !== 'true' && value !== 'false') throw new Error('true or false')
    return value === 'true'
  },
  fallback,
  doc,
})

const list = (fallback: readonly string[], doc: string): Setting<readonly string[]> => ({
  parse: (value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  fallback,
  doc,
})

const duration = (fallback: string, doc: string): Setting<number> => ({
  parse: parseDurationMs,
  fallback: parseDurationMs(fallback),
  doc,
  unit: 'ms',
})

const bytes = (fallback: string, doc: string): Setting<number> => ({
  parse: parseBytes,
  fallback: parseBytes(fallback),
  doc,
  unit: 'B',
})

/** Every setting. The environment twin of `kalshi.rest_url` is `ARBEES_KALSHI__REST_URL`. Durations are in ms. */
export const SETTINGS = {
  env: oneOf(['sim', 'demo', 'prod'], 'sim', 'where the data come from'),
  data_dir: text('.arbees', 'journals, ledger, latch, keys of the simulator, up.json'),
  redis_url: text(
    'redis://127.0.0.1:6379',
    'the Redis of the cold path: redis[s]://…, or redis[s]+sentinel://…; with a password a secret',
  ),
  log_level: oneOf(['debug', 'info', 'warn', 'error'], 'info', 'least severe line to log'),
  log_format: oneOf(['auto', 'pretty', 'json'], 'auto', 'auto: lines on a terminal, JSON in a pipe'),
  allow_plain_bind: flag(false, 'bind beyond loopback without keys; warns'),
  transport: oneOf(['zmq', 'redis'], 'zmq', 'what a role reads: the bus, or what the mirror wrote'),
  redis_publish: flag(false, "also PUBLISH the first design's bare bodies to Redis, best effort"),
  epoch_floor: wholeNumber(0, 'least epoch to begin with: mends EPOCH_REGRESSED after a clock was set back'),
  metrics_port: port('where /metrics is answered; empty: nowhere, 0: any free port'),
  metrics_host: address('127.0.0.1', 'address that metrics_port is bound on'),
  keys_dir: text('', 'CURVE keys, allow-list and HMAC key of this deployment; empty: no keys, loopback only'),
  'journal.retain': bytes('2GiB', 'kept of each channel on disk, about'),
  shards: wholeNumber(1, 'how many shards there are'),
  leagues: list(['nba', 'nhl', 'nfl', 'mlb', 'wnba'], 'leagues to follow'),
  legacy_endpoints: list([], 'endpoints of first-design senders, tcp://host:port'),
  'endpoints.kalshi': text('tcp://127.0.0.1:5555', "the Kalshi monitor's publisher"),
  'endpoints.poly': text('tcp://127.0.0.1:5556', "the Polymarket monitor's publisher"),
  'endpoints.orchestrator': text('tcp://127.0.0.1:5557', "the orchestrator's publisher"),
  'endpoints.shards': list(
    ['tcp://127.0.0.1:5558'],
    "the shards' publishers, by index; the rest get their default ports",
  ),
  'endpoints.exec': text('tcp://127.0.0.1:5560', "exec's publisher"),
  'endpoints.replay': text('tcp://127.0.0.1:5565', "a replay's publisher"),
  'recovery.kalshi': text('', "the Kalshi monitor's recovery socket; empty: its publisher's port + 1000"),
  'recovery.poly': text('', "the Polymarket monitor's recovery socket; empty: port + 1000"),
  'recovery.orchestrator': text('', "the orchestrator's recovery socket; empty: port + 1000"),
  'recovery.shards': list([], "the shards' recovery sockets, by index; the rest: port + 1000"),
  'recovery.exec': text('', "exec's recovery socket; empty: port + 1000"),
  'recovery.replay': text('', "a replay's recovery socket; empty: port + 1000"),
  'kalshi.rest_url': text('', 'Kalshi REST base; empty: the one of env'),
  'kalshi.ws_url': text('', 'Kalshi WebSocket; empty: the one of env'),
  'kalshi.credentials_file': text('', 'JSON {key_id, key_file} of a read-only key, mode 0600'),
  'kalshi.trading_credentials_file': text(
    '',
    'JSON {key_id, key_file} of the key that exec trades with, mode 0600',
  ),
  'polymarket.clob_url': text('', 'Polymarket CLOB REST base; empty: the one of env'),
  'polymarket.ws_url': text('', 'Polymarket market WebSocket; empty: the one of env'),
  'polymarket.gamma_url': text('', 'Gamma base; empty: the one of env'),
  'polymarket.credentials_file': text(
    '',
    'JSON {private_key, api_key, secret, passphrase}, mode 0600; exec only',
  ),
  'espn.url': text('', 'scoreboard base; empty: the one of env'),
  'espn.user_agent': text(
    'arbees/0.1 (+https://github.com/arbees/arbees)',
    'honest name, sent to the scoreboard',
  ),
  'strategy.min_edge_micros': wholeNumber(2_000, 'least net edge per contract, micro-dollars'),
  'strategy.max_size': wholeNumber(100, 'most contracts in one signal'),
  'strategy.valid': duration('1500ms', 'how long a signal may open'),
  'limits.order_usd': wholeNumber(200, 'most dollars in one order'),
  'limits.game_usd': wholeNumber(1_000, 'most dollars at risk in one game'),
  'limits.total_usd': wholeNumber(5_000, 'most dollars at risk in total'),
  'mirror.prices_maxlen': wholeNumber(10_000, 'entries kept in each price, book and game stream'),
  'mirror.signals_maxlen': wholeNumber(1_000, 'entries kept of signals'),
  'mirror.history_maxlen': wholeNumber(100_000, 'entries kept of orders and trades'),
  'record.segment': bytes('16MiB', 'compressed bytes of a file of a recording, about'),
  'record.segment_time': duration('1h', 'a file of a recording is closed after so long'),
  'record.retain': bytes('20GiB', 'kept of a recording, about'),
} as const

export type SettingKey = keyof typeof SETTINGS
export type Settings = {
  readonly [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never
}

export interface LoadedSettings {
  readonly settings: Settings
  readonly origins: Readonly<Record<SettingKey, string>>
}

/** What a running `up` leaves in `data_dir/up.json` for the operator's commands. */
export interface UpFile {
  readonly pid: number
  readonly boot_id: string
  readonly settings: Readonly<Record<string, string>>
  /** Where each role answers for its metrics; empty where none does. */
  readonly metrics: Readonly<Record<string, string>>
}

export interface ConfigSources {
  readonly flags?: Readonly<Partial<Record<SettingKey, string | undefined>>>
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Settings from up.json, when that process is alive. */
  readonly up?: Readonly<Record<string, string>>
  /** Path of the YAML file; it must exist when `required`. */
  readonly file?: { readonly path: string; readonly required: boolean }
}

export const SETTING_KEYS = Object.keys(SETTINGS) as SettingKey[]

export const environmentName = (key: SettingKey): string => `ARBEES_${key.toUpperCase().replace('.', '__')}`

/** Variables that begin like settings and are none. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'ARBEES_CONFIG',
  'ARBEES_FIXTURES',
  'ARBEES_SIM_SEED',
  'ARBEES_SIM_SPEED',
])

/** A misspelled limit must not be silently ignored. */
function refuseUnknownVariables(environment: Readonly<Record<string, string | undefined>>): void {
  const known = new Set(SETTING_KEYS.map(environmentName))
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('ARBEES_') || known.has(name) || OTHER_VARIABLES.has(name)) continue
    const key = name.slice('ARBEES_'.length).toLowerCase().replace('__', '.')
    throw new ArbeesError('UNKNOWN_SETTING', `environment: no setting is named '${name}'`, {
      exit: EXIT.CONFIG,
      hint: `near: ${environmentName(nearest(key, SETTING_KEYS).name)}`,
    })
  }
}

/** Loads every setting. Throws `BAD_CONFIG` (exit 4) naming the key, the value, its origin and what is wanted. */
export function loadSettings({ flags = {}, environment = {}, up = {}, file }: ConfigSources): LoadedSettings {
  refuseUnknownVariables(environment)
  const yaml = file === undefined ? {} : readYaml(file)
  const settings: Record<string, unknown> = {}
  const origins: Record<string, string> = {}
  for (const key of SETTING_KEYS) {
    const [value, origin] = firstGiven([
      [flags[key], 'flag'],
      [environment[environmentName(key)], `environment ${environmentName(key)}`],
      [up[key], 'up.json'],
      [yaml[key], file?.path ?? 'arbees.yaml'],
    ])
    origins[key] = origin
    settings[key] = value === undefined ? SETTINGS[key].fallback : parseSetting(key, value, origin)
  }
  return { settings: settings as Settings, origins: origins as Record<SettingKey, string> }
}

/** A value back as the text that `loadSettings` reads: how `up` hands its own settings on. */
export function settingText(key: SettingKey, value: Settings[SettingKey]): string {
  const setting: Setting<unknown> = SETTINGS[key]
  return Array.isArray(value) ? value.join(',') : `${String(value)}${setting.unit ?? ''}`
}

function firstGiven(
  candidates: readonly (readonly [string | undefined, string])[],
): [string | undefined, string] {
  for (const [value, origin] of candidates) {
    if (value !== undefined) return [value, origin]
  }
  return [undefined, 'default']
}

function parseSetting(key: SettingKey, value: string, origin: string): unknown {
  try {
    return SETTINGS[key].parse(value)
  } catch (error) {
    throw new ArbeesError('BAD_CONFIG', `${key} is '${value}' (${origin}), not ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      hint: `${key}: ${SETTINGS[key].doc}`,
    })
  }
}

/** Flattens the YAML file to dotted keys. */
function readYaml({
  path,
  required,
}: {
  readonly path: string
  readonly required: boolean
}): Record<string, string> {
  if (!existsSync(path)) {
    if (!required) return {}
    throw new ArbeesError('NO_CONFIG', `no config file at ${resolve(path)}`, { exit: EXIT.CONFIG })
  }
  let document: unknown
  try {
    document = parseYaml(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ArbeesError('BAD_CONFIG', `${path}: ${messageOf(error)}`, { exit: EXIT.CONFIG, cause: error })
  }
  const flat: Record<string, string> = {}
  if (document !== null && document !== undefined) flatten(document, '', path, flat)
  return flat
}

function flatten(node: unknown, prefix: string, path: string, into: Record<string, string>): void {
  if (typeof node === 'object' && node !== null && !Array.isArray(node)) {
    for (const [name, child] of Object.entries(node))
      flatten(child, prefix === '' ? name : `${prefix}.${name}`, path, into)
    return
  }
  if (!(prefix in SETTINGS)) {
    throw new ArbeesError('UNKNOWN_SETTING', `${path}: no setting is named '${prefix || String(node)}'`, {
      exit: EXIT.CONFIG,
      hint: `near: ${nearest(prefix, SETTING_KEYS).name}`,
    })
  }
  into[prefix] = Array.isArray(node) ? node.map(String).join(',') : String(node)
}

export const upFilePath = (dataDir: string): string => join(dataDir, 'up.json')
