import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf, parsePrivateKey } from '../../../../src/lib/venues/polymarket/auth.js'
import {
  OrderSigner,
  saltOf,
  ZERO_BYTES32,
  type OrderFields,
} from '../../../../src/lib/venues/polymarket/order-signing.js'
import { NEG_RISK, orderDigest, recoverAddress, STANDARD, type WireOrder } from './typed-data.js'

// The first account of every local test chain: publicly known, worth nothing.
const KEY = parsePrivateKey('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')!
const ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'

const fields: OrderFields = {
  salt: 123_456_789,
  maker: ADDRESS,
  signer: ADDRESS,
  tokenId: '71321045679252212594626385532706912750332728571942532289631379312455583992563',
  makerAmount: 100_000_000n,
  takerAmount: 50_000_000n,
  side: 'BUY',
  signatureType: 0,
  timestampMs: 1_713_398_400_000,
}

const wire = (order: OrderFields, signature: string): WireOrder => ({
  salt: order.salt,
  maker: order.maker,
  signer: order.signer,
  tokenId: order.tokenId,
  makerAmount: String(order.makerAmount),
  takerAmount: String(order.takerAmount),
  side: order.side,
  expiration: '0',
  signatureType: order.signatureType,
  timestamp: String(order.timestampMs),
  metadata: ZERO_BYTES32,
  builder: ZERO_BYTES32,
  signature,
})

describe('order signatures', () => {
  const signer = new OrderSigner(KEY)

  it.each([
    ['standard', false, STANDARD],
    ['neg-risk', true, NEG_RISK],
  ] as const)('of the %s exchange are over the typed data, by our key', (_, negRisk, contract) => {
    for (const signatureType of [0, 1, 2] as const) {
      for (const side of ['BUY', 'SELL'] as const) {
        const order = {
          ...fields,
          signatureType,
          side,
          maker: signatureType === 0 ? ADDRESS : `0x${'7a'.repeat(20)}`,
        }
        const { hash, signature } = signer.sign(order, negRisk)
        const digest = orderDigest(wire(order, signature), contract)
        expect(hash).toBe(digest)
        expect(recoverAddress(digest, signature)).toBe(ADDRESS.toLowerCase())
      }
    }
  })

  it('differ between the two exchanges, and with every field', () => {
    const changed: Partial<OrderFields>[] = [
      {},
      { salt: 1 },
      { maker: `0x${'7a'.repeat(20)}` },
      { signer: `0x${'7a'.repeat(20)}` },
      { tokenId: '1' },
      { makerAmount: 1n },
      { takerAmount: 1n },
      { side: 'SELL' },
      { signatureType: 2 },
      { timestampMs: 1 },
    ]
    const hashes = changed.map((change) => signer.sign({ ...fields, ...change }, false).hash)
    expect(new Set([...hashes, signer.sign(fields, true).hash]).size).toBe(changed.length + 1)
  })

  it('are the same bytes each time', () => {
    expect(signer.sign(fields, false)).toEqual(new OrderSigner(KEY).sign({ ...fields }, false))
  })

  it('of a deposit wallet wrap what our key signed as that wallet, under the same order id', () => {
    const wallet = `0x${'7a'.repeat(20)}`
    const order = { ...fields, maker: wallet, signer: wallet, signatureType: 3 as const }
    const { hash, signature } = signer.sign(order, false)
    expect(hash).toBe(orderDigest(wire(order, signature), STANDARD))
    // 65 bytes of signature, domain, order, the order's type (186 bytes) and its length.
    expect(signature).toHaveLength(2 + 2 * (65 + 32 + 32 + 186 + 2))
    expect(signature.endsWith('00ba')).toBe(true)
    expect(recoverAddress(hash, signature.slice(0, 2 + 130))).not.toBe(ADDRESS.toLowerCase())
    expect(signer.sign(order, true).signature).not.toBe(signature)
  })

  it('agree with the slow encoder on any order', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 15n })
    const any = fc.record({
      salt: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      tokenId: fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }).map(String),
      makerAmount: amount,
      takerAmount: amount,
      side: fc.constantFrom('BUY' as const, 'SELL' as const),
      timestampMs: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    })
    fc.assert(
      fc.property(any, fc.boolean(), (some, negRisk) => {
        const order = { ...fields, ...some }
        const { hash, signature } = signer.sign(order, negRisk)
        expect(hash).toBe(orderDigest(wire(order, signature), negRisk ? NEG_RISK : STANDARD))
        expect(recoverAddress(hash, signature)).toBe(addressOf(KEY).toLowerCase())
      }),
      { numRuns: 30 },
    )
  })
})

describe('salts', () => {
  it('come from the order id alone and survive a JSON number', () => {
    const salts = Array.from({ length: 500 }, (_, index) => saltOf(`order-${index}`))
    expect(new Set(salts).size).toBe(500)
    expect(salts.every((salt) => Number.isSafeInteger(salt) && salt > 0)).toBe(true)
    expect(saltOf('order-7')).toBe(salts[7])
    expect(JSON.parse(JSON.stringify({ salt: salts[0] }))).toEqual({ salt: salts[0] })
  })
})
