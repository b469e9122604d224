/**
 * The folder of a deployment's keys.
 *
 *     <name>.key       {"public": …, "secret": …} of one role, mode 0600
 *     allowed.keys     a line `name key` for every key that may connect; a publisher's own is the one pinned for it
 *     signals.hmac     what shards seal signals with and exec checks, mode 0600
 *
 * A host needs only the secrets of the roles that run on it. Whoever can write the folder decides who may connect, so
 * it must not be writable by others.
 */

import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArbeesError, EXIT, codeOf, messageOf } from '../core/errors.js'
import { generateKeyPair } from './curve.js'
import type { KeyPair } from './curve.js'
import { isKeyText } from './z85.js'

const ALLOWED_FILE = 'allowed.keys'
export const SIGNAL_KEY_FILE = 'signals.hmac'
const SIGNAL_KEY_BYTES = 32
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/
const ALLOWED_LINE = /^(\S+)\s+(\S+)$/
/** Permission bits that nobody but the owner may have: any on a secret, writing on the rest. */
const OTHERS = 0o077
const OTHERS_WRITE = 0o022

/** Public keys by the name of their role. */
export type AllowedKeys = ReadonlyMap<string, string>

export class KeyFolder {
  constructor(readonly dir: string) {}

  /** Whether a role's secret is here. */
  holds(name: string): boolean {
    return exists(this.pathOf(name))
  }

  /** The key pair of a role. Throws `NO_KEY`, `BAD_KEY`, `OPEN_SECRET` (exit 4). */
  readPair(name: string): KeyPair {
    const path = this.pathOf(name)
    const text = this.read(path, OTHERS, `arbees keys generate ${name}`)
    const pair = parsePair(text)
    if (pair === undefined)
      throw badFile(path, 'is not {"public": …, "secret": …} with keys of 40 characters')
    return pair
  }

  /** Who may connect. Throws `NO_KEY`, `BAD_KEY`, `OPEN_SECRET` (exit 4). */
  readAllowed(): AllowedKeys {
    const path = join(this.dir, ALLOWED_FILE)
    return parseAllowed(this.read(path, OTHERS_WRITE, 'arbees keys generate'), path)
  }

  /** The key that may connect under this name, if any. Throws as `readAllowed` does for a list that is broken. */
  allowedKeyOf(name: string): string | undefined {
    return this.knownKeys().get(name)
  }

  /** Roles whose secret lies here. */
  secretNames(): string[] {
    return readdirSync(this.dir)
      .filter((file) => file.endsWith('.key'))
      .map((file) => file.slice(0, -'.key'.length))
      .filter((name) => NAME.test(name))
      .sort()
  }

  /** What signals are sealed with; undefined when there is none. Throws `BAD_KEY`, `OPEN_SECRET` (exit 4). */
  readSignalKey(): Buffer | undefined {
    const path = join(this.dir, SIGNAL_KEY_FILE)
    if (!exists(path)) return undefined
    const text = this.read(path, OTHERS, `arbees keys generate ${SIGNAL_KEY_FILE}`).trim()
    if (!/^[0-9a-f]{64}$/.test(text)) throw badFile(path, `is not ${SIGNAL_KEY_BYTES * 2} hex digits`)
    return Buffer.from(text, 'hex')
  }

  /** A new key pair for a role, allowed here at once; replaces what the role had. Throws `BAD_KEY_NAME` (usage). */
  generate(name: string): string {
    const path = this.pathOf(name)
    const { publicKey, secretKey } = generateKeyPair()
    this.write(path, `${JSON.stringify({ public: publicKey, secret: secretKey })}\n`, 0o600)
    this.allow(name, publicKey)
    return publicKey
  }

  generateSignalKey(): void {
    const path = join(this.dir, SIGNAL_KEY_FILE)
    this.write(path, `${randomBytes(SIGNAL_KEY_BYTES).toString('hex')}\n`, 0o600)
  }

  /** Lets the holder of a key connect under this name; replaces the key that the name had. */
  allow(name: string, publicKey: string): void {
    assertName(name)
    const allowed = new Map(this.knownKeys())
    allowed.set(name, publicKey)
    const lines = [...allowed].map(([each, key]) => `${each} ${key}\n`)
    this.write(join(this.dir, ALLOWED_FILE), lines.join(''), 0o644)
  }

