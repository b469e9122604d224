import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../src/lib/core/clock.js'
import { lastOf, mergeByTime, within } from '../../../../src/lib/history/merge.js'
import type { PastItem } from '../../../../src/lib/history/past.js'
import { readSegment } from '../../../../src/lib/history/recording/read-segment.js'
import { RecordingFolder } from '../../../../src/lib/history/recording/recording-folder.js'
import { openRecording, recordedPositions } from '../../../../src/lib/history/recording/recording-past.js'
import { RecordingWriter } from '../../../../src/lib/history/recording/recording-writer.js'
import type { RecordingLimits } from '../../../../src/lib/history/recording/recording-writer.js'
import { SOURCE, all, gap, past, told } from '../past-samples.js'

const EVER = { sinceMs: -Infinity, untilMs: Infinity }
/** Pages come half a second apart. */
const A_PAGE_EACH = { segmentMs: 500 }
const LIMITS: RecordingLimits = { segmentBytes: 1e9, segmentMs: 1e9, retainBytes: 1e9 }

let dir: string
let clock: ManualClock
let folder: RecordingFolder
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-tape-'))
  clock = new ManualClock()
  folder = new RecordingFolder(dir)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const span = (from: number, to: number, source = SOURCE) =>
  Array.from({ length: to - from + 1 }, (_, i) => past(from + i, 1_000 + from + i, source))
const places = (from: number, to: number) => span(from, to).map(({ seq }) => `7/${seq}`)
const hole = (...args: Parameters<typeof gap>): PastItem => ({
  kind: 'gap',
  gap: gap(...args),
  afterMs: 0,
  timestampMs: 0,
})

/** One process that records: pages, then an ordered end. */
async function recorded(pages: readonly (readonly PastItem[])[], limits: Partial<RecordingLimits> = {}) {
  const writer = new RecordingWriter(folder, { ...LIMITS, ...limits }, clock)
  for (const page of pages) {
    await writer.write(page)
    clock.advanceMs(500)
  }
  await writer.close()
}

/** One that is killed: what it had flushed is there, and no more. */
async function killed(pages: readonly (readonly PastItem[])[]) {
  const writer = new RecordingWriter(folder, LIMITS, clock)
  for (const page of pages) {
    clock.advanceMs(2_000)
    await writer.write(page)
  }
  const sources = folder.sources()
  await writer.close()
  for (const { segments } of sources) {
    const { path } = segments.at(-1)!
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, bytes.length - 40))
  }
}

const read = async (path = dir, times = EVER) =>
  all(within(mergeByTime(openRecording(path, times).map((open) => open())), times))
const files = (source = SOURCE) => readdirSync(join(dir, source)).sort()
const fileOf = (index: number) => join(dir, SOURCE, files()[index]!)

