import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSimAccounts, readPublicAccounts } from '../../../src/lib/sim/accounts.js'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sim-accounts-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- credential files are read by field in assertions
const json = async (file: string): Promise<any> => JSON.parse(await readFile(file, 'utf8'))

describe('simulator accounts', () => {
  it('writes a read-only and a trading credential, all 0600, and reuses them', async () => {
    const accounts = await createSimAccounts(dir)
    const names = [
      'kalshi-read.pem',
      'kalshi-trade.pem',
      'monitor.json',
      'exec.json',
      'polymarket.json',
      'public.json',
    ]
    for (const name of names) expect((await stat(join(dir, name))).mode & 0o777, name).toBe(0o600)
    const monitor = await json(accounts.monitorFile)
    const exec = await json(accounts.execFile)
    expect(monitor.polymarket).toBeUndefined()
    expect(monitor.kalshi.key_id).not.toBe(exec.kalshi.key_id)
    expect(await readFile(String(monitor.kalshi.key_file), 'utf8')).toContain('PRIVATE KEY')
    const wallet = await json(String(exec.polymarket.key_file))
    expect(wallet).toMatchObject({
      signature_type: 2,
      private_key: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    })
    const known = await readPublicAccounts(dir)
    expect(known.kalshi.keys.map(({ scope }) => scope)).toEqual(['read', 'write'])
    expect(known.polymarket.api_key).toBe(wallet.api_key)
    const before = await readFile(accounts.execFile, 'utf8')
    await createSimAccounts(dir)
    expect(await readFile(accounts.execFile, 'utf8')).toBe(before)
    expect(JSON.stringify(await readPublicAccounts(dir))).not.toContain(String(wallet.private_key))
  })

  it('makes a whole new set when a file is missing', async () => {
    const accounts = await createSimAccounts(dir)
    const before = await json(accounts.execFile)
    await rm(join(dir, 'kalshi-trade.pem'))
    await createSimAccounts(dir)
    expect((await json(accounts.execFile)).kalshi.key_id).not.toBe(before.kalshi.key_id)
  })

  it('refuses a directory without accounts', async () => {
    await expect(readPublicAccounts(join(dir, 'nowhere'))).rejects.toMatchObject({
      code: 'SIM_ACCOUNTS',
      exit: 4,
    })
  })
})
