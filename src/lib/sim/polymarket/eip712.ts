/** The signed order of CLOB V2: its EIP-712 hash (which is the order id) and who signed it. */

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

/** 0 EOA, 1 proxy, 2 Safe, 3 deposit wallet (ERC-1271). */
export type SignatureType = 0 | 1 | 2 | 3

export interface OrderStruct {
  readonly salt: bigint
  readonly maker: string
  readonly signer: string
  readonly tokenId: bigint
  readonly makerAmount: bigint
  readonly takerAmount: bigint
  /** 0 buy, 1 sell. */
  readonly side: 0 | 1
  readonly signatureType: SignatureType
  readonly timestamp: bigint
  readonly metadata: string
  readonly builder: string
}

export interface Domain {
  readonly version: string
  readonly verifyingContract: string
}

const STANDARD_EXCHANGE = '0xE111180000d2663C0091e4f400237545B87B996B'
const NEG_RISK_EXCHANGE = '0xe2222d279d744050d28e00520010520000310F59'
const EXCHANGE_V3 = '0xe3333700cA9d93003F00f0F71f8515005F6c00Aa'
export const POLYGON = 137n

/** The exchange contract that a market's orders are signed for. */
export const domainOf = (negRisk: boolean): Domain => ({
  version: '2',
  verifyingContract: negRisk ? NEG_RISK_EXCHANGE : STANDARD_EXCHANGE,
})

/** Domains that belong to something else: an order signed for one of these is a version mismatch. */
export const OTHER_DOMAINS: readonly Domain[] = [
  domainOf(true),
  domainOf(false),
  { version: '3', verifyingContract: EXCHANGE_V3 },
  { version: '1', verifyingContract: STANDARD_EXCHANGE },
  { version: '1', verifyingContract: NEG_RISK_EXCHANGE },
]

/** Full encoding of an order's type. */
export const ORDER_TYPE =
  'Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)'

const encoder = new TextEncoder()
export const keccakText = (text: string): Uint8Array => keccak_256(encoder.encode(text))

export const word = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
export const address = (hex: string): Uint8Array => Buffer.from(hex.slice(2).padStart(64, '0'), 'hex')
const bytes32 = (hex: string): Uint8Array => Buffer.from(hex.slice(2), 'hex')
export const joined = (...parts: readonly Uint8Array[]): Uint8Array => keccak_256(Buffer.concat(parts))

/** What is signed of a struct's hash under a domain. */
export const digestOf = (domain: Uint8Array, struct: Uint8Array): Uint8Array =>
  joined(Buffer.from([0x19, 0x01]), domain, struct)

export function domainSeparator({ version, verifyingContract }: Domain): Uint8Array {
  return joined(
    keccakText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
    keccakText('Polymarket CTF Exchange'),
    keccakText(version),
    word(POLYGON),
    address(verifyingContract),
  )
}

/** `0x` and 64 hex digits. */
export function orderHash(order: OrderStruct, domain: Domain): string {
  return `0x${Buffer.from(digestOf(domainSeparator(domain), orderStructHash(order))).toString('hex')}`
}

export function orderStructHash(order: OrderStruct): Uint8Array {
  return joined(
    keccakText(ORDER_TYPE),
    word(order.salt),
    address(order.maker),
    address(order.signer),
    word(order.tokenId),
    word(order.makerAmount),
    word(order.takerAmount),
    word(BigInt(order.side)),
    word(BigInt(order.signatureType)),
    word(order.timestamp),
    bytes32(order.metadata),
    bytes32(order.builder),
  )
}

/** The address (lower case) whose key made a 65-byte signature over a digest; undefined when it is none. */
export function recoverAddress(digest: Uint8Array, bytes: Uint8Array): string | undefined {
  if (bytes.length !== 65) return undefined
  const v = bytes[64] ?? 0
  const recovery = v >= 27 ? v - 27 : v
  if (recovery > 1) return undefined
  try {
    const point = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), 'compact')
      .addRecoveryBit(recovery)
      .recoverPublicKey(digest)
    const publicKey = point.toBytes(false)
    return `0x${Buffer.from(keccak_256(publicKey.subarray(1)).subarray(12)).toString('hex')}`
  } catch {
    return undefined
  }
}
