import { PassThrough } from 'node:stream'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { Past, PastItem, PastPages } from '../../../src/lib/history/past.js'
import { openRecording } from '../../../src/lib/history/recording/recording-past.js'
import { recordingFile } from '../../../src/lib/operator/replay-file.js'
import { envelopeLines, formattedLines } from '../../../src/lib/operator/replay-lines.js'
import { replay } from '../../../src/lib/operator/replay.js'
import type { ReplayOptions, ReplaySink } from '../../../src/lib/operator/replay.js'
import { createPrettyFormat } from '../../../src/lib/operator/tap-format.js'
import { all, gap, pagesOf, past, told } from '../history/past-samples.js'
import { until } from '../poll.js'

const missing = (from: number, to: number | null): PastItem => ({
  kind: 'gap',
  gap: gap(from, to),
  afterMs: 0,
  timestampMs: 1_000 + from,
})
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => past(from + i))

/** Keeps what it is given. */
function keep() {
  const stretches: (readonly PastItem[])[] = []
  let isClosed = false
  const sink: ReplaySink = {
    write: async (items) => void stretches.push(items),
    close: async () => void (isClosed = true),
  }
  return { sink, stretches, got: () => told(stretches.flat()), isClosed: () => isClosed }
}

function play(items: readonly PastItem[] | Past, options: Partial<ReplayOptions> = {}) {
  const kept = keep()
  const ended = replay({
    past: () => (Symbol.iterator in items ? pagesOf(items) : items),
    speed: Infinity,
    sink: kept.sink,
    clock: systemClock,
    onProgress: () => undefined,
    ...options,
  })
  return { ...kept, ended }
}

describe('a replay', () => {
  it('gives everything in order and says what it was', async () => {
    const { ended, got, isClosed } = play([...span(1, 4), missing(5, 7), past(8), missing(9, null)])
    const { ended: reason, tally } = await ended
    expect(reason).toBe('over')
    expect(tally).toMatchObject({ messages: 5, gaps: 2, missing: 3, firstMs: 1_001, lastMs: 1_008 })
    expect(got()).toEqual(['7/1', '7/2', '7/3', '7/4', '7/5..7 missed', '7/8', '7/9.. missed'])
    expect(isClosed()).toBe(true)
  })

  it.each([1, 3, 4, 7])('stops after exactly %i', async (count) => {
    const { ended, got } = play(span(1, 20), { count })
    expect(await ended).toMatchObject({ ended: 'count', tally: { messages: count } })
    expect(got()).toHaveLength(count)
  })

  it('keeps the time between messages, divided by the speed', async () => {
    const at: number[] = []
    const startMs = performance.now()
    const { ended } = play([past(1, 0), past(2, 60), past(3, 200)], {
      speed: 2,
      sink: {
        write: async (items) => void at.push(...items.map(() => performance.now() - startMs)),
        close: async () => undefined,
      },
    })
    await ended
    // Timers may fire a millisecond early.
    expect(at[1]!).toBeGreaterThanOrEqual(28)
    expect(at[2]!).toBeGreaterThanOrEqual(98)
  })

  it('hands on together what is due together', async () => {
    const { ended, stretches } = play([past(1, 0), past(2, 0), past(3, 20)], { speed: 1 })
    await ended
    expect(stretches.map(told)).toEqual([['7/1', '7/2'], ['7/3']])
  })

  it('waits for a step before each message, not before a gap, and ends when there are no more', async () => {
    const steps = [true, true, false]
    const { ended, got } = play([past(1), missing(2, 3), past(4), past(5)], {
      step: async () => steps.shift() ?? false,
    })
    expect(await ended).toMatchObject({ ended: 'stopped', tally: { messages: 2, gaps: 1 } })
    expect(got()).toEqual(['7/1', '7/2..3 missed', '7/4'])
  })

  it('is stopped while it waits for the next message, and while it waits for the next page', async () => {
    const hour = play([past(1, 0), past(2, 3_600_000)], { speed: 1, forMs: 30 })
    expect(await hour.ended).toMatchObject({ ended: 'for', tally: { messages: 1 } })
    let isLetGo = false
    const stop = new AbortController()
    async function* stuck(signal: AbortSignal): PastPages {
      yield [past(1)]
      await new Promise((_, refuse) => signal.addEventListener('abort', () => refuse(new Error('cut'))))
      isLetGo = true
    }
    const waiting = play([], { past: stuck, signal: stop.signal })
    await until(() => waiting.stretches.length === 1, 'the first came')
    stop.abort()
    expect(await waiting.ended).toMatchObject({ ended: 'stopped', tally: { messages: 1 } })
    expect([waiting.isClosed(), isLetGo]).toEqual([true, false])
  })

  it('closes what it writes to also when reading fails', async () => {
    async function* failing(): PastPages {
      yield [past(1)]
      throw new Error('of its own')
    }
    const { ended, isClosed } = play([], { past: failing })
    await expect(ended).rejects.toThrow('of its own')
    expect(isClosed()).toBe(true)
  })
})

