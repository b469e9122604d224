/**
 * Where a role's keys lie: the file that a setting names, else, on sim data, what the simulator wrote under
 * `<data_dir>/account`. Only exec reads a trading key; monitors hold a read-only one.
 */

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { assertPrivateFile } from '../core/secrets.js'

/** The folder that the simulator shares its accounts in. */
export const accountDir = (settings: Settings): string => join(settings.data_dir, 'account')

export interface KalshiKeyFile {
  readonly keyId: string
  /** Path of the private key. */
  readonly keyFile: string
}

/** The Kalshi key of a monitor or of exec. Throws `NO_CREDENTIALS`, `BAD_CREDENTIALS` (exit 4). */
export function kalshiKeyFile(settings: Settings, use: 'read' | 'trade'): KalshiKeyFile {
  const setting = use === 'read' ? 'kalshi.credentials_file' : 'kalshi.trading_credentials_file'
  const given = settings[setting]
  const simFile = join(accountDir(settings), use === 'read' ? 'monitor.json' : 'exec.json')
  const path = credentialsPath(settings, setting, given, simFile)
  const document = readSecretJson(path)
  const entry = given === '' ? document['kalshi'] : document
  if (typeof entry === 'object' && entry !== null) {
    const { key_id: keyId, key_file: keyFile } = entry as Record<string, unknown>
    if (typeof keyId === 'string' && typeof keyFile === 'string') {
      return { keyId, keyFile: resolve(dirname(path), keyFile) }
    }
  }
  throw new ArbeesError('BAD_CREDENTIALS', `${path} has no {key_id, key_file}`, { exit: EXIT.CONFIG })
}

/**
 * Whether monitors hold the Kalshi key that exec trades with, as far as its name tells: the keys themselves are not read,
 * and where either name cannot be (another user's file), nothing is said.
 */
export function monitorHoldsTradingKey(settings: Settings): boolean {
  try {
    return kalshiKeyFile(settings, 'read').keyId === kalshiKeyFile(settings, 'trade').keyId
  } catch {
    return false
  }
}

/** Path of the Polymarket key file of exec. Throws `NO_CREDENTIALS`, `BAD_CREDENTIALS` (exit 4). */
export function polymarketKeyFile(settings: Settings): string {
  const given = settings['polymarket.credentials_file']
  const simFile = join(accountDir(settings), 'exec.json')
  const path = credentialsPath(settings, 'polymarket.credentials_file', given, simFile)
  if (given !== '') return path
  const entry = readSecretJson(path)['polymarket']
  if (
    typeof entry === 'object' &&
    entry !== null &&
    'key_file' in entry &&
    typeof entry.key_file === 'string'
  ) {
    return resolve(dirname(path), entry.key_file)
  }
  throw new ArbeesError('BAD_CREDENTIALS', `${path} has no polymarket {key_file}`, { exit: EXIT.CONFIG })
}

function credentialsPath(settings: Settings, setting: string, given: string, simFile: string): string {
  if (given !== '') return given
  if (settings.env === 'sim') return simFile
  throw new ArbeesError('NO_CREDENTIALS', `no ${setting} for ${settings.env}`, {
    exit: EXIT.CONFIG,
    hint: `create a key on the venue's account page, write {"key_id": …, "key_file": …} to a file of mode 0600 and set ${setting}`,
  })
}

/** Reads a JSON object from a file that nobody else may read. */
function readSecretJson(path: string): Record<string, unknown> {
  let text: string
  try {
    assertPrivateFile(path)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof ArbeesError) throw error
    throw new ArbeesError('NO_CREDENTIALS', `cannot read ${path}: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      hint: 'on sim data the simulator writes it: start `arbees sim` (or `arbees up`) first, with the same data dir',
    })
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Told below, without the text: it may hold a secret.
  }
  throw new ArbeesError('BAD_CREDENTIALS', `${path} is not a JSON object`, { exit: EXIT.CONFIG })
}
