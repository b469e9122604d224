/**
 * The signed order of CLOB V2: EIP-712 over twelve words, domain "Polymarket CTF Exchange" version "2" on Polygon.
 *
 * The salt comes from our order id and the timestamp from the signal, and the signature is deterministic (RFC 6979):
 * the same attempt signed twice is the same bytes. The order's hash is the venue's order id, known before sending.
 */

import { createHash } from 'node:crypto'
import type { SignatureType } from './auth.js'
import { address, digestOf, joined, POLYGON_CHAIN_ID, signDigest, text, uint } from './typed-data.js'

const EXCHANGE_V2 = '0xE111180000d2663C0091e4f400237545B87B996B'
const NEG_RISK_EXCHANGE_V2 = '0xe2222d279d744050d28e00520010520000310F59'
export const ZERO_BYTES32 = `0x${'00'.repeat(32)}`

/** The fields that are signed. Amounts in millionths (pUSD and shares have 6 decimals). */
export interface OrderFields {
  /** At most 2^53 - 1: it travels as a JSON number. */
  readonly salt: number
  readonly maker: string
  /** Whose signature it bears: our key's address, or with type 3 the deposit wallet, which is the maker too. */
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

/** What a deposit wallet checks before it asks whether its owner signed (ERC-7739): the order, and which wallet. */
const WALLET_TYPE =
  'TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)' +
  ORDER_TYPE

/** Signs for one key; hashes of types and domains are computed once. */
export class OrderSigner {
  private readonly typeHash = text(ORDER_TYPE)
  private readonly walletTypeHash = text(WALLET_TYPE)
  private readonly domains = {
    standard: domainSeparator(EXCHANGE_V2),
    negRisk: domainSeparator(NEG_RISK_EXCHANGE_V2),
  }

  constructor(private readonly privateKey: Uint8Array) {}

  /**
   * The hash is the same for every type of signature; a deposit wallet's (type 3) signature is wrapped: our key signs the
   * order as that wallet's, and the venue is told how to unwrap it.
   */
  sign(order: OrderFields, negRisk: boolean): SignedOrder {
    const domain = negRisk ? this.domains.negRisk : this.domains.standard
    const contents = this.structHash(order)
    const digest = digestOf(domain, contents)
    const signature =
      order.signatureType === 3
        ? this.signForWallet(order.signer, domain, contents)
        : signDigest(digest, this.privateKey)
    return { signature: hex(signature), hash: hex(digest) }
  }

  private structHash(order: OrderFields): Uint8Array {
    return joined(
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
    )
  }

  private signForWallet(wallet: string, domain: Uint8Array, contents: Uint8Array): Uint8Array {
    const struct = joined(
      this.walletTypeHash,
      contents,
      text('DepositWallet'),
      text('1'),
      uint(POLYGON_CHAIN_ID),
      address(wallet),
      Buffer.alloc(32),
    )
    const type = Buffer.from(ORDER_TYPE)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(type.length)
    const inner = signDigest(digestOf(domain, struct), this.privateKey)
    return Buffer.concat([inner, domain, contents, type, length])
  }
}

/** 1 .. 2^53 - 1, from our order id. */
export function saltOf(orderId: string): number {
  const digest = createHash('sha256').update(`arbees:polymarket:salt:v1:${orderId}`).digest()
  return Number(digest.readBigUInt64BE() >> 11n) || 1
}

function domainSeparator(contract: string): Uint8Array {
  return joined(
    text(DOMAIN_TYPE),
    text('Polymarket CTF Exchange'),
    text('2'),
    uint(POLYGON_CHAIN_ID),
    address(contract),
  )
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
