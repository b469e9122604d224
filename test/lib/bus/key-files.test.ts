import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { generateKeyPair } from '../../../src/lib/bus/curve.js'
import { KeyFolder, assertPublicKey, parseAllowed } from '../../../src/lib/bus/key-files.js'
import { KeyRing } from '../../../src/lib/bus/key-ring.js'
import { isKeyText, keyText } from '../../../src/lib/bus/z85.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

function newFolder(): KeyFolder {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-keys-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  return new KeyFolder(join(dir, 'keys'))
}

const mode = (path: string): number => statSync(path).mode & 0o777
const codeOf = (code: string): Error => expect.objectContaining({ code, exit: 4 }) as Error

describe('a folder of keys', () => {
  it('keeps a pair whole, closed to others, and allows it at once', () => {
    const folder = newFolder()
    const publicKey = folder.generate('kalshi')
    const pair = folder.readPair('kalshi')
    expect(pair.publicKey).toBe(publicKey)
    expect(folder.readAllowed()).toEqual(new Map([['kalshi', publicKey]]))
    expect(mode(folder.dir)).toBe(0o700)
    expect(mode(join(folder.dir, 'kalshi.key'))).toBe(0o600)
    folder.generateSignalKey()
    expect(mode(join(folder.dir, 'signals.hmac'))).toBe(0o600)
    expect(folder.readSignalKey()).toHaveLength(32)
    expect(readFileSync(join(folder.dir, 'allowed.keys'), 'utf8')).not.toContain(pair.secretKey)
    expect(readdirSync(folder.dir).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  it.each([
    ['kalshi.key', 0o640, (folder: KeyFolder) => folder.readPair('kalshi')],
    ['kalshi.key', 0o604, (folder: KeyFolder) => folder.readPair('kalshi')],
    ['signals.hmac', 0o644, (folder: KeyFolder) => folder.readSignalKey()],
    ['allowed.keys', 0o664, (folder: KeyFolder) => folder.readAllowed()],
    ['allowed.keys', 0o646, (folder: KeyFolder) => folder.readAllowed()],
    ['', 0o770, (folder: KeyFolder) => folder.readPair('kalshi')],
    ['', 0o777, (folder: KeyFolder) => folder.readAllowed()],
  ])('refuses %s with mode %o', (file, wide, read) => {
    const folder = newFolder()
    folder.generate('kalshi')
    folder.generateSignalKey()
    expect(() => read(folder)).not.toThrow()
    chmodSync(join(folder.dir, file), wide)
    expect(() => read(folder)).toThrowError(codeOf('OPEN_SECRET'))
  })

  it('says which file is missing and what makes it', () => {
    const folder = newFolder()
    folder.generate('poly')
    expect(() => folder.readPair('kalshi')).toThrowError(
      expect.objectContaining({ code: 'NO_KEY', exit: 4, hint: expect.stringContaining('generate kalshi') }),
    )
    expect(folder.readSignalKey()).toBeUndefined()
  })

  it.each([
    ['kalshi.key', 'not json'],
    ['kalshi.key', '{"public":"short","secret":"short"}'],
    ['kalshi.key', '[]'],
    ['kalshi.key', ''],
    ['signals.hmac', 'zz'],
    ['signals.hmac', ''],
  ])('refuses a %s of %j without repeating it', (file, text) => {
    const folder = newFolder()
    folder.generate('kalshi')
    writeFileSync(join(folder.dir, file), text, { mode: 0o600 })
    const read = () => (file === 'signals.hmac' ? folder.readSignalKey() : folder.readPair('kalshi'))
    expect(read).toThrowError(codeOf('BAD_KEY'))
    if (text !== '') expect(read).not.toThrowError(text)
  })

  it('takes no name that could leave the folder', () => {
    const folder = newFolder()
    for (const name of ['../kalshi', 'a/b', '', 'A', 'x'.repeat(33), '.', 'a b', 'a\nb']) {
      expect(() => folder.generate(name)).toThrowError(
        expect.objectContaining({ code: 'BAD_KEY_NAME', exit: 2 }),
      )
    }
  })
})

describe('the allow-list', () => {
  const key = generateKeyPair().publicKey
  it.each([
    ['a key of another length', `kalshi ${key}x`],
    ['no key', 'kalshi'],
    ['a word too many', `kalshi ${key} again`],
    ['a character that is none of Z85', `kalshi ${key.slice(0, -1)}"`],
    ['a name twice', `kalshi ${key}\nkalshi ${key}`],
    ['a name in capitals', `Kalshi ${key}`],
  ])('refuses %s and names the line', (_, text) => {
    const line = text.includes('\n') ? 2 : 1
    expect(() => parseAllowed(text, 'list')).toThrowError(
      expect.objectContaining({ code: 'BAD_KEY', message: expect.stringContaining(`list:${line}`) }),
    )
  })

  it('passes over comments and empty lines', () => {
    expect(parseAllowed(`# ours\n\nkalshi ${key}\r\n`, 'list')).toEqual(new Map([['kalshi', key]]))
  })

  it('stays as it was when it is read again and cannot be used', () => {
    const folder = newFolder()
    const publicKey = folder.generate('kalshi')
    const ring = new KeyRing(folder, 'kalshi', () => undefined)
    writeFileSync(join(folder.dir, 'allowed.keys'), 'garbage')
    expect(() => ring.reload()).toThrowError(codeOf('BAD_KEY'))
    expect(ring.allows(publicKey)).toBe(true)
  })

  it('lets in whom it names after it was read again, and pins nobody for a publisher that left it', () => {
    const folder = newFolder()
    const publicKey = folder.generate('kalshi')
    const ring = new KeyRing(folder, 'kalshi', () => undefined)
    folder.allow('poly', key)
    expect(ring.allows(key)).toBe(false)
    expect(ring.serverKeyOf('poly')).toBeUndefined()
    expect(ring.reload()).toBe(2)
    expect(ring.allows(key)).toBe(true)
    expect(ring.serverKeyOf('poly')).toBe(key)
    writeFileSync(join(folder.dir, 'allowed.keys'), `kalshi ${publicKey}\n`)
    ring.reload()
    expect(ring.allows(key)).toBe(false)
    expect(isKeyText(ring.serverKeyOf('poly')!)).toBe(true)
    expect(ring.serverKeyOf('poly')).not.toBe(key)
  })
})

describe('a key as text', () => {
  /** Z85 backwards, by long division, to judge our own. */
  const bytesOf = (text: string): Buffer => {
    const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
    const words = text
      .match(/.{5}/gs)!
      .map((five) => [...five].reduce((n, c) => n * 85 + alphabet.indexOf(c), 0))
    const bytes = Buffer.alloc(32)
    words.forEach((word, index) => bytes.writeUInt32BE(word, index * 4))
    return bytes
  }

  it('names every 32 bytes and can be read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const text = keyText(Buffer.from(bytes))!
        expect(isKeyText(text)).toBe(true)
        expect(bytesOf(text).equals(bytes)).toBe(true)
      }),
    )
  })

  it('agrees with libzmq, and is none for another length', () => {
    const { publicKey } = generateKeyPair()
    expect(keyText(bytesOf(publicKey))).toBe(publicKey)
    expect(keyText(Buffer.alloc(31))).toBeUndefined()
    // ZeroMQ RFC 32's own test vector, padded to a key.
    const vector = Buffer.concat([Buffer.from('864FD26FB559F75B', 'hex'), Buffer.alloc(24)])
    expect(keyText(vector)!.slice(0, 10)).toBe('HelloWorld')
    expect(() => assertPublicKey('HelloWorld')).toThrowError(
      expect.objectContaining({ code: 'BAD_KEY', exit: 2 }),
    )
  })
})
