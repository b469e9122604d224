/** Every setting there is, by its dotted key. Secrets are never settings: only the paths of their files are. */

import { nearest } from './nearest.js'
import {
  address,
  bytes,
  duration,
  endpoint,
  endpointList,
  flag,
  headerText,
  nameList,
  oneOf,
  path,
  port,
  redisUrl,
  url,
  urlOrOff,
  wholeNumber,
} from './setting-types.js'
import type { Setting } from './setting-types.js'

/** Every setting. The environment twin of `kalshi.rest_url` is `ARBEES_KALSHI__REST_URL`. Durations are in ms. */
export const SETTINGS = {
  env: oneOf(['sim', 'demo', 'prod'], 'sim', 'where the data come from'),
  data_dir: path('.arbees', 'journals, ledger, latch, keys of the simulator, up.json'),
  redis_url: redisUrl(
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
  keys_dir: path('', 'CURVE keys, allow-list and HMAC key of this deployment; empty: no keys, loopback only'),
  'journal.retain': bytes('2GiB', 'kept of each channel on disk, about'),
  shards: wholeNumber(1, 'how many shards there are', { min: 1, max: 64 }),
  leagues: nameList(['nba', 'nhl', 'nfl', 'mlb', 'wnba'], 'leagues to follow'),
  legacy_endpoints: endpointList([], 'endpoints of first-design senders, tcp://host:port'),
  'endpoints.kalshi': endpoint('tcp://127.0.0.1:5555', "the Kalshi monitor's publisher"),
  'endpoints.poly': endpoint('tcp://127.0.0.1:5556', "the Polymarket monitor's publisher"),
  'endpoints.orchestrator': endpoint('tcp://127.0.0.1:5557', "the orchestrator's publisher"),
  'endpoints.shards': endpointList(
    ['tcp://127.0.0.1:5558'],
    "the shards' publishers, by index; the rest get their default ports",
  ),
  'endpoints.exec': endpoint('tcp://127.0.0.1:5560', "exec's publisher"),
  'endpoints.replay': endpoint('tcp://127.0.0.1:5565', "a replay's publisher"),
  'recovery.kalshi': endpoint('', "the Kalshi monitor's recovery socket; empty: its publisher's port + 1000"),
  'recovery.poly': endpoint('', "the Polymarket monitor's recovery socket; empty: port + 1000"),
  'recovery.orchestrator': endpoint('', "the orchestrator's recovery socket; empty: port + 1000"),
  'recovery.shards': endpointList([], "the shards' recovery sockets, by index; the rest: port + 1000"),
  'recovery.exec': endpoint('', "exec's recovery socket; empty: port + 1000"),
  'recovery.replay': endpoint('', "a replay's recovery socket; empty: port + 1000"),
  'kalshi.rest_url': url(['http', 'https'], 'Kalshi REST base; empty: the one of env'),
  'kalshi.ws_url': url(['ws', 'wss'], 'Kalshi WebSocket; empty: the one of env'),
  'kalshi.redundant': flag(false, 'follow Kalshi over two connections, the first arrival wins'),
  'kalshi.credentials_file': path('', 'JSON {key_id, key_file} of a read-only key, mode 0600'),
  'kalshi.trading_credentials_file': path(
    '',
    'JSON {key_id, key_file} of the key that exec trades with, mode 0600',
  ),
  'kalshi.subaccount': wholeNumber(0, 'Kalshi subaccount that exec trades from; 0: the primary one', {
    min: 0,
    max: 63,
  }),
  'kalshi.group_contracts': wholeNumber(
    0,
    'contracts in 15 s beyond which Kalshi itself refuses what exec sends; 0: ten for each dollar of limits.total_usd',
  ),
  'polymarket.clob_url': url(['http', 'https'], 'Polymarket CLOB REST base; empty: the one of env'),
  'polymarket.ws_url': url(['ws', 'wss'], 'Polymarket market WebSocket; empty: the one of env'),
  'polymarket.gamma_url': url(['http', 'https'], 'Gamma base; empty: the one of env'),
  'polymarket.sports_ws': urlOrOff(
    ['ws', 'wss'],
    'sports channel, the second source of game states; empty: the one of env (none in demo), off: none',
  ),
  'polymarket.credentials_file': path(
    '',
    'JSON {private_key, api_key, secret, passphrase}, mode 0600; exec only',
  ),
  'espn.url': url(['http', 'https'], 'scoreboard base; empty: the one of env'),
  'espn.user_agent': headerText(
    'arbees/0.1 (+https://github.com/arbees/arbees)',
    'honest name, sent to the scoreboard',
  ),
  'pairing.file': path(
    '',
    'YAML of pins, bans and reviewed settlement rules, read again when it changes; empty: none',
  ),
  'strategy.min_edge_micros': wholeNumber(2_000, 'least net edge per contract, micro-dollars'),
  'strategy.delay_cost_micros_per_s': wholeNumber(
    2_500,
    'added to the least edge for each second that a venue holds an order, micro-dollars',
  ),
  'strategy.max_size': wholeNumber(100, 'most contracts in one signal'),
  'strategy.valid': duration('1500ms', 'how long a signal may open'),
  'limits.order_usd': wholeNumber(200, 'most dollars in one order'),
  'limits.game_usd': wholeNumber(1_000, 'most dollars at risk in one game'),
  'limits.total_usd': wholeNumber(5_000, 'most dollars at risk in total'),
  'mirror.prices_maxlen': wholeNumber(10_000, 'entries kept in each price, book and game stream', { min: 1 }),
  'mirror.signals_maxlen': wholeNumber(1_000, 'entries kept of signals', { min: 1 }),
  'mirror.history_maxlen': wholeNumber(100_000, 'entries kept of orders and trades', { min: 1 }),
  'record.segment': bytes('16MiB', 'compressed bytes of a file of a recording, about'),
  'record.segment_time': duration('1h', 'a file of a recording is closed after so long'),
  'record.retain': bytes('20GiB', 'kept of a recording, about'),
} as const

export type SettingKey = keyof typeof SETTINGS
export type Settings = {
  readonly [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never
}

export const SETTING_KEYS = Object.keys(SETTINGS) as SettingKey[]

export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(SETTINGS, key)

/** The words before the dot. */
export const SECTIONS: ReadonlySet<string> = new Set(
  SETTING_KEYS.filter((key) => key.includes('.')).map((key) => key.slice(0, key.indexOf('.'))),
)

export const environmentName = (key: SettingKey): string => `ARBEES_${key.toUpperCase().replace('.', '__')}`

/** A value back as the text that `loadSettings` reads: how `up` hands its own settings on. */
export function settingText(key: SettingKey, value: Settings[SettingKey]): string {
  const setting: Setting<unknown> = SETTINGS[key]
  return Array.isArray(value) ? value.join(',') : `${String(value)}${setting.unit ?? ''}`
}

/** The key that was meant by a mistyped one, if one is near. */
export const nearestKey = (key: string): SettingKey | undefined => nearest(key, SETTING_KEYS)

/** Which name was meant, or where all of them are. */
export const nearHint = (near: string | undefined): string =>
  near === undefined ? 'arbees config show lists all settings' : `near: ${near}`
