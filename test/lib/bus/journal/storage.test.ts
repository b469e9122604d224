import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStorage } from '../../../../src/lib/bus/journal/storage.js'

const RECORD = Buffer.alloc(1_000, 'x')

let dir: string
let storage: FileStorage

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-storage-'))
  storage = new FileStorage(join(dir, 'journal'))
  storage.lock()
})

afterEach(() => {
  storage.close()
  rmSync(dir, { recursive: true, force: true })
})

describe('a sync in the background', () => {
  it('leaves a file open that was written to again and then left while it ran', async () => {
    storage.append('1.seg', RECORD)
    const running = storage.sync()
    storage.append('1.seg', RECORD)
    storage.append('2.seg', RECORD)
    await running
    // Whoever opens a file now must not get the number of one that is still to be closed.
    storage.append('3.seg', RECORD)
    await storage.sync()
    storage.append('3.seg', RECORD)
    await storage.sync()
    expect(['1.seg', '2.seg', '3.seg'].map((name) => storage.size(name))).toEqual([2_000, 1_000, 2_000])
  })

  it.each([
    ['removed', () => storage.remove('1.seg')],
    ['replaced', () => storage.writeWhole('1.seg', 'new')],
  ])('takes a file that the journal itself %s meanwhile for no damage', async (_, change) => {
    storage.append('1.seg', RECORD)
    const running = storage.sync()
    change()
    await running
    storage.append('2.seg', RECORD)
    change()
    await storage.sync()
  })

  it('tells when somebody else removed a file', async () => {
    storage.append('1.seg', RECORD)
    rmSync(join(dir, 'journal', '1.seg'))
    await expect(storage.sync()).rejects.toMatchObject({ code: 'JOURNAL_REMOVED' })
    storage.writeWhole('1.seg', 'new')
    expect(readFileSync(join(dir, 'journal', '1.seg'), 'utf8')).toBe('new')
  })
})
