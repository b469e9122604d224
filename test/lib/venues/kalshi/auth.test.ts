import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { ArbeesError } from '../../../../src/lib/core/errors.js'
import { keyWarning, loadKalshiCredentials, signRequest } from '../../../../src/lib/venues/kalshi/auth.js'
import { checkSignature, ed25519Credentials, KEY_ID, rsaCredentials } from './keys.js'

const NOW_MS = 1_781_159_370_113
const PATH = '/trade-api/v2/portfolio/orders'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kalshi-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function keyFile(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

function errorOf(run: () => unknown): ArbeesError {
  try {
    run()
  } catch (error) {
    if (error instanceof ArbeesError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('Kalshi signatures', () => {
  it.each([
    ['RSA-PSS', rsaCredentials()],
    ['Ed25519', ed25519Credentials()],
  ])(
    '%s: accepted by a verifier of its own, for exactly that timestamp, method and path',
    (_, credentials) => {
      const headers = signRequest(credentials, {
        timestampMs: NOW_MS,
        method: 'get',
        path: `${PATH}?ticker=A&limit=5`,
      })
      const lower = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
      )
      const { privateKey } = credentials
      const check = (method: string, url: string) =>
        checkSignature(lower, { method, url, nowMs: NOW_MS, privateKey })
      expect(check('GET', PATH)).toBe('ok')
      expect(check('GET', `${PATH}?another=query`)).toBe('ok')
      expect(check('POST', PATH)).toBe('bad_signature')
      expect(check('GET', '/trade-api/v2/portfolio/fills')).toBe('bad_signature')
      const later = { ...lower, 'kalshi-access-timestamp': String(NOW_MS + 1) }
      expect(checkSignature(later, { method: 'GET', url: PATH, nowMs: NOW_MS, privateKey })).toBe(
        'bad_signature',
      )
    },
  )

  it('warns of an RSA key over 2048 bits alone', () => {
    expect(keyWarning(rsaCredentials(3072))).toMatch(
      /RSA-3072: each signature takes (?!0\.0)\d+\.\d ms on this machine/,
    )
    expect(keyWarning(rsaCredentials())).toBeUndefined()
    expect(keyWarning(ed25519Credentials())).toBeUndefined()
  })
})

describe('Kalshi key files', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ed = generateKeyPairSync('ed25519').privateKey
  const der = ed.export({ format: 'der', type: 'pkcs8' }).toString('base64')

  it.each([
    ['PKCS#8 PEM', rsa.export({ format: 'pem', type: 'pkcs8' }).toString(), 'rsa'],
    ['PKCS#1 PEM', rsa.export({ format: 'pem', type: 'pkcs1' }).toString(), 'rsa'],
    ['Ed25519 PEM', ed.export({ format: 'pem', type: 'pkcs8' }).toString(), 'ed25519'],
    ['bare base64 of PKCS#8', der, 'ed25519'],
    ['bare base64, wrapped, with a newline at the end', `${der.slice(0, 20)}\n${der.slice(20)}\n`, 'ed25519'],
  ])('reads %s', (name, text, type) => {
    const credentials = loadKalshiCredentials({
      keyId: ` ${KEY_ID}\n`,
      keyFile: keyFile(name.replace(/\W/g, '-'), text),
    })
    expect(credentials.keyId).toBe(KEY_ID)
    expect(credentials.privateKey.asymmetricKeyType).toBe(type)
  })

  it.each([0o640, 0o604, 0o660, 0o644])('refuses a file of mode %o with the chmod that mends it', (mode) => {
    const file = keyFile(`wide-${mode}`, der, mode)
    const error = errorOf(() => loadKalshiCredentials({ keyId: KEY_ID, keyFile: file }))
    expect(error).toMatchObject({ code: 'KEY_FILE_MODE', exit: 4, hint: `chmod 600 ${file}` })
  })

  it.each([
    ['nonsense', 'not a key at all', 'KEY_FILE'],
    ['an empty file', '', 'KEY_FILE'],
    ['a public key', ed25519Public(), 'KEY_FILE'],
    ['an encrypted key', encryptedPem(), 'KEY_FILE'],
    ['an elliptic-curve key', ecPem(), 'KEY_TYPE'],
  ])('refuses %s without showing any of it', (name, text, code) => {
    const file = keyFile(`bad-${name.replace(/\W/g, '-')}`, text)
    const error = errorOf(() => loadKalshiCredentials({ keyId: KEY_ID, keyFile: file }))
    expect(error).toMatchObject({ code, exit: 4 })
    for (const line of text.split('\n').filter((part) => part.length > 20 && !part.startsWith('---'))) {
      expect(`${error.message} ${error.hint}`).not.toContain(line.slice(0, 20))
    }
  })

  it('refuses a missing file, a folder, and a key id that cannot stand in a header', () => {
    const missing = errorOf(() => loadKalshiCredentials({ keyId: KEY_ID, keyFile: join(folder, 'none') }))
    expect(missing).toMatchObject({ code: 'KEY_FILE', exit: 4 })
    expect(errorOf(() => loadKalshiCredentials({ keyId: KEY_ID, keyFile: folder })).code).toBe('KEY_FILE')
    for (const keyId of ['', 'two words', 'line\nbreak', 'x'.repeat(200)]) {
      const error = errorOf(() => loadKalshiCredentials({ keyId, keyFile: keyFile('good', der) }))
      expect(error).toMatchObject({ code: 'KEY_ID', exit: 4 })
    }
  })
})

function ed25519Public(): string {
  return generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString()
}

function encryptedPem(): string {
  const options = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
  return generateKeyPairSync('ed25519').privateKey.export(options).toString()
}

function ecPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}
