import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../src/lib/core/config-file.js'
import { initConfig, setConfig } from '../../../src/lib/operator/config-write.js'

const SOURCE = resolve(import.meta.dirname, '../../../src/lib/operator/config-write.ts')
const RUN_TYPESCRIPT = resolve(import.meta.dirname, '../run-typescript.mjs')
const DEMO = { key: 'env', value: 'demo', profile: undefined } as const

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-config-write-'))
  path = join(dir, 'arbees.yaml')
})
afterEach(() => rmSync(dir, { recursive: true }))

const refused = (code: string, message: RegExp) =>
  expect.objectContaining({
    ...{ code, exit: 4 },
    message: expect.stringMatching(message) as string,
    hint: expect.stringMatching(/\w/) as string,
  }) as unknown

describe('writing the settings file', () => {
  it('keeps a link, its mode and its owner', async () => {
    const target = join(dir, 'real.yaml')
    writeFileSync(target, 'env: sim\n')
    chmodSync(target, 0o664)
    symlinkSync('real.yaml', path)
    await setConfig(path, DEMO)
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(readFileSync(target, 'utf8')).toBe('env: demo\n')
    expect(statSync(target).mode & 0o777).toBe(0o664)
    expect(readdirSync(dir).sort()).toEqual(['arbees.yaml', 'real.yaml'])
  })

  it('refuses a link to nothing, which a file in its place would cut off from what it was to be', async () => {
    symlinkSync('gone.yaml', path)
    await expect(setConfig(path, DEMO)).rejects.toEqual(refused('CONFIG_NOT_WRITTEN', /link to a file/))
    await expect(initConfig(path, true)).rejects.toEqual(refused('CONFIG_NOT_WRITTEN', /link to a file/))
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
  })

  it('refuses a read-only file, of root too, and what is no file', async () => {
    writeFileSync(path, 'env: sim\n')
    chmodSync(path, 0o444)
    await expect(setConfig(path, DEMO)).rejects.toEqual(refused('CONFIG_NOT_WRITTEN', /arbees\.yaml/))
    await expect(initConfig(path, true)).rejects.toEqual(refused('CONFIG_NOT_WRITTEN', /arbees\.yaml/))
    expect(readFileSync(path, 'utf8')).toBe('env: sim\n')
    await expect(initConfig(dir, true)).rejects.toEqual(refused('CONFIG_NOT_WRITTEN', /it is no file/))
    expect(readdirSync(dir)).toEqual(['arbees.yaml'])
  })

  it('leaves a file as it is whose aliases would change with it, and says which file', async () => {
    const text = 'limits:\n  order_usd: &x 50\n  game_usd: *x\n'
    writeFileSync(path, text)
    const change = { key: 'limits.order_usd', value: '1000', profile: undefined } as const
    await expect(setConfig(path, change)).rejects.toEqual(
      refused('BAD_CONFIG', /arbees\.yaml stays as it is: .*limits\.game_usd would change, too/),
    )
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(dir)).toEqual(['arbees.yaml'])
  })

  it('loses no value of two processes that write at once', async () => {
    const changes = 8
    const program = `
      const { setConfig } = await import(${JSON.stringify(SOURCE)})
      const [path, name] = process.argv.slice(1)
      process.stdout.write('ready')
      await new Promise((go) => process.stdin.once('data', go))
      for (let i = 0; i < ${changes}; i++)
        await setConfig(path, { key: 'shards', value: '2', profile: name + i })
      process.exit(0)`
    const children = ['a', 'b'].map((name) =>
      spawn(
        process.execPath,
        ['--import', RUN_TYPESCRIPT, '--input-type=module', '-e', program, path, name],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      ),
    )
    const ended = children.map((child) => once(child, 'exit'))
    await Promise.all(children.map((child) => once(child.stdout, 'data')))
    for (const child of children) child.stdin.write('go')
    expect((await Promise.all(ended)).map(([code]) => code as unknown)).toEqual([0, 0])
    expect(readConfigFile(path).profiles).toHaveLength(2 * changes)
    expect(readdirSync(dir)).toEqual(['arbees.yaml'])
  })
})
