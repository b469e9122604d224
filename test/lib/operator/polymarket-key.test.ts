import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import {
  makePolymarketKey,
  type PolymarketKeyReport,
  type PolymarketKeyRequest,
} from '../../../src/lib/operator/polymarket-key.js'
import { loadPolymarketCredentials } from '../../../src/lib/venues/polymarket/auth.js'
import { createPlace, launch } from '../../e2e/launch.js'
import { addressOf, call, l2Headers, startBench, type Bench } from '../sim/harness.js'

let bench: Bench
let dir: string
let keyFile: string
const servers: Server[] = []
beforeAll(async () => {
  bench = await startBench({ speed: 0.1 })
  dir = mkdtempSync(join(tmpdir(), 'arbees-wallet-'))
  keyFile = join(dir, 'wallet.key')
  writeFileSync(keyFile, `${bench.wallet.private_key}\n`, { mode: 0o600 })
})
afterAll(async () => {
  await bench.close()
  rmSync(dir, { recursive: true, force: true })
})
afterEach(() => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers.splice(0)) server.close()
})

const settingsOf = (clob: string) =>
  loadSettings({
    flags: { env: 'sim', 'polymarket.clob_url': clob },
    environment: {},
    file: { path: '/nowhere/arbees.yaml', required: false },
  }).settings

let files = 0
const make = (more: Partial<PolymarketKeyRequest> = {}, clob = bench.sim.urls.clob) =>
  makePolymarketKey({
    settings: settingsOf(clob),
    clock: systemClock,
    keyFile,
    out: join(dir, `made-${files++}`, 'polymarket.json'),
    funder: bench.wallet.funder,
    signatureType: 2,
    force: false,
    ...more,
  })