  private knownKeys(): AllowedKeys {
    return exists(join(this.dir, ALLOWED_FILE)) ? this.readAllowed() : new Map()
  }

  private pathOf(name: string): string {
    assertName(name)
    return join(this.dir, `${name}.key`)
  }

  private read(path: string, forbidden: number, mendedBy: string): string {
    try {
      assertMode(this.dir, OTHERS_WRITE)
      assertMode(path, forbidden)
      return readFileSync(path, 'utf8')
    } catch (error) {
      if (error instanceof ArbeesError) throw error
      throw new ArbeesError('NO_KEY', `cannot read ${path}: ${messageOf(error)}`, {
        exit: EXIT.CONFIG,
        hint: codeOf(error) === 'ENOENT' ? `make it with: ${mendedBy}, or set keys_dir` : 'see keys_dir',
        cause: error,
      })
    }
  }

  /** Whole or not at all, and never readable by others for a moment. */
  private write(path: string, text: string, mode: number): void {
    const draft = `${path}.${process.pid}.new`
    try {
      mkdirSync(this.dir, { recursive: true, mode: 0o700 })
      assertMode(this.dir, OTHERS_WRITE)
      rmSync(draft, { force: true })
      writeFileSync(draft, text, { mode, flag: 'wx' })
      renameSync(draft, path)
    } catch (error) {
      if (error instanceof ArbeesError) throw error
      throw new ArbeesError('KEY_NOT_WRITTEN', `cannot write ${path}: ${messageOf(error)}`, {
        exit: EXIT.CONFIG,
        hint: 'set keys_dir to a folder that can be written',
        cause: error,
      })
    }
  }
}

/** The list as it stands in the file; a `#` begins a comment line. Throws `BAD_KEY` (exit 4) naming the line. */
export function parseAllowed(text: string, path: string): AllowedKeys {
  const allowed = new Map<string, string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, name, key] = ALLOWED_LINE.exec(line.trim()) ?? []
    if (name === undefined || key === undefined || !NAME.test(name) || !isKeyText(key))
      throw badFile(`${path}:${index + 1}`, 'is not a name and a key of 40 characters')
    if (allowed.has(name)) throw badFile(`${path}:${index + 1}`, `names ${name} a second time`)
    allowed.set(name, key)
  }
  return allowed
}

/** Throws `BAD_KEY` (usage) for what is no public key. */
export function assertPublicKey(text: string): void {
  if (isKeyText(text)) return
  throw new ArbeesError('BAD_KEY', `not a public key: ${text.length} characters`, {
    exit: EXIT.USAGE,
    hint: "a key has 40 characters of Z85, as `arbees keys show` prints it; quote it: 'KEY'",
  })
}

function assertName(name: string): void {
  if (NAME.test(name)) return
  throw new ArbeesError('BAD_KEY_NAME', `not a name of a role: '${name}'`, {
    exit: EXIT.USAGE,
    hint: 'kalshi, poly, orchestrator, shard-0, exec, mirror, operator',
  })
}

function parsePair(text: string): KeyPair | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { public: publicKey, secret: secretKey } = value as Record<string, unknown>
    if (typeof publicKey !== 'string' || typeof secretKey !== 'string') return undefined
    return isKeyText(publicKey) && isKeyText(secretKey) ? { publicKey, secretKey } : undefined
  } catch {
    // Told by the caller, without the text: it may hold a secret.
    return undefined
  }
}

function assertMode(path: string, forbidden: number): void {
  if ((statSync(path).mode & forbidden) === 0) return
  const reads = forbidden === OTHERS
  throw new ArbeesError('OPEN_SECRET', `${path} can be ${reads ? 'read' : 'changed'} by others`, {
    exit: EXIT.CONFIG,
    hint: reads ? `chmod 600 ${path}` : `chmod go-w ${path}`,
  })
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    // Something above it is a file.
    if (codeOf(error) === 'ENOTDIR') return false
    throw error
  }
}

const badFile = (where: string, what: string): ArbeesError =>
  new ArbeesError('BAD_KEY', `${where} ${what}`, { exit: EXIT.CONFIG })
