import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { open, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { FileStorage } from '../../../src/lib/bus/journal/storage.js'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { bootId } from '../../../src/lib/core/ids.js'
import { catJournal } from '../../../src/lib/operator/journal-cat.js'
import { journalFolder } from '../../../src/lib/operator/journal-folders.js'
import { listJournals } from '../../../src/lib/operator/journal-list.js'
import { verifyJournals } from '../../../src/lib/operator/journal-verify.js'
import { renderListing, renderVerification } from '../../../src/lib/operator/journal-view.js'
import { createJsonFormat } from '../../../src/lib/operator/tap-format.js'

const SOURCE = 'kalshi.prices'
const PLAIN = { width: 160, color: false }

let root: string
let dir: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'arbees-journals-'))
  dir = join(root, SOURCE)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const clock = new ManualClock()

/** One life of the source; left open when `end` is `crash`. */
function live(count: number, end: 'close' | 'stay', retainBytes = 16_000): Journal {
  clock.advanceMs(1_000)
  const journal = Journal.open({
    storage: new FileStorage(dir),
    ...{ source: SOURCE, clock, retainBytes, bootId: bootId(), onNotice: () => undefined },
  })
  for (let seq = 1; seq <= count; seq++) {
    journal.stage(seq, clock.nowMs(), Buffer.from('prices.kalshi.KX'), `{"v":1,"payload":{"n":${seq}}}`)
    journal.flush()
  }
  if (end === 'close') journal.close()
  return journal
}

async function overwrite(file: string, offset: number): Promise<void> {
  const handle = await open(join(dir, file), 'r+')
  await handle.write(Buffer.from([0xff]), 0, 1, offset)
  await handle.close()
}

async function cat(options: { epoch?: number; from?: number; count?: number } = {}) {
  const lines: string[] = []
  const { epoch, from, count } = options
  const summary = await catJournal({
    ...{ dir, epoch, from, count, format: createJsonFormat({ forTerminal: false }) },
    out: (line) => Promise.resolve(void lines.push(line)),
  })
  return { summary, lines: lines.map((line) => JSON.parse(line) as { seq?: number; gap?: unknown }) }
}

describe('journal ls', () => {
  it('shows each epoch that has messages, what is on disk and whether its end is known', () => {
    const first = live(20, 'close')
    const second = live(300, 'stay')
    const { journals } = listJournals(root)
    expect(journals).toMatchObject([{ source: SOURCE, writer: process.pid, epochs_gone: 1 }])
    expect(journals[0]!.epochs).toMatchObject([
      { epoch: second.epoch, published: 300, last: 300, end: 'open' },
    ])
    expect(journals[0]!.epochs[0]!.first).toBe(second.oldest!.seq)
    expect(journals[0]!.bytes).toBe(second.bytes)
    second.close()
    expect(listJournals(dir).journals[0]!.epochs).toMatchObject([{ end: 'known' }])
    expect(renderListing(listJournals(dir), PLAIN)).toContain(`${second.oldest!.seq}-300`)
    expect(first.epoch).toBeLessThan(second.epoch)
  })

  it('names the folder when there is no journal in it', () => {
    expect(() => listJournals(join(root, 'none'))).toThrow(
      expect.objectContaining({ code: 'NO_JOURNAL', exit: 2, message: expect.stringContaining(root) }),
    )
  })

  it('finds a source by its name, below the folder of its env', () => {
    const settings = { data_dir: root, env: 'sim' } as Parameters<typeof journalFolder>[0]
    expect(journalFolder(settings, SOURCE)).toBe(join(root, 'journal', 'sim', SOURCE))
    expect(journalFolder(settings)).toBe(join(root, 'journal', 'sim'))
    expect(journalFolder(settings, dir)).toBe(dir)
  })
})

