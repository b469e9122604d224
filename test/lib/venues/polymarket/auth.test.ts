import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  addressOf,
  checksumAddress,
  l2Headers,
  l2Signature,
  loadPolymarketCredentials,
  parsePrivateKey,
} from '../../../../src/lib/venues/polymarket/auth.js'
import { hmacOf } from './typed-data.js'

const folder = mkdtempSync(join(tmpdir(), 'arbees-auth-'))
afterAll(() => rmSync(folder, { recursive: true }))

const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const good = {
  private_key: KEY,
  api_key: '00000000-0000-0000-0000-000000000001',
  secret: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=',
  passphrase: 'a passphrase',
}

let files = 0
function write(content: unknown, mode = 0o600): string {
  const path = join(folder, `key-${(files += 1)}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  chmodSync(path, mode)
  return path
}

describe('addresses', () => {
  it('are the last 20 bytes of the hashed public key, in EIP-55 spelling', () => {
    expect(addressOf(parsePrivateKey(KEY)!)).toBe('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266')
  })

  // From the text of EIP-55.
  it.each([
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ])('spell %s', (address) => {
    expect(checksumAddress(address.toLowerCase())).toBe(address)
  })

  it.each(['', '0x', `0x${'0'.repeat(64)}`, `0x${'f'.repeat(64)}`, `${KEY}00`, KEY.replace('a', 'g')])(
    'have no key in "%s"',
    (text) => {
      expect(parsePrivateKey(text)).toBeUndefined()
    },
  )
})

describe('the L2 signature', () => {
  it.each(['', '{"order":{"salt":1}}'])(
    'is url-safe base64 with its padding, over time, method, path and body "%s"',
    (body) => {
      for (let second = 1_790_000_000; second < 1_790_000_050; second += 1) {
        const signed = l2Signature(good.secret, String(second), 'POST', '/order', body)
        expect(signed).toBe(hmacOf(good.secret, `${second}POST/order${body}`))
        expect(signed).toMatch(/^[A-Za-z0-9_-]{43}=$/)
      }
    },
  )

  it('leaves the query out and dates in seconds', () => {
    const request = { method: 'GET', path: '/data/trades?asset_id=1', nowMs: 1_790_000_000_999 }
    const headers = l2Headers({ apiKey: 'k', secret: good.secret, passphrase: 'p' }, '0xabc', request)
    expect(headers).toEqual({
      POLY_ADDRESS: '0xabc',
      POLY_SIGNATURE: hmacOf(good.secret, '1790000000GET/data/trades'),
      POLY_TIMESTAMP: '1790000000',
      POLY_API_KEY: 'k',
      POLY_PASSPHRASE: 'p',
    })
  })
})

describe('the credentials file', () => {
  it('gives an EOA without a funder, a proxy and a deposit wallet with one', () => {
    expect(loadPolymarketCredentials({ path: write(good) })).toMatchObject({
      apiKey: good.api_key,
      signatureType: 0,
    })
    const funder = '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'
    expect(loadPolymarketCredentials({ path: write({ ...good, funder, signature_type: 1 }) })).toMatchObject({
      funder: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      signatureType: 1,
    })
    expect(loadPolymarketCredentials({ path: write({ ...good, funder, signature_type: 3 }) })).toMatchObject({
      signatureType: 3,
    })
  })

  it.each([0o640, 0o604, 0o644, 0o660])('is refused with mode %o, with the command that mends it', (mode) => {
    const path = write(good, mode)
    expect(() => loadPolymarketCredentials({ path })).toThrowError(
      expect.objectContaining({ code: 'KEY_FILE_MODE', exit: 4, hint: `chmod 600 ${path}` }),
    )
  })

  it.each([
    ['that is missing', undefined, 'KEY_FILE_UNREADABLE'],
    ['that is not JSON', `{"private_key": "${KEY}"`, 'KEY_FILE_INVALID'],
    ['that is a list', [], 'KEY_FILE_INVALID'],
    ['without a key', { ...good, private_key: undefined }, 'KEY_FILE_INVALID'],
    ['with a key out of range', { ...good, private_key: `0x${'f'.repeat(64)}` }, 'KEY_FILE_INVALID'],
    ['with an empty passphrase', { ...good, passphrase: '' }, 'KEY_FILE_INVALID'],
    ['with a secret that is no base64', { ...good, secret: 'not base64!' }, 'KEY_FILE_INVALID'],
    ['with a funder that is no address', { ...good, funder: '0x12' }, 'KEY_FILE_INVALID'],
    ['with a proxy without its wallet', { ...good, signature_type: 2 }, 'KEY_FILE_INVALID'],
    ['with a deposit wallet without its address', { ...good, signature_type: 3 }, 'KEY_FILE_INVALID'],
    [
      'of an EOA that another wallet pays for',
      { ...good, funder: '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed' },
      'KEY_FILE_INVALID',
    ],
    ['of a type to come', { ...good, signature_type: 4 }, 'KEY_FILE_INVALID'],
    ['of an unknown type', { ...good, signature_type: '1' }, 'KEY_FILE_INVALID'],
  ])('%s is refused, and no message quotes a secret', (_, content, code) => {
    const path = content === undefined ? join(folder, 'nowhere.json') : write(content)
    let error: unknown
    try {
      loadPolymarketCredentials({ path })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code, exit: 4 })
    const text = JSON.stringify([error, (error as Error).message, (error as Error).stack])
    expect(text).not.toContain(KEY.slice(2, 20))
    expect(text).not.toContain(good.secret.slice(0, 10))
  })
})
