/** The body of `POST /order`, read field by field; nothing about markets or money is decided here. */

import { recordOf } from '../http-host.js'
import { polyError, type PolyRefusal } from './errors.js'
import type { OrderType } from './order.js'
import type { OrderStruct, SignatureType } from './eip712.js'

export interface PolyOrderRequest {
  readonly order: OrderStruct
  readonly tokenId: string
  readonly signature: string
  readonly owner: string
  readonly type: OrderType
  readonly postOnly: boolean
  /** Unix s; 0: none. Travels with the order, is not signed. */
  readonly expirationS: number
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const BYTES32 = /^0x[0-9a-fA-F]{64}$/
const DIGITS = /^\d{1,78}$/
const MAX_UINT256 = 2n ** 256n - 1n
const TYPES: readonly OrderType[] = ['GTC', 'GTD', 'FAK', 'FOK']
const SIGNATURE_TYPES: readonly SignatureType[] = [0, 1, 2, 3]

export const invalidPayload = polyError(400, 'invalid_payload', 'Invalid order payload')
export const versionMismatch = polyError(400, 'order_version_mismatch', 'order_version_mismatch')

export function parsePolyOrder(body: unknown): PolyOrderRequest | PolyRefusal {
  const raw = recordOf(body)
  const fields = recordOf(raw?.['order'])
  if (raw === undefined || fields === undefined) return invalidPayload
  // The order of V1 had a nonce and a fee rate, and no timestamp.
  if (fields['timestamp'] === undefined && fields['nonce'] !== undefined) return versionMismatch
  const order = parseStruct(fields)
  const { signature, tokenId, expiration } = fields
  const { owner, orderType, postOnly = false } = raw
  if (order === undefined || typeof signature !== 'string' || typeof tokenId !== 'string') {
    return invalidPayload
  }
  if (typeof owner !== 'string' || typeof postOnly !== 'boolean') return invalidPayload
  if (typeof expiration !== 'string' || !/^\d{1,12}$/.test(expiration)) return invalidPayload
  const type = TYPES.find((each) => each === orderType)
  if (type === undefined) return polyError(400, 'order_type', 'Invalid order type')
  if (postOnly && type !== 'GTC' && type !== 'GTD') {
    return polyError(400, 'post_only', 'invalid post-only order: only GTC and GTD order types are allowed')
  }
  return { order, tokenId, signature, owner, type, postOnly, expirationS: Number(expiration) }
}

function parseStruct(fields: Readonly<Record<string, unknown>>): OrderStruct | undefined {
  const { salt, maker, signer, side, metadata, builder } = fields
  const tokenId = uint(fields['tokenId'])
  const makerAmount = uint(fields['makerAmount'])
  const takerAmount = uint(fields['takerAmount'])
  const timestamp = uint(fields['timestamp'])
  const signatureType = SIGNATURE_TYPES.find((each) => each === fields['signatureType'])
  if (tokenId === undefined || timestamp === undefined || signatureType === undefined) return undefined
  if (makerAmount === undefined || takerAmount === undefined) return undefined
  // Sent as a JSON number, so nothing above 2^53 - 1 survives the trip.
  if (typeof salt !== 'number' || !Number.isSafeInteger(salt) || salt < 0) return undefined
  if (typeof maker !== 'string' || !ADDRESS.test(maker)) return undefined
  if (typeof signer !== 'string' || !ADDRESS.test(signer)) return undefined
  if (side !== 'BUY' && side !== 'SELL') return undefined
  if (typeof metadata !== 'string' || !BYTES32.test(metadata)) return undefined
  if (typeof builder !== 'string' || !BYTES32.test(builder)) return undefined
  return {
    salt: BigInt(salt),
    maker,
    signer,
    tokenId,
    makerAmount,
    takerAmount,
    side: side === 'BUY' ? 0 : 1,
    signatureType,
    timestamp,
    metadata,
    builder,
  }
}

/** A whole number in decimal text. */
function uint(value: unknown): bigint | undefined {
  if (typeof value !== 'string' || !DIGITS.test(value)) return undefined
  const number = BigInt(value)
  return number > MAX_UINT256 ? undefined : number
}
