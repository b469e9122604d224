/**
 * The signed order of CLOB V2: EIP-712 over twelve words, domain "Polymarket CTF Exchange" version "2" on Polygon.
 *
 * The salt comes from our order id and the timestamp from the signal, and the signature is deterministic (RFC 6979):
 * the same attempt signed twice is the same bytes. The order's hash is the venue's order id, known before sending.
 */

import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { ArbeesError, EXIT } from '../../core/errors.js'
import type { SignatureType } from './auth.js'

const POLYGON_CHAIN_ID = 137
const EXCHANGE_V2 = '0xE111180000d2663C0091e4f400237545B87B996B'
const NEG_RISK_EXCHANGE_V2 = '0xe2222d279d744050d28e00520010520000310F59'
export const ZERO_BYTES32 = `0x${'00'.repeat(32)}`

/** The fields that are signed. Amounts in millionths (pUSD and shares have 6 decimals). */
export interface OrderFields {
  /** At most 2^53 - 1: it travels as a JSON number. */
  readonly salt: number
  readonly maker: string
  readonly signer: string
  /** Decimal, uint256. */
  readonly tokenId: string
  readonly makerAmount: bigint
  readonly takerAmount: bigint
  readonly side: 'BUY' | 'SELL'
  readonly signatureType: SignatureType
  /** Unix ms. */
  readonly timestampMs: number
}

export interface SignedOrder {
  readonly signature: string
  /** The EIP-712 hash: the order id at the venue. */
  readonly hash: string
}

const ORDER_TYPE =
  'Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,' +
  'uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)'
const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'

/** Signs for one key; domain hashes are computed once. */
export class OrderSigner {
  private readonly typeHash = keccak(Buffer.from(ORDER_TYPE))
  private readonly domains: { readonly standard: Uint8Array; readonly negRisk: Uint8Array }

  constructor(
    private readonly privateKey: Uint8Array,
    chainId = POLYGON_CHAIN_ID,
  ) {
    this.domains = {
      standard: domainSeparator(EXCHANGE_V2, chainId),
      negRisk: domainSeparator(NEG_RISK_EXCHANGE_V2, chainId),
    }
  }

  /** Throws `SIGNATURE_TYPE_UNSUPPORTED` for anything but 0, 1, 2: type 3 wraps its signature and has another signer. */
  sign(order: OrderFields, negRisk: boolean): SignedOrder {
    if (![0, 1, 2].includes(order.signatureType)) {
      throw new ArbeesError(
        'SIGNATURE_TYPE_UNSUPPORTED',
        `signature type ${order.signatureType} cannot be signed`,
        {
          exit: EXIT.CONFIG,
          hint: 'use an account of type 0 (EOA), 1 (proxy) or 2 (Safe)',
        },
      )
    }
    const digest = this.digest(order, negRisk)
    const recovered = secp256k1.sign(digest, this.privateKey, { prehash: false, format: 'recovered' })
    const v = 27 + (recovered[0] ?? 0)
    return {
      signature: `0x${Buffer.from(recovered.subarray(1)).toString('hex')}${v.toString(16)}`,
      hash: `0x${Buffer.from(digest).toString('hex')}`,
    }
  }

  private digest(order: OrderFields, negRisk: boolean): Uint8Array {
    const struct = keccak(
      Buffer.concat([
        this.typeHash,
        uint(BigInt(order.salt)),
        address(order.maker),
        address(order.signer),
        uint(BigInt(order.tokenId)),
        uint(order.makerAmount),
        uint(order.takerAmount),
        uint(order.side === 'BUY' ? 0n : 1n),
        uint(BigInt(order.signatureType)),
        uint(BigInt(order.timestampMs)),
        // metadata and builder, both zero.
        Buffer.alloc(64),
      ]),
    )
    const domain = negRisk ? this.domains.negRisk : this.domains.standard
    return keccak(Buffer.concat([Buffer.from([0x19, 0x01]), domain, struct]))
  }
}

/** 1 .. 2^53 - 1, from our order id. */
export function saltOf(orderId: string): number {
  const digest = createHash('sha256').update(`arbees:polymarket:salt:v1:${orderId}`).digest()
  return Number(digest.readBigUInt64BE() >> 11n) || 1
}

function domainSeparator(contract: string, chainId: number): Uint8Array {
  return keccak(
    Buffer.concat([
      keccak(Buffer.from(DOMAIN_TYPE)),
      keccak(Buffer.from('Polymarket CTF Exchange')),
      keccak(Buffer.from('2')),
      uint(BigInt(chainId)),
      address(contract),
    ]),
  )
}

const keccak = (bytes: Uint8Array): Uint8Array => keccak_256(bytes)

function uint(value: bigint): Buffer {
  if (value < 0n || value >= 1n << 256n) throw new ArbeesError('BAD_ORDER', `${value} is no uint256`)
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}

function address(text: string): Buffer {
  return Buffer.from(text.slice(2).padStart(64, '0'), 'hex')
}