describe('a recording', () => {
  it('gives back what was written, byte for byte, its sources merged by time', async () => {
    const a = span(1, 40)
    const b = span(1, 40, 'poly.prices').map((message) => ({
      ...message,
      timestampMs: message.timestampMs + 0.5,
    }))
    await recorded([a.slice(0, 30), b.slice(0, 5), [...a.slice(30), ...b.slice(5)]])
    const items = await read()
    expect(items).toEqual([...a, ...b].sort((x, y) => x.timestampMs - y.timestampMs))
    expect(readdirSync(dir).sort()).toEqual([SOURCE, 'poly.prices'])
  })

  it('has the holes that were there when it was made', async () => {
    await recorded([
      [...span(1, 3), hole(4, 9, 'retention'), ...span(10, 12), hole(13, null, 'epoch_end_unknown')],
      [past(1, 5_000, SOURCE, 8)],
    ])
    expect(told(await read())).toEqual([
      ...[...places(1, 3), '7/4..9 retention', ...places(10, 12), '7/13.. epoch_end_unknown', '8/1'],
    ])
  })

  it('is closed by age, each file whole by itself', async () => {
    await recorded(
      [1, 11, 21, 31].map((from) => span(from, from + 9)),
      A_PAGE_EACH,
    )
    expect(files().map((name) => Number(name.slice(17, 33)))).toEqual([1, 11, 21, 31])
    expect(told(await read(fileOf(1)))).toEqual(places(11, 20))
    await recorded(
      [41, 42, 43, 44].map((seq) => [past(seq)]),
      { segmentMs: 1_000 },
    )
    expect(files().map((name) => Number(name.slice(17, 33)))).toEqual([1, 11, 21, 31, 41, 43])
    expect(told(await read())).toEqual(places(1, 44))
  })

  it('is closed when it is large', async () => {
    const pages = Array.from({ length: 12 }, (_, i) => span(i * 500 + 1, i * 500 + 500))
    await recorded(pages, { segmentBytes: 20_000 })
    const sizes = files().map((name) => readFileSync(join(dir, SOURCE, name)).length)
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(20_000)
    expect(told(await read())).toEqual(places(1, 6_000))
  })

  it('is closed by age also where nothing comes any more', async () => {
    const writer = new RecordingWriter(folder, { ...LIMITS, segmentMs: 1_000 }, clock)
    await writer.write(span(1, 3))
    clock.advanceMs(1_000)
    await writer.write([])
    expect(gunzipSync(readFileSync(fileOf(0))).toString()).toContain('{"end":true}')
    await writer.close()
  })

  it('keeps about as much as it was told, and of each source the newest file', async () => {
    await recorded([[past(1, 1, 'poly.prices')]])
    await recorded(
      [1, 11, 21, 31].map((from) => span(from, from + 9)),
      A_PAGE_EACH,
    )
    const sizeOf = (path: string) => readFileSync(path).length
    const newest = sizeOf(fileOf(3)) + sizeOf(join(dir, 'poly.prices', files('poly.prices')[0]!))
    files().forEach((name, i) => utimesSync(join(dir, SOURCE, name), i + 10, i + 10))
    utimesSync(join(dir, 'poly.prices', files('poly.prices')[0]!), 1, 1)
    folder.prune(newest + sizeOf(fileOf(2)))
    expect([files().length, files('poly.prices').length]).toEqual([2, 1])
    folder.prune(1)
    expect([files().length, files('poly.prices').length]).toEqual([1, 1])
    expect((await recordedPositions(folder)).get(SOURCE)).toEqual({ epoch: 7, seq: 40 })
  })

  it('is taken by one process at a time', () => {
    folder.lock()
    expect(() => new RecordingFolder(dir).lock()).toThrow(
      expect.objectContaining({ code: 'RECORDING_LOCKED', exit: 7 }),
    )
    folder.unlock()
    expect(existsSync(join(dir, 'lock'))).toBe(false)
  })

  it.each(['nothing', 'empty', 'text'])('is none where there is %s', (what) => {
    const path = join(dir, what)
    if (what === 'empty') mkdirSync(path)
    if (what === 'text') mkdirSync(join(path, 'not a source'), { recursive: true })
    expect(() => openRecording(path, EVER)).toThrow(
      expect.objectContaining({ code: 'NO_RECORDING', exit: 2 }),
    )
  })
})

describe('a part of a recording', () => {
  it('begins with the file where the time is', async () => {
    await recorded(
      [1, 11, 21].map((from) => span(from, from + 9)),
      A_PAGE_EACH,
    )
    rmSync(fileOf(0))
    expect(told(await read(dir, { sinceMs: 1_015, untilMs: 1_023 }))).toEqual(places(15, 23))
    expect(told(await read(dir, { ...EVER, sinceMs: 1_001 }))).toEqual(['7/1..10 missed', ...places(11, 30)])
  })
})

describe('the last messages of a recording', () => {
  it('are read from where they begin', async () => {
    await recorded(
      [1, 11, 21, 31].map((from) => span(from, from + 9)),
      A_PAGE_EACH,
    )
    const lastOnes = async (last: number, untilMs = Infinity) => {
      const times = { ...EVER, untilMs }
      const [open] = openRecording(dir, times, last)
      return told(await all(lastOf(last, () => within(open!(), times))))
    }
    expect(await lastOnes(5)).toEqual(places(36, 40))
    expect(await lastOnes(15)).toEqual(places(26, 40))
    expect(await lastOnes(5, 1_022)).toEqual(places(18, 22))
    expect(await lastOnes(500)).toEqual(places(1, 40))
    // What is not wanted is not looked at.
    writeFileSync(fileOf(0), 'not compressed at all')
    expect(await lastOnes(15)).toEqual(places(26, 40))
  })
})

