/**
 * Who we are at the venue: the credentials file, the address of the signing key, the L1 headers that prove we hold it
 * (once, to get API credentials), and the L2 headers of each request.
 */

import { createHmac } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ArbeesError, EXIT, messageOf } from '../../core/errors.js'
import {
  digestOf,
  joined,
  keccak,
  POLYGON_CHAIN_ID,
  address as word,
  signDigest,
  text,
  uint,
} from './typed-data.js'

/** 0 EOA, 1 POLY_PROXY (email account), 2 POLY_GNOSIS_SAFE (browser wallet), 3 POLY_1271 (deposit wallet). */
export type SignatureType = 0 | 1 | 2 | 3

/** What the venue gives for a proof that we hold a key. */
export interface ApiCredentials {
  readonly apiKey: string
  /** Base64 as the venue gave it. */
  readonly secret: string
  readonly passphrase: string
}

export interface PolymarketCredentials extends ApiCredentials {
  /** The signer's secp256k1 key, 32 bytes. */
  readonly privateKey: Uint8Array
  /** The wallet that pays; the signer itself when absent. */
  readonly funder?: string
  readonly signatureType: SignatureType
}

/**
 * Reads `{private_key, api_key, secret, passphrase, funder?, signature_type?}` from a JSON file of mode 0600.
 * Throws ArbeesError (exit CONFIG) naming what is wrong, never a value of the file.
 */
export function loadPolymarketCredentials({ path }: { readonly path: string }): PolymarketCredentials {
  const record = readPrivateJson(path)
  const textOf = (field: string): string => {
    const value = record[field]
    if (typeof value !== 'string' || value === '')
      throw invalid(path, `'${field}' is missing or not a string`)
    return value
  }
  const privateKey = parsePrivateKey(textOf('private_key'))
  if (privateKey === undefined) throw invalid(path, `'private_key' is not a secp256k1 key of 64 hex digits`)
  const secret = textOf('secret')
  if (!/^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(secret)) throw invalid(path, `'secret' is not base64`)
  const signatureType = parseSignatureType(record.signature_type ?? 0, path)
  const funder = record.funder
  if (funder !== undefined && (typeof funder !== 'string' || !isAddress(funder))) {
    throw invalid(path, `'funder' is not an address`)
  }
  if (signatureType !== 0 && funder === undefined) {
    throw invalid(path, `signature_type ${signatureType} needs 'funder', the wallet that holds the money`)
  }
  if (signatureType === 0 && funder !== undefined && checksumAddress(funder) !== addressOf(privateKey)) {
    throw invalid(path, `signature_type 0 pays from the key's own address: 'funder' is another`)
  }
  return {
    privateKey,
    apiKey: textOf('api_key'),
    secret,
    passphrase: textOf('passphrase'),
    signatureType,
    ...(typeof funder === 'string' ? { funder: checksumAddress(funder) } : {}),
  }
}

