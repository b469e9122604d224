import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { BINARY } from '../e2e/launch.js'
import { until } from '../lib/poll.js'

const COUNT = 60_000
const MIB = 1024 * 1024

let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-slow-'))
  const publisher = await Publisher.bind({
    ...{ name: 'poly', env: 'sim', clock: systemClock, sources: sourcesOf('poly'), url: 'tcp://127.0.0.1:*' },
    journal: { root: dir, retainBytes: 256 * MIB },
  })
  const channel = publisher.channel('poly.prices')
  for (let seq = 1; seq <= COUNT; seq++) {
    const payload = {
      venue: 'poly',
      market_id: 'm',
      selection: 'x'.repeat(1_200),
      state: 'EMPTY',
      book_seq: seq,
    }
    channel.publish('prices.poly.m', payload)
  }
  publisher.close()
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const kill: ChildProcess[] = []
afterAll(() => kill.forEach((child) => child.kill('SIGKILL')))

function start(words: readonly string[], stdout: 'pipe' | 'ignore') {
  const child = spawn(process.execPath, [BINARY, ...words], {
    env: { ...process.env, ARBEES_DATA_DIR: '/nonexistent' },
    stdio: ['ignore', stdout, 'ignore'],
  })
  kill.push(child)
  return child
}

const statusOf = (pid: number, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) *
  1024
/** Processor time that it has used, ticks. */
const usedBy = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** The most memory it has ever had, once it waits. */
async function peakWhenStuck(child: ChildProcess): Promise<number> {
  const pid = child.pid!
  let last = -1
  let since = Date.now()
  await until(() => {
    const used = usedBy(pid)
    if (used !== last) since = Date.now()
    last = used
    return Date.now() - since > 400
  }, 'it does nothing any more')
  expect(child.exitCode).toBeNull()
  return statusOf(pid, 'VmHWM')
}

/** The same for the first message alone. */
async function peakOfOne(words: readonly string[]): Promise<number> {
  const child = start([...words, '-n', '1'], 'ignore')
  let peak = 0
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, statusOf(child.pid!, 'VmHWM'))
    } catch {
      // It has ended.
    }
  }, 5)
  expect(await once(child, 'exit')).toEqual([0, null])
  clearInterval(timer)
  return peak
}

const COMMANDS = [
  ['journal cat', (path: string) => ['journal', 'cat', join(path, 'poly.prices'), '--json']],
  ['replay', (path: string) => ['replay', '--from-journal', path, '--speed', 'max', '--json']],
] as const

describe('what was, for a reader that has stopped reading', () => {
  it.each(COMMANDS)(
    'waits in the journal, not in the memory of %s, and is all there once it is read',
    async (_, wordsOf) => {
      const words = wordsOf(dir)
      const child = start(words, 'pipe')
      const stuck = await peakWhenStuck(child)
      const least = await peakOfOne(words)
      const ended = once(child, 'exit')
      let text = ''
      for await (const chunk of child.stdout!) text += String(chunk)
      expect(await ended).toEqual([0, null])
      expect(text.match(/\n/g)).toHaveLength(COUNT)
      expect(text.length).toBeGreaterThan(64 * MIB)
      expect(stuck).toBeLessThan(least + text.length / 4)
    },
  )

  it.each(COMMANDS)('is over for %s when that one is gone', async (_, wordsOf) => {
    const child = start(wordsOf(dir), 'pipe')
    const ended = once(child, 'exit')
    await once(child.stdout!, 'readable')
    child.stdout!.destroy()
    expect(await ended).toEqual([0, null])
  })
})
