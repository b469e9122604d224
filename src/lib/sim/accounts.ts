/**
 * Throw-away credentials for the simulated venues: the files that a monitor and an executor are given, and the
 * public half that the simulator verifies them with. Nothing here opens a door at a real venue.
 */

import { createHash, generateKeyPair, randomBytes, randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { ArbeesError, EXIT } from '../core/errors.js'

const generate = promisify(generateKeyPair)

/** Paths of the two credential files; each names its key files by absolute path. */
export interface SimAccounts {
  /** `{kalshi: {key_id, key_file}}`: a read-only key. */
  readonly monitorFile: string
  /** `{kalshi: {key_id, key_file}, polymarket: {key_file}}`: a key that may trade. */
  readonly execFile: string
}

export type KeyScope = 'read' | 'write'

/** What the simulator needs to verify requests: `public.json`. */
export interface PublicAccounts {
  readonly kalshi: {
    /** How much every account may ask for, as `GET /account/limits` says: `basic` to `prestige`. */
    readonly usage_tier: string
    readonly keys: readonly {
      readonly key_id: string
      /** Whose key it is: orders of one account do not trade with each other. `main` when the file does not say. */
      readonly account: string
      readonly scope: KeyScope
      readonly public_key: string
    }[]
  }
  readonly polymarket: {
    /** The signer's address, lower case. */
    readonly address: string
    /** The wallet that pays, lower case: an order's `maker`. */
    readonly funder: string
    readonly signature_type: number
    readonly api_key: string
    /** Base64 (URL alphabet) HMAC key. */
    readonly secret: string
    readonly passphrase: string
  }
}

const FILES = {
  read: 'kalshi-read.pem',
  trade: 'kalshi-trade.pem',
  monitor: 'monitor.json',
  exec: 'exec.json',
  polymarket: 'polymarket.json',
  public: 'public.json',
} as const

/**
 * Creates the credential files in `dir`, or reuses a complete earlier set, every file with mode 0600:
 * `kalshi-read.pem` and `kalshi-trade.pem` (RSA-2048), `monitor.json`, `exec.json`,
 * `polymarket.json {private_key, api_key, secret, passphrase, funder, signature_type}` and `public.json`.
 */
export async function createSimAccounts(dir: string): Promise<SimAccounts> {
  const root = resolve(dir)
  await mkdir(root, { recursive: true, mode: 0o700 })
  const accounts: SimAccounts = { monitorFile: join(root, FILES.monitor), execFile: join(root, FILES.exec) }
  if (await isComplete(root)) {
    await Promise.all(Object.values(FILES).map((name) => chmod(join(root, name), 0o600)))
    return accounts
  }
  const [read, trade] = await Promise.all([rsaPair(), rsaPair()])
  const readId = randomUUID()
  const tradeId = randomUUID()
  const wallet = newWallet()
  const publicAccounts: PublicAccounts = {
    kalshi: {
      usage_tier: 'basic',
      keys: [
        { key_id: readId, account: 'main', scope: 'read', public_key: read.publicKey },
        { key_id: tradeId, account: 'main', scope: 'write', public_key: trade.publicKey },
      ],
    },
    polymarket: {
      address: wallet.address,
      funder: wallet.funder,
      signature_type: wallet.signatureType,
      api_key: wallet.apiKey,
      secret: wallet.secret,
      passphrase: wallet.passphrase,
    },
  }
  await writeSecret(join(root, FILES.read), read.privateKey)
  await writeSecret(join(root, FILES.trade), trade.privateKey)
  await writeJson(join(root, FILES.polymarket), {
    private_key: wallet.privateKey,
    api_key: wallet.apiKey,
    secret: wallet.secret,
    passphrase: wallet.passphrase,
    funder: wallet.funder,
    signature_type: wallet.signatureType,
  })
  await writeJson(accounts.monitorFile, { kalshi: { key_id: readId, key_file: join(root, FILES.read) } })
  await writeJson(accounts.execFile, {
    kalshi: { key_id: tradeId, key_file: join(root, FILES.trade) },
    polymarket: { key_file: join(root, FILES.polymarket) },
  })
  await writeJson(join(root, FILES.public), publicAccounts)
  return accounts
}

/** Reads `public.json`. Throws `SIM_ACCOUNTS` when it is missing or not what `createSimAccounts` writes. */
export async function readPublicAccounts(dir: string): Promise<PublicAccounts> {
  const file = join(resolve(dir), FILES.public)
  try {
    return parsePublic(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new ArbeesError('SIM_ACCOUNTS', `no usable simulator accounts in ${file}`, {
      exit: EXIT.CONFIG,
      hint: 'delete the directory: the simulator creates its accounts again',
      cause,
    })
  }
}

function parsePublic(raw: unknown): PublicAccounts {
  const { kalshi, polymarket } = fields(raw)
  const { keys, usage_tier: tier = 'basic' } = fields(kalshi)
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('no kalshi keys')
  const wallet = fields(polymarket)
  if (typeof wallet['signature_type'] !== 'number') throw new Error('no signature_type')
  return {
    kalshi: {
      usage_tier: text(tier),
      keys: keys.map((entry: unknown) => {
        const key = fields(entry)
        return {
          key_id: text(key['key_id']),
          account: text(key['account'] ?? 'main'),
          scope: key['scope'] === 'write' ? 'write' : 'read',
          public_key: text(key['public_key']),
        }
      }),
    },
    polymarket: {
      address: text(wallet['address']),
      funder: text(wallet['funder']),
      signature_type: wallet['signature_type'],
      api_key: text(wallet['api_key']),
      secret: text(wallet['secret']),
      passphrase: text(wallet['passphrase']),
    },
  }
}

function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error('not an object')
  return value as Record<string, unknown>
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('not a string')
  return value
}

async function isComplete(root: string): Promise<boolean> {
  try {
    const contents = await Promise.all(Object.values(FILES).map((name) => readFile(join(root, name), 'utf8')))
    if (contents.some((content) => content === '')) return false
    await readPublicAccounts(root)
    // Credential files name key files by absolute path: a moved directory is not a complete set.
    const exec: unknown = JSON.parse(await readFile(join(root, FILES.exec), 'utf8'))
    return fields(fields(exec)['kalshi'])['key_file'] === join(root, FILES.trade)
  } catch {
    return false
  }
}

async function rsaPair(): Promise<{ privateKey: string; publicKey: string }> {
  return generate('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}

/** A signer whose funds stand in another wallet (signature type 2, a browser wallet's Safe). */
function newWallet() {
  const secretKey = secp256k1.utils.randomSecretKey()
  const publicKey = secp256k1.getPublicKey(secretKey, false)
  const address = `0x${Buffer.from(keccak_256(publicKey.subarray(1)).subarray(12)).toString('hex')}`
  return {
    privateKey: `0x${Buffer.from(secretKey).toString('hex')}`,
    address,
    funder: `0x${createHash('sha256').update(`funder:${address}`).digest('hex').slice(0, 40)}`,
    signatureType: 2,
    apiKey: randomUUID(),
    secret: randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
    passphrase: randomBytes(32).toString('hex'),
  }
}

const writeJson = (file: string, value: unknown) => writeSecret(file, `${JSON.stringify(value, null, 2)}\n`)

async function writeSecret(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}`
  await writeFile(temporary, content, { mode: 0o600 })
  await rename(temporary, file)
}
