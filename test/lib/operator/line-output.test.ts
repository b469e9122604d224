import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { LineOutput } from '../../../src/lib/operator/line-output.js'
import { until } from '../poll.js'

function open(maxBytes: number) {
  const output = new PassThrough({ highWaterMark: 64 })
  const lines = new LineOutput({ output, dropMark: (count) => `--- ${count}`, maxBytes })
  return { output, lines }
}

/** So that 100 of them weigh 1,000 bytes. */
const name = (i: number) => String(i).padStart(9, '0')

describe('lines into a stream that nobody reads', () => {
  it('pass through while there is room', () => {
    const { lines, output } = open(1_000)
    for (let i = 0; i < 5; i++) lines.line(() => name(i))
    lines.mark()
    expect((output.read() as Buffer).toString()).toBe([0, 1, 2, 3, 4].map((i) => `${name(i)}\n`).join(''))
    expect(lines.dropped).toBe(0)
  })

  it('are left out beyond a bound, counted, and marked where they are missing', async () => {
    const { output, lines } = open(1_000)
    for (let i = 0; i < 10_000; i++) lines.line(() => name(i))
    // What the other half of a PassThrough holds counts twice.
    expect(output.writableLength).toBeLessThan(1_100)
    const got: string[] = []
    output.on('data', (bytes: Buffer) => got.push(...bytes.toString().split('\n').filter(Boolean)))
    await until(() => got.some((line) => line.startsWith('---')), 'the mark came')
    lines.line(() => 'then')
    await until(() => got.at(-1) === 'then', 'it goes on')
    const shown = got.length - 2
    expect(got.slice(0, -2)).toEqual(Array.from({ length: shown }, (_, i) => name(i)))
    expect(got.at(-2)).toBe(`--- ${10_000 - shown}`)
    expect(lines.dropped).toBe(10_000 - shown)
  })

  it('go on when half of it is read, not with each line that is', () => {
    const { output, lines } = open(1_000)
    for (let i = 0; i < 1_000; i++) lines.line(() => name(i))
    const full = lines.dropped
    output.read(20)
    for (let i = 0; i < 10; i++) lines.line(() => 'more')
    expect(lines.dropped).toBe(full + 10)
  })

  it('say at the end what was left out, however full it is', () => {
    const { lines, output } = open(100)
    for (let i = 0; i < 100; i++) lines.line(() => name(i))
    lines.mark()
    lines.mark()
    output.end()
    const text = Buffer.concat(
      Array.from({ length: 50 }, () => (output.read() as Buffer | null) ?? Buffer.alloc(0)),
    )
    expect(text.toString().trim().split('\n').at(-1)).toBe(`--- ${lines.dropped}`)
    expect(text.toString().match(/---/g)).toHaveLength(1)
  })

  it('may be waited for', async () => {
    const { lines, output } = open(1_000)
    const stop = new AbortController()
    await lines.room(stop.signal)
    for (let i = 0; i < 20; i++) lines.line(() => name(i))
    let isThere = false
    void lines.room(stop.signal).then(() => (isThere = true))
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(isThere).toBe(false)
    output.resume()
    await until(() => isThere, 'there is room')
    output.pause()
    for (let i = 0; i < 20; i++) lines.line(() => name(i))
    const stuck = lines.room(stop.signal)
    stop.abort()
    await expect(stuck).rejects.toThrow()
  })
})
