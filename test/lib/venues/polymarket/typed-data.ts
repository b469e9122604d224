/**
 * A slow encoder of EIP-712 typed data, from the standard's text: types by name, values by type. Shares no code with
 * the signer under test, except keccak and secp256k1 themselves.
 */

import { createHmac } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

type Field = { readonly name: string; readonly type: string }
type Values = Readonly<Record<string, string | number | bigint>>

const DOMAIN: readonly Field[] = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
]

const ORDER: readonly Field[] = [
  { name: 'salt', type: 'uint256' },
  { name: 'maker', type: 'address' },
  { name: 'signer', type: 'address' },
  { name: 'tokenId', type: 'uint256' },
  { name: 'makerAmount', type: 'uint256' },
  { name: 'takerAmount', type: 'uint256' },
  { name: 'side', type: 'uint8' },
  { name: 'signatureType', type: 'uint8' },
  { name: 'timestamp', type: 'uint256' },
  { name: 'metadata', type: 'bytes32' },
  { name: 'builder', type: 'bytes32' },
]

export const STANDARD = '0xE111180000d2663C0091e4f400237545B87B996B'
export const NEG_RISK = '0xe2222d279d744050d28e00520010520000310F59'

const keccakHex = (hex: string): string => Buffer.from(keccak_256(Buffer.from(hex, 'hex'))).toString('hex')
const textHex = (text: string): string => Buffer.from(text, 'utf8').toString('hex')

function word(type: string, value: string | number | bigint): string {
  if (type === 'string') return keccakHex(textHex(String(value)))
  if (type === 'bytes32') return String(value).replace('0x', '').padStart(64, '0')
  if (type === 'address') return String(value).toLowerCase().replace('0x', '').padStart(64, '0')
  return BigInt(value).toString(16).padStart(64, '0')
}

function structHash(name: string, fields: readonly Field[], values: Values): string {
  const type = `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`
  return keccakHex(
    keccakHex(textHex(type)) + fields.map((field) => word(field.type, values[field.name]!)).join(''),
  )
}

/** The body's `order` object as the venue receives it. */
export interface WireOrder {
  readonly salt: number
  readonly maker: string
  readonly signer: string
  readonly tokenId: string
  readonly makerAmount: string
  readonly takerAmount: string
  readonly side: 'BUY' | 'SELL'
  readonly expiration: string
  readonly signatureType: number
  readonly timestamp: string
  readonly metadata: string
  readonly builder: string
  readonly signature: string
}

/** EIP-712 hash of an order: what is signed, and its id. */
export function orderDigest(order: WireOrder, verifyingContract: string): string {
  const domain = structHash('EIP712Domain', DOMAIN, {
    name: 'Polymarket CTF Exchange',
    version: '2',
    chainId: 137,
    verifyingContract,
  })
  const struct = structHash('Order', ORDER, { ...order, side: order.side === 'BUY' ? 0 : 1 })
  return `0x${keccakHex(`1901${domain}${struct}`)}`
}

/** The lower-case address whose key made a 65-byte signature (r, s, v) over a digest. */
export function recoverAddress(digest: string, signature: string): string {
  const bytes = Buffer.from(signature.slice(2), 'hex')
  if (bytes.length !== 65) throw new Error(`a signature of ${bytes.length} bytes`)
  const v = bytes[64]!
  if (v !== 27 && v !== 28) throw new Error(`v is ${v}`)
  const point = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), 'compact')
    .addRecoveryBit(v - 27)
    .recoverPublicKey(Buffer.from(digest.slice(2), 'hex'))
  return `0x${Buffer.from(keccak_256(point.toBytes(false).subarray(1)).subarray(12)).toString('hex')}`
}

/** The L2 signature as the venue computes it, with Node's own url-safe base64. */
export function hmacOf(secret: string, message: string): string {
  const raw = createHmac('sha256', Buffer.from(secret, 'base64url')).update(message).digest('base64url')
  return raw.padEnd(Math.ceil(raw.length / 4) * 4, '=')
}
