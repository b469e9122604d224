import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXIT } from '../../../src/lib/core/errors.js'
import { RedisLink, checkRedis, connectRedis } from '../../../src/lib/redis/connection.js'
import { TestAuthority } from './certificates.js'
import type { Certificate } from './certificates.js'
import { TestRedis, freePort } from './support.js'

let authority: TestAuthority
let stranger: TestAuthority
let client: Certificate
/** Lets everyone in who trusts it. */
let open: { readonly port: number; readonly plain: TestRedis }
/** Wants to know who comes: what a Redis with TLS does unless it is told otherwise. */
let mutual: { readonly port: number; readonly plain: TestRedis }

async function tlsServer(server: Certificate, clients: 'yes' | 'no') {
  const port = await freePort()
  const plain = await TestRedis.start([
    ...['--tls-port', String(port), '--tls-cert-file', server.cert, '--tls-key-file', server.key],
    ...['--tls-ca-cert-file', authority.cert, '--tls-auth-clients', clients],
  ])
  return { port, plain }
}

beforeAll(async () => {
  authority = new TestAuthority()
  stranger = new TestAuthority()
  client = authority.issue('arbees')
  open = await tlsServer(authority.issue('named', 'DNS:localhost'), 'no')
  mutual = await tlsServer(authority.issue('numbered', 'IP:127.0.0.1'), 'yes')
})
afterAll(async () => {
  await open.plain.stop()
  await mutual.plain.stop()
  authority.remove()
  stranger.remove()
})

const trusted = () => `cacert=${authority.cert}`
const failureOf = (url: string, timeoutMs = 5_000) =>
  checkRedis(url, timeoutMs).then(
    () => expect.unreachable(),
    (error: unknown) => error,
  )

describe('Redis over TLS', () => {
  it('speaks to a server that the authority vouches for', async () => {
    const link = await connectRedis(`rediss://localhost:${open.port}?${trusted()}`, 'test-tls')
    await link.redis.set('k', 'over tls')
    expect(await open.plain.look.get('k')).toBe('over tls')
    expect(open.plain.cli('CLIENT', 'LIST')).toContain('name=test-tls')
    link.close()
  })

  it('shows who it is where the server asks', async () => {
    const url = `rediss://127.0.0.1:${mutual.port}?${trusted()}&cert=${client.cert}&key=${client.key}`
    expect((await checkRedis(url)).pid).toBe(mutual.plain.pid)
  })

  it.each([
    ['a server of an authority that it was not told of', () => `rediss://localhost:${open.port}`, /_/],
    [
      'a server of another authority',
      () => `rediss://localhost:${open.port}?cacert=${stranger.cert}`,
      /CERT|SIGNATURE/,
    ],
    [
      'a certificate of another name',
      () => `rediss://127.0.0.1:${open.port}?${trusted()}`,
      /ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
    ['a server that asks who it is', () => `rediss://127.0.0.1:${mutual.port}?${trusted()}`, /ERR_SSL/],
  ])('%s is REDIS_TLS at once, with what to do about it', async (_, url, code) => {
    const error = await failureOf(url())
    expect(error).toMatchObject({
      code: 'REDIS_TLS',
      exit: EXIT.CONFIG,
      hint: expect.stringContaining('cacert') as string,
    })
    expect(String(error)).toMatch(code)
  })

  it('a plain port is no answer, and it asks for the TLS port', async () => {
    const error = await failureOf(`rediss://127.0.0.1:${open.plain.port}?${trusted()}`, 500)
    expect(error).toMatchObject({
      code: 'REDIS_UNREACHABLE',
      hint: expect.stringContaining('TLS port') as string,
    })
  })

  it('a TLS port takes nothing that is said in plain', async () => {
    expect(await failureOf(`redis://127.0.0.1:${open.port}`, 500)).toMatchObject({
      code: 'REDIS_UNREACHABLE',
    })
  })

  it.each([
    ['a file that is not there', () => 'cacert=/nowhere/ca.pem', 'BAD_REDIS_TLS', '/nowhere/ca.pem'],
    [
      'a CA file without a certificate',
      () => `cacert=${made('junk.pem', 'junk')}`,
      'BAD_REDIS_TLS',
      'junk.pem',
    ],
    [
      'a key that is none',
      () => `${trusted()}&cert=${client.cert}&key=${made('junk.key', 'junk')}`,
      'BAD_REDIS_TLS',
      'junk.key',
    ],
    [
      'a key of another certificate',
      () => `${trusted()}&cert=${client.cert}&key=${authority.issue('other').key}`,
      'BAD_REDIS_TLS',
      'do not fit',
    ],
    [
      'a key that others can read',
      () => `${trusted()}&cert=${client.cert}&key=${laidOpen()}`,
      'OPEN_SECRET',
      'open.key',
    ],
  ])('%s is named before anything connects', (_, query, code, named) => {
    const create = () => new RedisLink({ url: `rediss://127.0.0.1:1?${query()}`, name: 'test' })
    expect(create).toThrow(expect.objectContaining({ code, exit: EXIT.CONFIG }) as Error)
    expect(create).toThrow(named)
  })
})

function made(name: string, text: string): string {
  const path = join(authority.dir, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

function laidOpen(): string {
  const path = join(authority.dir, 'open.key')
  copyFileSync(client.key, path)
  chmodSync(path, 0o644)
  return path
}
