/** The body of `POST /order`, read field by field; nothing about markets or money is decided here. */

import { parseJson, recordOf } from '../http-host.js'
import { polyError, type PolyRefusal } from './errors.js'
import type { OrderStruct } from './eip712.js'

export interface PolyOrderRequest {
  readonly order: OrderStruct
  readonly tokenId: string
  readonly signature: string
  readonly owner: string
  readonly orderType: 'FAK' | 'FOK'
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const BYTES32 = /^0x[0-9a-fA-F]{64}$/
const DIGITS = /^\d{1,78}$/
const MAX_UINT256 = 2n ** 256n - 1n

const invalidPayload = polyError(400, 'invalid_payload', 'Invalid order payload')

export function parsePolyOrder(body: string): PolyOrderRequest | PolyRefusal {
  const raw = recordOf(parseJson(body))
  const fields = recordOf(raw?.['order'])
  if (raw === undefined || fields === undefined) return invalidPayload
  const order = parseStruct(fields)
  const { signature, tokenId, expiration } = fields
  const { owner, orderType } = raw
  if (order === undefined || typeof signature !== 'string' || typeof tokenId !== 'string')
    return invalidPayload
  if (typeof owner !== 'string' || typeof orderType !== 'string') return invalidPayload
  if (orderType === 'GTC' || orderType === 'GTD') {
    return polyError(
      400,
      'resting_order',
      'order type not allowed: this venue is simulated and rests no orders',
    )
  }
  if (orderType !== 'FAK' && orderType !== 'FOK') return polyError(400, 'order_type', 'Invalid order type')
  if (raw['postOnly'] === true) {
    return polyError(400, 'post_only', 'invalid post-only order: only GTC and GTD order types are allowed')
  }
  if (expiration !== '0') return polyError(400, 'expiration', 'invalid expiration')
  return { order, tokenId, signature, owner, orderType }
}

function parseStruct(fields: Readonly<Record<string, unknown>>): OrderStruct | undefined {
  const { salt, maker, signer, side, signatureType, metadata, builder } = fields
  const tokenId = uint(fields['tokenId'])
  const makerAmount = uint(fields['makerAmount'])
  const takerAmount = uint(fields['takerAmount'])
  const timestamp = uint(fields['timestamp'])
  if (tokenId === undefined || timestamp === undefined) return undefined
  if (makerAmount === undefined || takerAmount === undefined) return undefined
  // Sent as a JSON number, so nothing above 2^53 - 1 survives the trip.
  if (typeof salt !== 'number' || !Number.isSafeInteger(salt) || salt < 0) return undefined
  if (typeof maker !== 'string' || !ADDRESS.test(maker)) return undefined
  if (typeof signer !== 'string' || !ADDRESS.test(signer)) return undefined
  if (side !== 'BUY' && side !== 'SELL') return undefined
  if (typeof signatureType !== 'number' || ![0, 1, 2, 3].includes(signatureType)) return undefined
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