function readPrivateJson(path: string): { readonly [field: string]: unknown } {
  let text: string
  try {
    const mode = statSync(path).mode & 0o777
    if ((mode & 0o077) !== 0) {
      throw new ArbeesError('KEY_FILE_MODE', `${path} can be read by others (mode 0${mode.toString(8)})`, {
        exit: EXIT.CONFIG,
        hint: `chmod 600 ${path}`,
      })
    }
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof ArbeesError) throw error
    throw new ArbeesError('KEY_FILE_UNREADABLE', `cannot read the Polymarket key file: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      hint: 'create it with mode 0600 and name it in the configuration',
    })
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The parser's message quotes the file: leave it out.
    throw invalid(path, 'it is not JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid(path, 'it is not a JSON object')
  }
  return parsed as { readonly [field: string]: unknown }
}

function invalid(path: string, why: string): ArbeesError {
  return new ArbeesError('KEY_FILE_INVALID', `${path}: ${why}`, {
    exit: EXIT.CONFIG,
    hint: 'write {"private_key", "api_key", "secret", "passphrase", "funder"?, "signature_type"?}',
  })
}

function parseSignatureType(value: unknown, path: string): SignatureType {
  if (value === 0 || value === 1 || value === 2 || value === 3) return value
  throw invalid(path, `'signature_type' is not 0, 1, 2 or 3`)
}

/** 32 bytes from 64 hex digits (`0x` allowed); undefined when it is no valid secp256k1 key. */
export function parsePrivateKey(text: string): Uint8Array | undefined {
  const hex = text.replace(/^0x/, '')
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) return undefined
  const key = Uint8Array.from(Buffer.from(hex, 'hex'))
  return secp256k1.utils.isValidSecretKey(key) ? key : undefined
}

/** The address of a private key, with EIP-55 checksum: the last 20 bytes of keccak256 of the public key. */
export function addressOf(privateKey: Uint8Array): string {
  const publicKey = secp256k1.getPublicKey(privateKey, false)
  const hash = keccak(publicKey.subarray(1))
  return checksumAddress(`0x${Buffer.from(hash.subarray(12)).toString('hex')}`)
}

const isAddress = (text: string): boolean => /^0x[0-9a-fA-F]{40}$/.test(text)

/** EIP-55: a letter is upper case where the hash of the lower-case digits has a nibble of 8 or more. */
export function checksumAddress(address: string): string {
  const digits = address.slice(2).toLowerCase()
  const hash = Buffer.from(keccak(Buffer.from(digits))).toString('hex')
  return `0x${[...digits].map((char, index) => (parseInt(hash[index] ?? '0', 16) >= 8 ? char.toUpperCase() : char)).join('')}`
}

/** HMAC-SHA256 over timestamp + METHOD + path (no query) + body; url-safe base64 that keeps its `=`. */
export function l2Signature(
  secret: string,
  timestampS: string,
  method: string,
  path: string,
  body: string,
): string {
  return createHmac('sha256', Buffer.from(secret, 'base64'))
    .update(`${timestampS}${method}${path}${body}`)
    .digest('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}

const L1_MESSAGE = 'This message attests that I control the given wallet'

/** Proves that we hold the key of an address: what API credentials are given for. `nowMs` is our wall clock. */
export function l1Headers(privateKey: Uint8Array, nowMs: number): Record<string, string> {
  const address = addressOf(privateKey)
  const timestamp = String(Math.floor(nowMs / 1000))
  const domain = joined(
    text('EIP712Domain(string name,string version,uint256 chainId)'),
    text('ClobAuthDomain'),
    text('1'),
    uint(POLYGON_CHAIN_ID),
  )
  const struct = joined(
    text('ClobAuth(address address,string timestamp,uint256 nonce,string message)'),
    word(address),
    text(timestamp),
    uint(0n),
    text(L1_MESSAGE),
  )
  const signature = signDigest(digestOf(domain, struct), privateKey)
  return {
    POLY_ADDRESS: address,
    POLY_SIGNATURE: `0x${Buffer.from(signature).toString('hex')}`,
    POLY_TIMESTAMP: timestamp,
    POLY_NONCE: '0',
  }
}

/** The signer of L2 requests. `nowMs` is our wall clock: the venue wants seconds. */
export function l2Headers(
  credentials: ApiCredentials,
  address: string,
  request: { readonly method: string; readonly path: string; readonly body?: string; readonly nowMs: number },
): Record<string, string> {
  const timestamp = String(Math.floor(request.nowMs / 1000))
  const [path = ''] = request.path.split('?')
  return {
    POLY_ADDRESS: address,
    POLY_SIGNATURE: l2Signature(credentials.secret, timestamp, request.method, path, request.body ?? ''),
    POLY_TIMESTAMP: timestamp,
    POLY_API_KEY: credentials.apiKey,
    POLY_PASSPHRASE: credentials.passphrase,
  }
}
