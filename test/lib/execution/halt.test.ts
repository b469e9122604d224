import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HaltLatch, haltPath } from '../../../src/lib/execution/halt.js'
import { until } from '../poll.js'

let dataDir: string
let halt: HaltLatch
let reasons: string[]

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'arbees-halt-'))
  reasons = []
  halt = new HaltLatch(dataDir, (why) => reasons.push(why))
})

afterEach(() => {
  halt.close()
  rmSync(dataDir, { recursive: true, force: true })
})

describe('the halt latch', () => {
  it('falls when the file is there, once, and stays when the file is removed', () => {
    expect(halt.check()).toBe(false)
    writeFileSync(haltPath(dataDir), '')
    expect(halt.check()).toBe(true)
    rmSync(haltPath(dataDir))
    expect(halt.check()).toBe(true)
    expect(reasons).toEqual([`${haltPath(dataDir)} exists`])
  })

  it('falls when the data folder is gone: what cannot be looked for counts as halted', () => {
    rmSync(dataDir, { recursive: true })
    expect(halt.check()).toBe(true)
  })

  it('falls when the data folder is a file', () => {
    rmSync(dataDir, { recursive: true })
    writeFileSync(dataDir, '')
    expect(halt.check()).toBe(true)
  })

  it('sees a file that came and went between two signals', async () => {
    halt.watch()
    writeFileSync(haltPath(dataDir), '')
    await until(() => reasons.length === 1, 'the watch has seen the file')
    rmSync(haltPath(dataDir))
    expect(halt.check()).toBe(true)
  })
})