describe('journal verify', () => {
  it('counts what is right', () => {
    live(20, 'close')
    live(10, 'stay')
    expect(verifyJournals(root)).toMatchObject({ ok: true, journals: [{ records: 30, flaws: [] }] })
  })

  it('names the file, the byte and the message of damage', async () => {
    const journal = live(20, 'close')
    const [{ name, bytes }] = [{ name: `000${journal.epoch}-0000000000000001.seg`, bytes: journal.bytes }]
    await overwrite(name, Math.floor((bytes / 20) * 7))
    const { ok, journals } = verifyJournals(root)
    expect(ok).toBe(false)
    expect(journals[0]).toMatchObject({
      records: 19,
      flaws: [{ kind: 'damaged', file: name, epoch: journal.epoch }],
    })
    const [flaw] = journals[0]!.flaws
    expect(flaw!.from).toBe(flaw!.to)
    expect(renderVerification(verifyJournals(root), PLAIN)).toContain(`${name}:${flaw!.offset}`)
    const { lines, summary } = await cat()
    expect(summary).toEqual({ messages: 19, missing: 1 })
    expect(lines[flaw!.from - 1]).toMatchObject({
      gap: { from: flaw!.from, to: flaw!.to, reason: 'corrupt' },
    })
  })

  it('tells messages whose file is gone, and damage in the index of epochs', async () => {
    const journal = live(300, 'close', 32_000)
    const files = new FileStorage(dir)
      .list()
      .filter((name) => name.endsWith('.seg'))
      .sort()
    rmSync(join(dir, files[1]!))
    const to = Number(files[2]!.slice(17, 33)) - 1
    const flaws = [
      { kind: 'missing', file: null, epoch: journal.epoch, from: Number(files[1]!.slice(17, 33)), to },
    ]
    expect(verifyJournals(root)).toMatchObject({ ok: false, journals: [{ flaws, damaged_lines: 0 }] })
    await overwrite('epochs', 20)
    expect(verifyJournals(root)).toMatchObject({ ok: false, journals: [{ flaws, damaged_lines: 1 }] })
  })

  describe('misses what no file has', () => {
    const filesOf = ({ epoch }: Journal) =>
      new FileStorage(dir)
        .list()
        .filter((name) => name.endsWith('.seg') && Number(name.slice(0, 16)) === epoch)
        .sort()
    const remove = (files: readonly string[]) => files.forEach((name) => rmSync(join(dir, name)))
    const missing = ({ epoch }: Journal, from: number, to: number) => ({
      ...{ kind: 'missing', file: null, offset: null, bytes: null },
      ...{ epoch, from, to },
    })
    const flaws = () => verifyJournals(root).journals[0]!.flaws

    it('of whole epochs', () => {
      const [, second, third] = [live(20, 'close'), live(30, 'close'), live(5, 'close')]
      remove([...filesOf(second), ...filesOf(third)])
      expect(verifyJournals(root).ok).toBe(false)
      expect(flaws()).toEqual([missing(second, 1, 30), missing(third, 1, 5)])
    })

    it('of the beginning of an epoch', () => {
      live(20, 'close', 32_000)
      const second = live(150, 'close', 32_000)
      const [beginning = '', then = ''] = filesOf(second)
      remove([beginning])
      expect(flaws()).toEqual([missing(second, 1, Number(then.slice(17, 33)) - 1)])
    })

    it('where there is none at all: what retention never takes', () => {
      const journals = [live(20, 'close', 32_000), live(150, 'close', 32_000), live(0, 'close', 32_000)]
      const newest = Number(filesOf(journals[1]!).at(-1)!.slice(17, 33))
      expect(newest).toBeGreaterThan(1)
      remove(journals.flatMap(filesOf))
      expect(verifyJournals(root).ok).toBe(false)
      expect(flaws()).toEqual([missing(journals[1]!, newest, 150)])
    })

    it('but not what retention took', () => {
      const [first, second] = [live(20, 'close'), live(300, 'close')]
      expect(filesOf(first)).toEqual([])
      expect(Number(filesOf(second)[0]!.slice(17, 33))).toBeGreaterThan(1)
      expect(verifyJournals(root)).toMatchObject({ ok: true, journals: [{ flaws: [] }] })
    })
  })

  it('takes a torn tail for what it is, unless the message was said to be there', async () => {
    const journal = live(20, 'stay')
    const file = `000${journal.epoch}-0000000000000001.seg`
    const { size } = statSync(join(dir, file))
    // The lock of a process that is gone.
    rmSync(join(dir, 'lock'))
    await truncate(join(dir, file), size - 3)
    expect(verifyJournals(root)).toMatchObject({
      ok: true,
      journals: [{ flaws: [{ kind: 'torn', from: 20 }] }],
    })
    live(1, 'close')
    expect(verifyJournals(root)).toMatchObject({ ok: true, journals: [{ flaws: [] }] })
    journal.close()
  })

  it('misses what was cut from an epoch whose end is on record', async () => {
    const journal = live(20, 'close')
    const file = `000${journal.epoch}-0000000000000001.seg`
    const path = join(dir, file)
    const { size } = statSync(path)
    await truncate(path, size - 3)
    const damaged = { kind: 'damaged', file, from: 20, to: 20 }
    expect(verifyJournals(root)).toMatchObject({ ok: false, journals: [{ flaws: [damaged] }] })
    const lastRecord = 34 + 'prices.kalshi.KX'.length + '{"v":1,"payload":{"n":20}}'.length
    await truncate(path, size - 2 * lastRecord)
    const missing = { kind: 'missing', file: null, from: 19, to: 20 }
    expect(verifyJournals(root)).toMatchObject({ ok: false, journals: [{ flaws: [missing] }] })
  })
})

describe('journal cat', () => {
  it('prints every epoch, one of them, or a part of it', async () => {
    const first = live(20, 'close')
    const second = live(10, 'close')
    const seqs = async (options?: Parameters<typeof cat>[0]) =>
      (await cat(options)).lines.map(({ seq }) => seq)
    const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
    expect(await seqs()).toEqual([...upTo(20), ...upTo(10)])
    expect(await seqs({ epoch: second.epoch })).toEqual(upTo(10))
    expect(await seqs({ epoch: first.epoch, from: 18 })).toEqual([18, 19, 20])
    expect(await seqs({ from: 18, count: 4 })).toEqual([18, 19, 20, 1])
    expect(await seqs({ epoch: 5 })).toEqual([])
  })

  it('says what retention removed when it is asked for', async () => {
    const journal = live(300, 'close')
    const { seq } = journal.oldest!
    const { lines } = await cat({ from: 2, count: 1 })
    expect(lines).toMatchObject([{ gap: { from: 2, to: seq - 1, reason: 'retention' } }, { seq }])
  })
})
