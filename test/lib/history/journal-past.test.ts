import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { openJournalReader } from '../../../src/lib/bus/journal/reader.js'
import { FileStorage } from '../../../src/lib/bus/journal/storage.js'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { bootId } from '../../../src/lib/core/ids.js'
import { readJournal } from '../../../src/lib/history/journal-past.js'
import { lastOf, within } from '../../../src/lib/history/merge.js'
import type { TimeSpan } from '../../../src/lib/history/merge.js'
import type { PastPages } from '../../../src/lib/history/past.js'
import { all, told } from './past-samples.js'

const SOURCE = 'kalshi.prices'
const START_MS = 1_769_500_000_000
const EVER: TimeSpan = { sinceMs: -Infinity, untilMs: Infinity }

let dir: string
let clock: ManualClock
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-past-'))
  clock = new ManualClock(START_MS)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const textOf = (n: number): string => `{"n":${n},"filling":"${'x'.repeat(80)}"}`

/** One life: a message a second; `boot` of another machine leaves an end that nobody knows. */
function live(count: number, { boot = bootId(), ends = true, retainBytes = 16_000 } = {}): number {
  clock.advanceMs(1_000)
  const journal = Journal.open({
    storage: new FileStorage(dir),
    ...{ source: SOURCE, clock, retainBytes, bootId: boot, onNotice: () => undefined },
  })
  for (let seq = 1; seq <= count; seq++) {
    clock.advanceMs(1_000)
    journal.stage(seq, clock.nowMs(), Buffer.from('prices.kalshi.KX'), textOf(seq))
    journal.flush()
  }
  if (ends) journal.close()
  else {
    void journal.sync()
    rmSync(join(dir, 'lock'))
  }
  return journal.epoch
}

async function read(times: TimeSpan = EVER) {
  const journal = openJournalReader(new FileStorage(dir))
  return all(within(readJournal({ source: SOURCE, journal, times }), times))
}
const span = (epoch: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${epoch}/${from + i}`)
const segments = () => readdirSync(dir).filter((name) => name.endsWith('.seg'))

describe('a journal as a past', () => {
  it('is every life of its source, byte for byte', async () => {
    const first = live(40)
    const second = live(30)
    const items = await read()
    expect(told(items)).toEqual([...span(first, 1, 40), ...span(second, 1, 30)])
    expect(items[2]).toMatchObject({
      source: SOURCE,
      topic: 'prices.kalshi.KX',
      seq: 3,
      timestampMs: first + 3_000,
      data: Buffer.from(textOf(3)),
    })
  })

  it('names what is damaged, and files that are gone', async () => {
    const epoch = live(100)
    const names = segments().sort()
    expect(names.length).toBeGreaterThan(4)
    rmSync(join(dir, names[2]!))
    const [from, behind] = [Number(names[2]!.slice(17, 33)), Number(names[3]!.slice(17, 33))]
    expect(told(await read())).toEqual([
      ...[
        ...span(epoch, 1, from - 1),
        `${epoch}/${from}..${behind - 1} corrupt`,
        ...span(epoch, behind, 100),
      ],
    ])
  })

  it('names an epoch whose files are all gone, between others', async () => {
    const [a, b, c] = [live(5), live(7), live(5)]
    for (const name of segments().filter((each) => each.includes(String(b)))) rmSync(join(dir, name))
    expect(told(await read())).toEqual([...span(a, 1, 5), `${b}/1..7 corrupt`, ...span(c, 1, 5)])
  })

  it('does not know how a life ended that a crash of the machine cut off', async () => {
    const first = live(5, { boot: 'another', ends: false })
    const second = live(2)
    expect(told(await read())).toEqual([
      ...[...span(first, 1, 5), `${first}/6.. epoch_end_unknown`, ...span(second, 1, 2)],
    ])
  })

  it('that is asked for more than is kept says what retention removed', async () => {
    const epoch = live(400)
    const first = Number(segments().sort()[0]!.slice(17, 33))
    expect(first).toBeGreaterThan(1)
    expect(told(await read()).at(0)).toBe(`${epoch}/${first}`)
    const [gap] = told(await read({ ...EVER, sinceMs: START_MS }))
    expect(gap).toBe(`${epoch}/1..${first - 1} retention`)
  })

  it('that is asked for more than is kept names the whole lives that retention removed, in those times', async () => {
    const [a, b, c] = [live(50), live(60), live(400)]
    const first = Number(segments().sort()[0]!.slice(17, 33))
    expect(segments().every((name) => name.includes(String(c)))).toBe(true)
    const since = async (sinceMs: number, untilMs = Infinity) => told(await read({ sinceMs, untilMs }))
    const own = `${c}/1..${first - 1} retention`
    expect((await since(START_MS)).slice(0, 4)).toEqual([
      ...[`${a}/1..50 retention`, `${b}/1..60 retention`, own, `${c}/${first}`],
    ])
    expect((await since(b + 1)).slice(0, 2)).toEqual([`${b}/1..60 retention`, own])
    expect((await since(c + 1)).slice(0, 2)).toEqual([own, `${c}/${first}`])
    expect((await since(START_MS, b - 1))[0]).toBe(`${a}/1..50 retention`)
    expect((await since(START_MS, b - 1)).join()).not.toContain(`${b}/1..60`)
    expect((await read()).length).toBe(400 - first + 1)
  })

  it('names them where no file is left at all', async () => {
    const epoch = live(5)
    for (const name of segments()) rmSync(join(dir, name))
    expect(told(await read({ ...EVER, sinceMs: START_MS }))).toEqual([`${epoch}/1..5 retention`])
    expect(told(await read())).toEqual([])
  })

  it('between two times is what lies between, without a hole at its edges', async () => {
    const epoch = live(60, { retainBytes: 64_000 })
    const times = { sinceMs: epoch + 20_000, untilMs: epoch + 30_000 }
    expect(told(await read(times))).toEqual(span(epoch, 20, 30))
    expect(told(await read({ ...EVER, sinceMs: epoch + 60_000 }))).toEqual(span(epoch, 60, 60))
    expect(await read({ ...EVER, sinceMs: epoch + 60_001 })).toEqual([])
  })

  it('that are its last messages is read from where they begin, and no hole is made there', async () => {
    const [a, b] = [live(60, { retainBytes: 64_000 }), live(60, { retainBytes: 64_000 })]
    const journal = openJournalReader(new FileStorage(dir))
    const lastOnes = async (last: number, times: TimeSpan = EVER) => {
      let read = 0
      async function* counted(): PastPages {
        for await (const page of within(readJournal({ source: SOURCE, journal, times, last }), times)) {
          read += page.length
          yield page
        }
      }
      const got = told(await all(lastOf(last, counted)))
      return { got, read: read / 2 }
    }
    const near = await lastOnes(5)
    expect(near.got).toEqual(span(b, 56, 60))
    expect(near.read).toBeLessThan(60)
    expect((await lastOnes(70)).got).toEqual([...span(a, 51, 60), ...span(b, 1, 60)])
    expect((await lastOnes(5, { ...EVER, untilMs: a + 50_000 })).got).toEqual(span(a, 46, 50))
    expect((await lastOnes(500)).got).toHaveLength(120)
  })
})