/** A venue of a few canned answers, by path; `false` never answers. */
async function venue(answers: Readonly<Record<string, readonly [number, unknown]>>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const [status, body] = answers[request.url ?? ''] ?? [404, {}]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
const served = { '/api/geoblock': [200, { blocked: false }] } as const

describe('keys polymarket', () => {
  it('derives what the venue has, creates what it has not, and what it writes is what exec reads', async () => {
    const { wallet, sim } = bench
    const derived = await make()
    expect(derived).toMatchObject({ api_credentials: 'derived', signature_type: 2 })
    expect(derived.address.toLowerCase()).toBe(addressOf(wallet.private_key))
    expect(loadPolymarketCredentials({ path: derived.file })).toMatchObject({
      apiKey: wallet.api_key,
      secret: wallet.secret,
      passphrase: wallet.passphrase,
      signatureType: 2,
    })
    expect([statSync(derived.file).mode & 0o777, readdirSync(join(derived.file, '..'))]).toEqual([
      0o600,
      ['polymarket.json'],
    ])
    const headers = l2Headers(wallet, 'DELETE', '/auth/api-key')
    expect((await call(`${sim.urls.clob}/auth/api-key`, { method: 'DELETE', headers })).status).toBe(200)
    const created = await make()
    expect(created.api_credentials).toBe('created')
    const fresh = JSON.parse(readFileSync(created.file, 'utf8')) as typeof wallet
    expect(fresh.api_key).not.toBe(wallet.api_key)
    const opened = await call(`${sim.urls.clob}/auth/api-keys`, {
      headers: l2Headers(fresh, 'GET', '/auth/api-keys'),
    })
    expect(opened).toEqual({ status: 200, body: { apiKeys: [fresh.api_key] } })
    // By the command, which says no secret, and asking again gives the same.
    const place = await createPlace()
    const environment = { ...place.environment, ARBEES_POLYMARKET__CLOB_URL: sim.urls.clob }
    const out = join(dir, 'by-command.json')
    const of = ['--signature-type', '2', '--funder', wallet.funder, '--out', out]
    const run = launch(['keys', 'polymarket', keyFile, ...of, '--json'], environment)
    expect(await run.ended, run.stderr()).toBe(0)
    place.remove()
    expect(JSON.parse(run.stdout()) as PolymarketKeyReport).toEqual({
      ...created,
      file: out,
      api_credentials: 'derived',
    })
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(fresh)
    const told = run.stdout() + run.stderr()
    for (const secret of [fresh.secret, fresh.passphrase, fresh.private_key.slice(2), fresh.api_key]) {
      expect(told).not.toContain(secret)
    }
  })

  it('replaces no file unless forced, and asks nobody before it knows', async () => {
    const { url, asked } = await venue(served)
    const out = join(dir, 'there.json')
    writeFileSync(out, 'mine')
    await expect(make({ out }, url)).rejects.toMatchObject({ code: 'KEY_EXISTS', exit: 7 })
    expect(asked).toEqual([])
    expect(readFileSync(out, 'utf8')).toBe('mine')
    expect((await make({ out, force: true })).file).toBe(out)
    expect(statSync(out).mode & 0o777).toBe(0o600)
  })

  it.each<[string, Partial<PolymarketKeyRequest>, string, number]>([
    ['another wallet for the key’s own address', { signatureType: 0 }, 'USAGE', 2],
    ['no wallet where another pays', { funder: undefined }, 'USAGE', 2],
    ['a wallet that is none', { funder: '0x12' }, 'USAGE', 2],
    ['nowhere to write', { out: '' }, 'USAGE', 2],
    ['a key that is not there', { keyFile: '/nowhere/wallet.key' }, 'KEY_FILE', 4],
    ['a folder that cannot be', { out: '/dev/null/x/polymarket.json' }, 'KEY_NOT_WRITTEN', 4],
  ])('refuses %s', async (_, request, code, exit) => {
    await expect(make(request)).rejects.toMatchObject({ code, exit })
  })

  it('takes no key that others can read, and quotes none that it cannot use', async () => {
    const open = join(dir, 'open.key')
    writeFileSync(open, bench.wallet.private_key)
    chmodSync(open, 0o644)
    await expect(make({ keyFile: open })).rejects.toMatchObject({ code: 'OPEN_SECRET', exit: 4 })
    const broken = join(dir, 'broken.key')
    writeFileSync(broken, 'seed words instead', { mode: 0o600 })
    const error: unknown = await make({ keyFile: broken }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'KEY_FILE' })
    expect(String(error)).not.toContain('seed')
  })

  const none = { '/auth/derive-api-key': [400, { error: 'Could not derive api key!' }] } as const
  it.each<[string, Readonly<Record<string, readonly [number, unknown]>>, string, number, number]>([
    [
      'does not serve us',
      { '/api/geoblock': [200, { blocked: true, country: 'US' }] },
      'REGION_BLOCKED',
      7,
      1,
    ],
    [
      'does not believe the proof',
      { ...served, '/auth/derive-api-key': [401, { error: 'Invalid L1 Request headers' }] },
      'API_KEY_REFUSED',
      4,
      2,
    ],
    [
      'has no credentials and gives none',
      { ...served, ...none, '/auth/api-key': [400, { error: 'Could not create api key' }] },
      'API_KEY_REFUSED',
      4,
      3,
    ],
    [
      'is out of order, which is no reason to make new ones',
      { ...served, '/auth/derive-api-key': [500, {}] },
      'VENUE_BAD_ANSWER',
      6,
      2,
    ],
    [
      'answers with half of them, which nobody is shown',
      { ...served, '/auth/derive-api-key': [200, { apiKey: 'k', secret: 'hush-hush' }] },
      'VENUE_BAD_ANSWER',
      6,
      2,
    ],
  ])('writes nothing where the venue %s', async (_, answers, code, exit, questions) => {
    const { url, asked } = await venue(answers)
    const out = join(dir, `none-${code}-${questions}.json`)
    const error: unknown = await make({ out }, url).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, exit })
    expect(JSON.stringify([error, String(error)])).not.toContain('hush')
    expect(asked).toHaveLength(questions)
    expect(readdirSync(dir).filter((name) => name.startsWith('none-'))).toEqual([])
  })
})