describe('lines of a replay', () => {
  const hostile = past(1)
  const data = Buffer.from('{"payload":{"a":"\u009b2J\u202e","b":"\\u001b"}}')

  async function lines(sink: (output: PassThrough) => ReplaySink, items: readonly PastItem[]) {
    const output = new PassThrough()
    await sink(output).write(items, new AbortController().signal)
    return (output.read() as Buffer).toString()
  }

  it('are the envelopes byte for byte, and gaps as a tap tells them', async () => {
    const text = await lines((output) => envelopeLines(output, false), [{ ...hostile, data }, missing(2, 3)])
    expect(text).toBe(
      `${data.toString()}\n{"gap":{"source":"kalshi.prices","epoch":7,"from":2,"to":3,"reason":"missed"}}\n`,
    )
  })

  it('stay on one line, whatever a stranger sent', async () => {
    const text = await lines(
      (output) => envelopeLines(output, false),
      [{ ...hostile, data: Buffer.from('{\n"a":\r\n1}') }],
    )
    expect(text).toBe('{ "a":  1}\n')
  })

  it('move no cursor on a terminal, as envelopes and as a tap shows them', async () => {
    const envelopes = await lines((output) => envelopeLines(output, true), [{ ...hostile, data }])
    expect(JSON.parse(envelopes)).toEqual(JSON.parse(data.toString()))
    const format = createPrettyFormat({ color: false, width: () => Infinity })
    const pretty = await lines(
      (output) => formattedLines(output, format),
      [{ ...hostile, topic: 'prices.kalshi.\u001b[31m', data }],
    )
    for (const text of [envelopes, pretty])
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u0080-\u009f\u202e]/)
  })

  it('wait until there is room', async () => {
    const output = new PassThrough({ highWaterMark: 10 })
    let isWritten = false
    const stop = new AbortController()
    const written = envelopeLines(output, false)
      .write([past(1)], stop.signal)
      .then(() => (isWritten = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isWritten).toBe(false)
    output.read()
    await written
    const stuck = envelopeLines(output, false).write([past(2)], stop.signal)
    stop.abort()
    // It is handed on, and counts as played.
    await stuck
  })
})

describe('a replay into a file', () => {
  it('is read back as it was, and overwrites nothing', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'arbees-replay-'))
    const path = join(dir, 'evening')
    const items = [...span(1, 4), missing(5, 7), ...span(8, 9), past(1, 2_000, 'poly.prices', 3)]
    const sink = recordingFile(path)
    await sink.write(items, new AbortController().signal)
    await sink.close()
    const [open] = openRecording(path, { sinceMs: -Infinity, untilMs: Infinity })
    expect(told(await all(open!()))).toEqual(told(items))
    expect(() => recordingFile(path)).toThrow(expect.objectContaining({ code: 'FILE_EXISTS', exit: 2 }))
    rmSync(dir, { recursive: true, force: true })
  })
})
