/** EIP-712, as far as Polymarket needs it: the words of a struct, their hash, and a signature over it. */

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { ArbeesError } from '../../core/errors.js'

export const POLYGON_CHAIN_ID = 137n

export const keccak = (bytes: Uint8Array): Uint8Array => keccak_256(bytes)

/** The hash of words, one after the other. */
export const joined = (...words: readonly Uint8Array[]): Uint8Array => keccak(Buffer.concat(words))

/** A type's name, or a string field. */
export const text = (value: string): Uint8Array => keccak(Buffer.from(value))

/** Throws `BAD_ORDER` for a number that does not fit. */
export function uint(value: bigint): Uint8Array {
  if (value < 0n || value >= 1n << 256n) throw new ArbeesError('BAD_ORDER', `${value} is no uint256`)
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}

export const address = (hex: string): Uint8Array => Buffer.from(hex.slice(2).padStart(64, '0'), 'hex')

/** What is signed: a struct's hash under a domain's. */
export const digestOf = (domain: Uint8Array, struct: Uint8Array): Uint8Array =>
  joined(Buffer.from([0x19, 0x01]), domain, struct)

/** r, s and v (27 or 28): 65 bytes, the same for the same digest and key (RFC 6979). */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  const recovered = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' })
  return Buffer.from([...recovered.subarray(1), 27 + (recovered[0] ?? 0)])
}
