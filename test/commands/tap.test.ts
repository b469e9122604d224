import { spawn } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { BINARY, launch } from '../e2e/launch.js'
import { until } from '../lib/poll.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

/** A Kalshi publisher with traffic, and the environment that leads a tap to it. */
async function withTraffic(): Promise<Record<string, string>> {
  const sources = sourcesOf('kalshi')
  const options = {
    name: 'kalshi',
    url: 'tcp://127.0.0.1:*',
    env: 'sim',
    clock: systemClock,
    sources,
  } as const
  const publisher = await Publisher.bind(options)
  const payload = { venue: 'kalshi', market_id: 'KX', selection: '', state: 'EMPTY', book_seq: 1 }
  const timer = setInterval(() => publisher.channel('kalshi.prices').publish('prices.kalshi.KX', payload), 5)
  closers.push(() => {
    clearInterval(timer)
    publisher.close()
  })
  return { ARBEES_ENDPOINTS__KALSHI: publisher.url, ARBEES_DATA_DIR: '/nonexistent' }
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
    ].map((flags) => launch(['tap', 'prices.', ...flags], environment))
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0, 0])
    expect(runs[0]?.stdout()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} prices\.kalshi\.KX #\d+ /)
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
      (words) => launch(['tap', ...words], environment),
    )
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([5, 2, 2, 2])
    expect(runs[1]?.stderr()).toContain('has a wildcard before its end')
  })
})
