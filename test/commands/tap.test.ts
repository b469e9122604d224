import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { BINARY, NOBODY_ELSE, launch } from '../e2e/launch.js'
import { until } from '../lib/poll.js'
import { CommandProcess } from './command-process.js'

/** Where what ends by itself is run. */
let commands: CommandProcess
beforeAll(() => {
  commands = new CommandProcess()
})
afterAll(async () => {
  expect(await commands.end()).toBe(0)
})

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

/** A Kalshi publisher, and the environment that leads a tap to it. */
async function bindKalshi() {
  const sources = sourcesOf('kalshi')
  const options = {
    name: 'kalshi',
    url: 'tcp://127.0.0.1:*',
    env: 'sim',
    clock: systemClock,
    sources,
  } as const
  const publisher = await Publisher.bind(options)
  closers.push(() => publisher.close())
  const price = (market_id: string, book_seq: number, selection = '') =>
    publisher.channel('kalshi.prices').publish(`prices.kalshi.${market_id}`, {
      venue: 'kalshi',
      market_id,
      selection,
      state: 'EMPTY',
      book_seq,
    })
  const environment = {
    ...NOBODY_ELSE,
    ARBEES_ENDPOINTS__KALSHI: publisher.url,
    ARBEES_DATA_DIR: '/nonexistent',
  }
  return { price, environment }
}

/** The same with traffic: twice as much of `KX` as of `NO`. */
async function withTraffic(): Promise<Record<string, string>> {
  const { price, environment } = await bindKalshi()
  let n = 0
  const timer = setInterval(() => price(++n % 3 === 0 ? 'NO' : 'KX', n), 5)
  closers.push(() => clearInterval(timer))
  return environment
}

const jsonLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('arbees tap', () => {
  it('prints so many JSON lines into a pipe and its summary on stderr', async () => {
    const run = launch(['tap', 'prices.kalshi.', '-n', '5'], await withTraffic())
    expect(await run.ended).toBe(0)
    expect(jsonLines(run.stdout())).toHaveLength(5)
    expect(Object.keys(jsonLines(run.stdout())[0]!)).toEqual([
      'topic',
      'source',
      'epoch',
      'seq',
      'timestamp_ms',
      'age_us',
      'payload',
    ])
    expect(run.stderr()).toMatch(/^5 messages, .*0 gaps, 0 duplicates, 0 problems, age p50/)
  })

  it('honors its bounds in every format', async () => {
    const environment = await withTraffic()
    const runs = [
      ['--format', 'pretty', '--for', '1500ms'],
      ['--json', '--for', '1500ms'],
      ['--format', 'json', '--count', '2'],
    ].map((flags) => commands.launch(['tap', 'prices.', ...flags], environment))
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0, 0])
    expect(runs[0]?.stdout()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} prices\.kalshi\.(KX|NO) #\d+ /)
    expect(jsonLines(runs[1]?.stdout() ?? '').length).toBeGreaterThan(0)
    expect(jsonLines(runs[2]?.stdout() ?? '')).toHaveLength(2)
  })

  it('ends when its reader does', async () => {
    const environment = await withTraffic()
    const child = spawn('sh', ['-c', `"${process.execPath}" "${BINARY}" tap prices. | head -1`], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    let closed = false
    child.on('close', () => (closed = true))
    closers.push(() => child.kill())
    await until(() => closed, 'the pipeline has ended', 15_000)
    expect(jsonLines(out)).toHaveLength(1)
  })

  it('prints its summary on SIGINT', async () => {
    const run = launch(['tap', 'prices.'], await withTraffic())
    closers.push(() => run.child.kill('SIGKILL'))
    await until(() => run.stdout() !== '', 'something was printed', 15_000)
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    expect(run.stderr()).toMatch(/messages?, .*0 gaps/)
  })

  it('exits 5 when nothing was received, and 2 for wrong usage', async () => {
    const environment = await withTraffic()
    const runs = [['signals.', '--for', '300ms'], ['prices.*.KX'], ['--bogus'], ['--for', 'soon']].map(
      (words) => commands.launch(['tap', ...words], environment),
    )
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([5, 2, 2, 2])
    expect(runs[1]?.stderr()).toContain('has a wildcard before its end')
  })
})

