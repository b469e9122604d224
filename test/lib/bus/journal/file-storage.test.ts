import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openJournalReader } from '../../../../src/lib/bus/journal/reader.js'
import { FileStorage } from '../../../../src/lib/bus/journal/storage.js'
import { bootId } from '../../../../src/lib/core/ids.js'
import { ManualClock } from '../../../../src/lib/core/clock.js'
import { until } from '../../poll.js'
import { openJournal, publish, range, readEpoch } from './journal-harness.js'

const RUN_TYPESCRIPT = resolve(import.meta.dirname, '../../run-typescript.mjs')
const WRITER = resolve(import.meta.dirname, 'journal-writer.ts')

let dir: string
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'arbees-journal-')), 'kalshi.prices')
})
afterEach(() => {
  rmSync(resolve(dir, '..'), { recursive: true, force: true })
})

/** A process that publishes as fast as it can, 10 messages a turn, and says each turn's last seq after the flush. */
function startWriter(): { readonly pid: number; readonly last: () => number; kill: () => Promise<void> } {
  const child = spawn(process.execPath, ['--import', RUN_TYPESCRIPT, WRITER, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const gone = new Promise<void>((done) => child.once('close', () => done()))
  return {
    pid: child.pid!,
    last: () => Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1)),
    kill: () => {
      child.kill('SIGKILL')
      return gone
    },
  }
}

describe('a journal on a disk', () => {
  it('has every message that a killed process said it had, and is taken over from it', async () => {
    const told: number[] = []
    for (let round = 0; round < 3; round++) {
      const writer = startWriter()
      await until(() => writer.last() >= 200, 'the writer has written')
      expect(() => openJournal(new FileStorage(dir))).toThrow(
        expect.objectContaining({
          code: 'JOURNAL_LOCKED',
          exit: 7,
          message: expect.stringContaining(String(writer.pid)),
        }),
      )
      await writer.kill()
      told.push(writer.last())
    }
    const storage = new FileStorage(dir)
    const { journal } = openJournal(storage, { bootId: bootId() })
    const { epochs } = openJournalReader(storage)
    expect(epochs).toHaveLength(4)
    told.forEach((last, round) => {
      const epoch = readEpoch(journal, storage, epochs[round]!.epoch)
      expect(epoch).toMatchObject({ holes: [], end: 'known' })
      expect(epoch.seqs).toEqual(range(1, epoch.last))
      expect(epoch.last).toBeGreaterThanOrEqual(last)
    })
    journal.close()
  })

  it('belongs to its user alone', () => {
    const { journal } = openJournal(new FileStorage(dir))
    publish(journal, 1, 1)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(readdirSync(dir).map((name) => statSync(join(dir, name)).mode & 0o077)).toEqual(
      readdirSync(dir).map(() => 0),
    )
    journal.close()
  })

  it('is refused to a second journal of the same process, and free after the first', () => {
    const first = openJournal(new FileStorage(dir)).journal
    expect(() => openJournal(new FileStorage(dir))).toThrow(
      expect.objectContaining({ code: 'JOURNAL_LOCKED' }),
    )
    first.close()
    openJournal(new FileStorage(dir)).journal.close()
    expect(readdirSync(dir).filter((name) => name.startsWith('lock'))).toEqual([])
  })

  it.each([
    [
      'of a process that is gone',
      () => ({ pid: Number(execFileSync('sh', ['-c', 'echo $$'])), started: '1', boot: bootId() }),
    ],
    ['of a pid that another process has by now', () => ({ pid: process.pid, started: '1', boot: bootId() })],
    ['from before the machine was started', () => ({ pid: process.pid, started: '1', boot: 'other' })],
  ])('takes over a lock %s', (_, owner) => {
    openJournal(new FileStorage(dir)).journal.close()
    writeFileSync(join(dir, 'lock'), JSON.stringify(owner()))
    expect(new FileStorage(dir).holder()).toBeUndefined()
    openJournal(new FileStorage(dir)).journal.close()
  })

  it('takes over a lock that names nobody', () => {
    openJournal(new FileStorage(dir)).journal.close()
    writeFileSync(join(dir, 'lock'), '{"pid":')
    openJournal(new FileStorage(dir)).journal.close()
  })

  it('in a folder that cannot be written is refused with the next step', () => {
    writeFileSync(dir, 'a file')
    expect(() => openJournal(new FileStorage(dir))).toThrow(
      expect.objectContaining({ code: 'JOURNAL_UNUSABLE', exit: 4, message: expect.stringContaining(dir) }),
    )
  })

  it.skipIf(process.getuid?.() === 0)('in a folder of somebody else is refused too', () => {
    const { journal } = openJournal(new FileStorage(dir))
    journal.close()
    chmodSync(dir, 0o500)
    expect(() => openJournal(new FileStorage(dir))).toThrow(
      expect.objectContaining({ code: 'JOURNAL_UNUSABLE' }),
    )
    chmodSync(dir, 0o700)
  })

  it('goes on in a new folder when its own is deleted', async () => {
    const clock = new ManualClock()
    const storage = new FileStorage(dir)
    const { journal } = openJournal(storage, { clock, bootId: bootId() })
    publish(journal, 1, 3)
    await journal.sync()
    rmSync(dir, { recursive: true })
    expect(publish(journal, 4, 4)).toEqual([true])
    await journal.sync()
    expect(journal.state).toBe('degraded')
    clock.advanceMs(1_000)
    expect(journal.flush()).toBe(true)
    expect(publish(journal, 5, 6)).toEqual([true, true])
    expect(existsSync(dir)).toBe(true)
    journal.close()
    const reopened = openJournal(storage, { clock, bootId: bootId() }).journal
    expect(readEpoch(reopened, storage, journal.epoch)).toEqual({
      seqs: [5, 6],
      holes: [{ from: 1, to: 4, reason: 'retention' }],
      last: 6,
      end: 'known',
    })
    reopened.close()
  })

  it('keeps no file open that it does not write', async () => {
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    const storage = new FileStorage(dir)
    const { journal } = openJournal(storage, { retainBytes: 20_000 })
    for (let from = 1; from < 400; from += 40) {
      publish(journal, from, from + 39)
      await journal.sync()
    }
    expect(open()).toBeLessThanOrEqual(before + 1)
    journal.close()
    expect(open()).toBe(before)
  })

  it('may be closed while it syncs', async () => {
    const { journal } = openJournal(new FileStorage(dir), { retainBytes: 20_000 })
    const before = readdirSync('/proc/self/fd').length
    publish(journal, 1, 300)
    const syncing = journal.sync()
    publish(journal, 301, 310)
    journal.close()
    await syncing
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before)
    const storage = new FileStorage(dir)
    const reopened = openJournal(storage).journal
    expect(readEpoch(reopened, storage, journal.epoch)).toMatchObject({ last: 310, end: 'known' })
    reopened.close()
  })
})