describe('a recording that was not closed', () => {
  it('is read up to the tear, at every byte, and says that its end is missing', async () => {
    await recorded([span(1, 30)])
    const path = fileOf(0)
    const bytes = readFileSync(path)
    let most = 0
    for (let length = 0; length < bytes.length; length += 7) {
      writeFileSync(path, bytes.subarray(0, length))
      const got = told(await read())
      const messages = got.filter((place) => !place.includes('corrupt'))
      expect(messages).toEqual(places(1, messages.length))
      // Behind the last message the file says that it is whole, somewhere within its last bytes.
      if (messages.length > 0 && messages.length < 30)
        expect(got.at(-1)).toBe(`7/${messages.length + 1}.. corrupt`)
      most = Math.max(most, messages.length)
      const at = (await recordedPositions(folder)).get(SOURCE)
      expect(at).toEqual({ epoch: 7, seq: messages.length })
    }
    expect(most).toBeGreaterThan(20)
  })

  it('has all that was flushed before its process was killed', async () => {
    await killed([span(1, 20), span(21, 40), span(41, 45)])
    const got = told(await read())
    expect(got.slice(0, 40)).toEqual(places(1, 40))
    expect(got.at(-1)).toMatch(/corrupt$/)
  })

  it('is whole again when the next process went on where it was torn', async () => {
    await killed([span(1, 20), span(21, 40)])
    const { seq } = (await recordedPositions(folder)).get(SOURCE)!
    expect(seq).toBeGreaterThanOrEqual(20)
    await recorded([span(seq + 1, 50)])
    expect(told(await read())).toEqual(places(1, 50))
  })

  it('lost what nobody could pull any more to the tear', async () => {
    await killed([span(1, 20), span(21, 40)])
    const { seq } = (await recordedPositions(folder)).get(SOURCE)!
    await recorded([span(seq + 4, 50)])
    expect(told(await read())).toEqual([
      ...[...places(1, seq), `7/${seq + 1}..${seq + 3} corrupt`, ...places(seq + 4, 50)],
    ])
  })

  it('is not torn while somebody records into it', async () => {
    folder.lock()
    const writer = new RecordingWriter(folder, LIMITS, clock)
    await writer.write(span(1, 20))
    clock.advanceMs(2_000)
    await writer.write([past(21)])
    expect(told(await read()).slice(0, 20)).toEqual(places(1, 20))
    expect(told(await read()).join()).not.toContain('corrupt')
    await writer.close()
    folder.unlock()
  })
})

