import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { HaltLatch } from '../../../src/lib/execution/halt.js'
import { haltPath, latchPath, readLatch, writeLatch } from '../../../src/lib/execution/halt-files.js'
import { formatHaltOrder } from '../../../src/lib/model/halt.js'
import type { HaltOrder } from '../../../src/lib/model/halt.js'
import { until } from '../poll.js'

let dataDir: string
let halt: HaltLatch
let told: string[]

/** A life of exec; `before` is what its ledger remembers. */
function start(before?: HaltOrder): void {
  told = []
  halt = new HaltLatch({
    dataDir,
    env: 'sim',
    mode: 'live',
    clock: systemClock,
    before,
    onHalt: ({ level, reason, by }) => told.push(`${level} ${reason} ${by}`),
    onResume: ({ reason, by }) => told.push(`resumed ${reason} ${by}`),
    onProblem: (text) => told.push(`problem ${text.slice(0, 6)}`),
  })
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'arbees-halt-'))
  start()
})
afterEach(() => {
  halt.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const path = () => latchPath(dataDir, 'sim', 'live')
const order = (level: 'entries' | 'all', reason = 'odd fills') => ({ level, reason, by: 'ops@host' })
/** What `arbees resume` writes. */
const ask = () => writeLatch(path(), { ...readLatch(path())!, resume: { reason: 'checked', by: 'ops@host' } })

describe('the halt latch', () => {
  it('falls when the file is there, once, and stays when the file is removed', () => {
    expect(halt.level()).toBeUndefined()
    expect(existsSync(path())).toBe(false)
    writeFileSync(haltPath(dataDir), '')
    expect(halt.level()).toBe('entries')
    rmSync(haltPath(dataDir))
    expect(halt.level()).toBe('entries')
    expect(told).toEqual([`entries ${haltPath(dataDir)} is there unknown`])
    expect(readLatch(path())).toMatchObject({ level: 'entries', by: 'unknown' })
  })

  it.each([
    ['what halt writes', formatHaltOrder(order('all')), 'all odd fills ops@host'],
    ['another level', '{"level":"everything","reason":"r"}', 'entries r unknown'],
    ['half of it', '{"level":"all"', 'entries PATH is there unknown'],
    ['a number', '7', 'entries PATH is there unknown'],
    ['an escape code in the reason', JSON.stringify({ reason: '\u001b[2J' }), 'entries \\u001b[2J unknown'],
  ])('reads %s in the file', (_, text, expected) => {
    writeFileSync(haltPath(dataDir), text)
    halt.level()
    expect(told).toEqual([expected.replace('PATH', haltPath(dataDir))])
  })

  it.each([
    ['is gone', () => rmSync(dataDir, { recursive: true })],
    ['is a file', () => (rmSync(dataDir, { recursive: true }), writeFileSync(dataDir, ''))],
    ['has a folder in the place of the file', () => mkdirSync(haltPath(dataDir))],
  ])('falls when the data folder %s: what cannot be looked at counts as halted', (_, act) => {
    act()
    expect(halt.level()).toBe('entries')
  })

  it('sees a file that came and went between two signals', async () => {
    halt.watch()
    writeFileSync(haltPath(dataDir), '')
    await until(() => told.length === 1, 'the watch has seen the file')
    rmSync(haltPath(dataDir))
    expect(halt.level()).toBe('entries')
  })

  it('falls further, and never back: from entries to all', () => {
    halt.halt(order('entries', 'first'))
    halt.halt(order('all', 'second'))
    halt.halt(order('entries', 'third'))
    halt.redisSays(order('entries', 'fourth'))
    expect(halt.level()).toBe('all')
    expect(told).toEqual(['entries first ops@host', 'all second ops@host'])
    writeFileSync(haltPath(dataDir), '')
    expect(halt.level()).toBe('all')
    expect(told).toHaveLength(2)
  })

  it('sees all in the file while entries are halted already', () => {
    writeFileSync(haltPath(dataDir), '')
    halt.level()
    writeFileSync(haltPath(dataDir), formatHaltOrder(order('all')))
    expect(halt.level()).toBe('all')
  })
})

describe('an end of the halt', () => {
  it('comes with a request in the latch file, once no trigger is left', async () => {
    halt.watch()
    halt.halt(order('entries'))
    ask()
    await until(() => !existsSync(path()), 'it is taken up')
    expect(halt.level()).toBeUndefined()
    expect(told).toEqual(['entries odd fills ops@host', 'resumed checked ops@host'])
  })

  it.each([
    ['the file is there', () => writeFileSync(haltPath(dataDir), '')],
    ['the key is set', () => halt.redisSays(order('entries'))],
  ])('is refused while %s, and says so', async (_, trigger) => {
    halt.watch()
    trigger()
    halt.level()
    ask()
    await until(() => readLatch(path())?.refused !== undefined, 'it is refused')
    expect(halt.level()).toBe('entries')
    expect(readLatch(path())!.resume).toBeUndefined()
    rmSync(haltPath(dataDir), { force: true })
    halt.redisSays(undefined)
    ask()
    await until(() => halt.level() === undefined, 'the next request is taken up')
  })

  it('does not come by a latch file that somebody removed', async () => {
    halt.watch()
    halt.halt(order('all'))
    rmSync(path())
    await until(() => existsSync(path()), 'it is there again')
    expect(halt.level()).toBe('all')
    expect(readFileSync(path(), 'utf8')).toContain('odd fills')
  })

  it('does not come by a request from before a newer halt', async () => {
    halt.halt(order('entries'))
    ask()
    halt.halt(order('entries', 'again'))
    halt.watch()
    await new Promise((done) => setTimeout(done, 120))
    expect(halt.level()).toBe('entries')
    expect(told).not.toContain('resumed checked ops@host')
  })

  it('does not come by a request that was made of an earlier halt, and written after a newer one', async () => {
    halt.halt(order('entries'))
    const seen = readLatch(path())!
    halt.halt(order('entries', 'again'))
    writeLatch(path(), { ...seen, resume: { reason: 'checked', by: 'ops@host' } })
    halt.watch()
    await until(() => readLatch(path())?.resume === undefined, 'it is void')
    expect(halt.level()).toBe('entries')
  })

  it('does not come while the latch file cannot be read', async () => {
    halt.halt(order('entries'))
    rmSync(path())
    mkdirSync(path())
    halt.watch()
    await until(() => told.some((line) => line.startsWith('problem')), 'it is told')
    await new Promise((done) => setTimeout(done, 120))
    expect(halt.level()).toBe('entries')
    expect(told.filter((line) => line.startsWith('problem')).length).toBeLessThanOrEqual(2)
  })
})

describe('a start', () => {
  it('goes on halted after a halt that nothing ended, and tells of no new one', () => {
    halt.halt(order('all'))
    halt.close()
    start(order('all'))
    expect(halt.level()).toBe('all')
    expect(told).toEqual([])
  })

  it('goes on halted when only the ledger remembers', () => {
    start(order('entries'))
    expect(halt.level()).toBe('entries')
    expect(readLatch(path())).toMatchObject({ reason: 'odd fills' })
  })

  it('goes on halted when only the latch file remembers, and puts it on record', () => {
    halt.halt(order('entries'))
    halt.close()
    start(undefined)
    expect(halt.level()).toBe('entries')
    expect(told).toEqual(['entries odd fills ops@host'])
  })

  it.each([
    ['the ledger remembers the halt', order('entries')],
    ['it does not', undefined],
  ])(
    'goes on halted whatever was asked while it was away, where %s; who asks again is heard',
    async (_, before) => {
      halt.halt(order('entries'))
      halt.close()
      ask()
      start(before)
      expect(readLatch(path())!.resume).toBeUndefined()
      halt.watch()
      await new Promise((done) => setTimeout(done, 120))
      expect(halt.level()).toBe('entries')
      ask()
      await until(() => halt.level() === undefined, 'the next request is taken up')
    },
  )

  it('goes on halted as far as the ledger or the latch file says, whichever is more', () => {
    halt.halt(order('entries'))
    halt.close()
    start(order('all'))
    expect(halt.level()).toBe('all')
    halt.close()
    writeFileSync(path(), '')
    start(order('all'))
    expect(halt.level()).toBe('all')
  })
})
