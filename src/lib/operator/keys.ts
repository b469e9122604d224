/** What `arbees keys` does with the folder of keys. No secret leaves it. */

import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { publisherNames } from '../bus/endpoints.js'
import { KeyFolder, SIGNAL_KEY_FILE, assertPublicKey } from '../bus/key-files.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { OPERATOR } from '../roles/bus-keys.js'

export interface KeyRow {
  readonly name: string
  readonly public_key: string
  readonly fingerprint: string
  /** Whether it may connect here; a publisher's is also the one that its readers insist on. */
  readonly allowed: boolean
  /** Whether its secret lies here. */
  readonly secret_here: boolean
}

export interface KeysReport {
  readonly dir: string
  /** Whether `keys_dir` names this folder: else nothing uses it. */
  readonly in_force: boolean
  readonly keys: readonly KeyRow[]
  /** Of what signals are sealed with, to compare hosts by; null when there is none. */
  readonly signal_key_fingerprint: string | null
}

/** `keys_dir`, or where keys are made as long as it is empty. */
const folderOf = (settings: Settings): KeyFolder =>
  new KeyFolder(settings.keys_dir === '' ? join(settings.data_dir, 'keys') : settings.keys_dir)

/** Sixteen hex digits in fours: enough to read out over the telephone. */
export function fingerprint(key: string | Buffer): string {
  const hex = createHash('sha256').update(key).digest('hex').slice(0, 16)
  return hex.replace(/(.{4})(?=.)/g, '$1-')
}

/**
 * Makes keys for these roles; for all of them when nothing is named, and then also the key that signals are sealed with
 * when there is none. That one is the same on every host: beside single roles it is made only where `signals.hmac` is
 * named. Throws `KEY_EXISTS` (exit 7) before anything is written.
 */
export function generateKeys(settings: Settings, names: readonly string[], force: boolean): KeysReport {
  const folder = folderOf(settings)
  const everything = names.length === 0
  const wanted = everything ? [...publisherNames(settings.shards), 'mirror', OPERATOR] : [...new Set(names)]
  const roles = wanted.filter((name) => name !== SIGNAL_KEY_FILE)
  const isSealNamed = roles.length < wanted.length
  const hasSeal = folder.readSignalKey() !== undefined
  const held = wanted.filter((name) =>
    name === SIGNAL_KEY_FILE ? hasSeal : folder.holds(name) || folder.allowedKeyOf(name) !== undefined,
  )
  if (held.length > 0 && !force) {
    throw new ArbeesError('KEY_EXISTS', `${resolve(folder.dir)} has keys already: ${held.join(', ')}`, {
      exit: EXIT.REFUSED,
      hint: 'name the roles that have none, or say --force: every host then needs the new keys',
    })
  }
  for (const name of roles) folder.generate(name)
  if (isSealNamed || (everything && (force || !hasSeal))) folder.generateSignalKey()
  const rows = roles.length === 0 ? [] : rowsOf(folder).filter(({ name }) => roles.includes(name))
  return reportOn(settings, rows)
}

/** Throws `NO_KEY` (exit 4) when there is no folder. */
export const showKeys = (settings: Settings): KeysReport => reportOn(settings, rowsOf(folderOf(settings)))

function rowsOf(folder: KeyFolder): KeyRow[] {
  const allowed = folder.readAllowed()
  const held = new Map(folder.secretNames().map((name) => [name, folder.readPair(name).publicKey]))
  const rows = [...allowed].map(([name, key]) => row(name, key, true, held.get(name) === key))
  for (const [name, key] of held) {
    // Under its name another key is allowed, or none: the secret that lies here opens nothing.
    if (allowed.get(name) !== key) rows.push(row(name, key, false, true))
  }
  return rows
}

function reportOn(settings: Settings, keys: readonly KeyRow[]): KeysReport {
  const folder = folderOf(settings)
  const signalKey = folder.readSignalKey()
  return {
    dir: resolve(folder.dir),
    in_force: settings.keys_dir !== '',
    keys,
    signal_key_fingerprint: signalKey === undefined ? null : fingerprint(signalKey),
  }
}

/** Throws `BAD_KEY` and `BAD_KEY_NAME` (usage), `KEY_PINNED` (exit 7) when the name has another key. */
export function allowKey(settings: Settings, name: string, publicKey: string, force: boolean): KeyRow {
  assertPublicKey(publicKey)
  const folder = folderOf(settings)
  const known = folder.allowedKeyOf(name)
  if (known !== undefined && known !== publicKey && !force) {
    throw new ArbeesError(
      'KEY_PINNED',
      `${name} has another key here, ${fingerprint(known)} instead of ${fingerprint(publicKey)}`,
      { exit: EXIT.REFUSED, hint: 'say --force when the key was replaced on purpose' },
    )
  }
  folder.allow(name, publicKey)
  return row(name, publicKey, true, folder.holds(name))
}

const row = (name: string, publicKey: string, allowed: boolean, secretHere: boolean): KeyRow => ({
  name,
  public_key: publicKey,
  fingerprint: fingerprint(publicKey),
  allowed,
  secret_here: secretHere,
})