describe('what of it a tap shows', () => {
  it('are topics that are not left out, where a condition holds, and some of their fields', async () => {
    const words = ['prices.', '-I', 'prices.kalshi.NO', '--where', "book_seq > 3 and venue = 'kalshi'"]
    const run = commands.launch(
      ['tap', ...words, '--fields', 'book_seq,topic,nothing', '-n', '3'],
      await withTraffic(),
    )
    expect(await run.ended).toBe(0)
    const lines = jsonLines(run.stdout())
    expect(lines.map(({ topic, nothing }) => [topic, nothing])).toEqual(
      [1, 2, 3].map(() => ['prices.kalshi.KX', null]),
    )
    expect(Object.keys(lines[0]!)).toEqual(['book_seq', 'topic', 'nothing'])
    expect(lines.every(({ book_seq }) => Number(book_seq) > 3)).toBe(true)
  })

  it('are counts, one object a second, and all of it at the end', async () => {
    const run = commands.launch(
      ['tap', 'prices.', '--stats', '--top', '1', '--for', '2500ms'],
      await withTraffic(),
    )
    expect(await run.ended).toBe(0)
    const reports = jsonLines(run.stdout()).map(({ stats }) => stats as Record<string, unknown>)
    expect(reports).toHaveLength(3)
    const last = reports.at(-1)!
    const messages = Number(/^([\d,]+) messages/.exec(run.stderr())![1]!.replace(',', ''))
    expect(last).toMatchObject({ messages, gaps: 0, topics: 2, top: [{ topic: 'prices.kalshi.KX' }] })
    expect(last['interval_ms']).toBe(last['elapsed_ms'])
    expect(last['sources']).toMatchObject([{ source: 'kalshi.prices', messages }])
  })

  it('is recorded as well, and what was left out of it is no hole', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'arbees-tap-'))
    closers.push(() => rmSync(dir, { recursive: true, force: true }))
    const environment = await withTraffic()
    const file = join(dir, 'tape')
    const words = ['prices.kalshi.KX', '--record', file, '-n', '20']
    const run = commands.launch(['tap', ...words], environment)
    expect(await run.ended).toBe(0)
    expect(run.stderr()).toContain('20 recorded')
    const again = commands.launch(['tap', ...words], environment)
    const replayed = commands.launch(['replay', '--from-file', file, '--speed', 'max'], environment)
    expect([await replayed.ended, await again.ended]).toEqual([0, 2])
    expect(jsonLines(replayed.stdout()).map(({ seq }) => seq)).toEqual(
      jsonLines(run.stdout()).map(({ seq }) => seq),
    )
    expect(again.stderr()).toContain('is there already')
  })
})

describe('a tap that nobody reads', () => {
  const COUNT = 20_000
  const MARGIN_BYTES = 256 * 1024

  /** Its stdout is a pipe that fills up. */
  async function stuck(...words: string[]) {
    const { price, environment } = await bindKalshi()
    const child = spawn(process.execPath, [BINARY, 'tap', 'prices.', ...words], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    closers.push(() => child.kill('SIGKILL'))
    let talk = ''
    child.stderr.on('data', (chunk: Buffer) => (talk += chunk.toString()))
    const first = once(child.stdout, 'readable')
    const timer = setInterval(() => price('FIRST', 1), 20)
    closers.push(() => clearInterval(timer))
    await first
    clearInterval(timer)
    const flood = async () => {
      for (let i = 1; i <= COUNT; i++) {
        price('KX', i, 'x'.repeat(500))
        if (i % 200 === 0) await setImmediate()
      }
    }
    return { child, flood, talk: () => talk }
  }

  it('holds a few megabytes of what it has to say, leaves out the rest, and says so', async () => {
    const { child, flood, talk } = await stuck('-n', String(COUNT))
    const ended = once(child, 'close')
    await flood()
    await until(() => talk().includes('messages,'), 'it has seen all', 15_000)
    expect(child.exitCode).toBeNull()
    let out = ''
    for await (const chunk of child.stdout) out += String(chunk)
    expect(await ended).toEqual([8, null])
    const lines = jsonLines(out)
    const dropped = lines.map((line) => (line['dropped'] as { lines: number } | undefined)?.lines ?? 0)
    const left = dropped.reduce((sum, count) => sum + count, 0)
    expect(out.length).toBeGreaterThan(4 * 1024 * 1024 - MARGIN_BYTES)
    expect(out.length).toBeLessThan(4 * 1024 * 1024 + MARGIN_BYTES)
    expect(left).toBeGreaterThan(COUNT / 2)
    expect(lines.length - dropped.filter((count) => count > 0).length + left).toBe(COUNT)
    expect(talk()).toContain(`${left.toLocaleString('en-US')} lines left out`)
  })

  it('ends when it is told to', async () => {
    const { child, flood, talk } = await stuck('-n', String(COUNT))
    const ended = once(child, 'exit')
    await flood()
    await until(() => talk().includes('lines left out'), 'it has seen all', 15_000)
    child.kill('SIGINT')
    expect(await ended).toEqual([8, null])
  })
})