describe('a recording that is damaged', () => {
  const lines = (path: string) => gunzipSync(readFileSync(path)).toString().split('\n')

  it('says which messages a broken line held, and goes on behind it', async () => {
    await recorded([span(1, 30)])
    const path = fileOf(0)
    const text = lines(path)
    text[9] = text[9]!.replace('7', '8')
    writeFileSync(path, gzipSync(text.join('\n')))
    expect(told(await read())).toEqual([...places(1, 9), '7/10..10 corrupt', ...places(11, 30)])
  })

  it('says what a file held of which the compressed bytes are damaged, and goes on with the next', async () => {
    await recorded(
      [1, 101, 201].map((from) => span(from, from + 99)),
      A_PAGE_EACH,
    )
    const path = fileOf(1)
    const bytes = readFileSync(path)
    const middle = Math.floor(bytes.length / 2)
    bytes.fill(0xff, middle, middle + 20)
    writeFileSync(path, bytes)
    const got = told(await read())
    const holes = got.filter((place) => place.includes('..'))
    expect(holes.length).toBeGreaterThan(0)
    expect(holes.every((place) => place.endsWith('corrupt'))).toBe(true)
    expect(got.slice(0, 100)).toEqual(places(1, 100))
    expect(got.slice(-100)).toEqual(places(201, 300))
  })

  it('says what a file held that is gone, and what one that is no recording', async () => {
    await recorded(
      [1, 11, 21, 31].map((from) => span(from, from + 9)),
      A_PAGE_EACH,
    )
    const [, second, third] = [0, 1, 2].map(fileOf)
    rmSync(second!)
    writeFileSync(third!, 'not compressed at all')
    expect(told(await read())).toEqual([
      ...[...places(1, 10), '7/11..20 corrupt', '7/21..30 corrupt', ...places(31, 40)],
    ])
  })

  describe.each([
    ['is empty', Buffer.alloc(0)],
    ['is no recording', Buffer.from('not compressed at all')],
    ['has no line that can be read', gzipSync('{"topic":"prices.kalshi.KX"}\nmore\n')],
  ])('a file that %s', (_, content) => {
    it('is missing from its first place to where the next one begins', async () => {
      await recorded([span(1, 10), span(11, 20)], A_PAGE_EACH)
      writeFileSync(fileOf(0), content)
      expect(told(await read())).toEqual(['7/1..10 corrupt', ...places(11, 20)])
      expect(told(await read(dir, { sinceMs: 1_015, untilMs: Infinity }))).toEqual(places(15, 20))
    })

    it('is missing to an end that nobody knows where no other of its epoch follows', async () => {
      await recorded([span(1, 10), [past(1, 5_000, SOURCE, 8)]], A_PAGE_EACH)
      writeFileSync(fileOf(0), content)
      expect(told(await read())).toEqual(['7/1.. corrupt', '8/1'])
      writeFileSync(fileOf(1), content)
      expect(told(await read())).toEqual(['7/1.. corrupt', '8/1.. corrupt'])
      const [gone] = told(await read(dir, { sinceMs: 9_000, untilMs: Infinity }))
      expect(gone).toContain('corrupt')
    })

    it('is no recording where it is all there is', async () => {
      const path = join(dir, 'file')
      writeFileSync(path, content)
      await expect(read(path)).rejects.toMatchObject({ code: 'ILLEGIBLE_RECORDING', exit: 8 })
    })
  })

  it('does not know how an epoch ended behind the damage', async () => {
    await recorded([span(1, 10), [past(1, 5_000, SOURCE, 8)]], A_PAGE_EACH)
    const text = lines(fileOf(0))
    writeFileSync(fileOf(0), gzipSync(`${text.slice(0, 4).join('\n')}\nno line\n`))
    expect(told(await read())).toEqual([...places(1, 4), '7/5.. corrupt', '8/1'])
  })

  it('is not held in memory where a line has no end', async () => {
    await recorded([span(1, 3)])
    const path = fileOf(0)
    writeFileSync(path, gzipSync(`${lines(path).slice(0, 2).join('\n')}\n${'x'.repeat(2_000_000)}`))
    expect(told(await read())).toEqual([...places(1, 2), '7/3.. corrupt'])
    let damaged = 0
    for await (const page of readSegment(path)) damaged += page.filter((line) => line === undefined).length
    expect(damaged).toBeGreaterThanOrEqual(3)
  })
})

describe('a recording that changes while it is played', () => {
  it('that is pruned says what retention removed', async () => {
    await recorded(
      [...[1, 11, 21].map((from) => span(from, from + 9)), [past(1, 5_000, SOURCE, 8)]],
      A_PAGE_EACH,
    )
    const opened = openRecording(dir, EVER)
    const behind = openRecording(dir, { ...EVER, sinceMs: 1_025 })
    for (const index of [0, 0]) rmSync(fileOf(index))
    expect(told(await all(opened[0]!()))).toEqual([
      ...['7/1..10 retention', '7/11..20 retention', ...places(21, 30), '8/1'],
    ])
    expect(told(await all(within(behind[0]!(), { ...EVER, sinceMs: 1_025 })))).toEqual([
      ...[...places(25, 30), '8/1'],
    ])
    rmSync(fileOf(0))
    expect(told(await all(opened[0]!())).slice(-2)).toEqual(['7/21.. retention', '8/1'])
  })

  it('gives no more than the last messages that were asked for, however much comes meanwhile', async () => {
    await recorded(
      [1, 11, 21].map((from) => span(from, from + 9)),
      A_PAGE_EACH,
    )
    folder.lock()
    const writer = new RecordingWriter(folder, LIMITS, clock)
    await writer.write(span(31, 40))
    clock.advanceMs(2_000)
    await writer.write([past(41)])
    const [open] = openRecording(dir, EVER, 15)
    let opened = 0
    const growing = async function* () {
      if (++opened === 2) {
        clock.advanceMs(2_000)
        await writer.write(span(42, 90))
      }
      yield* open!()
    }
    expect(told(await all(lastOf(15, growing)))).toEqual(places(27, 41))
    await writer.close()
    folder.unlock()
  })
})
