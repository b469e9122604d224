import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { epochPages } from '../../src/lib/bus/journal/epoch-pages.js'
import { openJournalReader } from '../../src/lib/bus/journal/reader.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { BINARY, createPlace, launch } from '../e2e/launch.js'
import type { Place, Run } from '../e2e/launch.js'
import { SmallDisk, smallDiskRefusal } from '../faults/small-disk.js'
import { until } from '../lib/poll.js'
import { prices } from '../lib/messages/samples.js'
import { TestRedis } from '../lib/redis/support.js'
import { CommandProcess } from './command-process.js'

const SOURCE = 'kalshi.prices'
const COUNT = 1_200

let place: Place
let redis: TestRedis
let mirror: Run
/** Where what ends by itself is run. */
let commands: CommandProcess
let publisher: Publisher
let environment: Record<string, string>

function publish(count: number): void {
  for (let i = 0; i < count; i++) {
    publisher.channel(SOURCE).publish('prices.kalshi.KX', { ...prices, market_id: 'KX', book_seq: i })
  }
}
const lastSeq = () => publisher.channel(SOURCE).lastSeq
const mirrored = () =>
  until(
    async () => Number(await redis.look.hget(`sim:arbees:checkpoint:${SOURCE}`, 'seq')) >= lastSeq(),
    'the mirror has all',
    15_000,
  )
const startMirror = () => {
  mirror = launch(['mirror'], environment)
}
const journalRoot = () => join(place.dir, 'journal', 'sim')

/** Every envelope of the journal, in order. */
function journaled(): Buffer[] {
  const journal = openJournalReader(new FileStorage(join(journalRoot(), SOURCE)))
  return journal.epochs.flatMap(({ epoch }) =>
    [...epochPages(journal, epoch)].flatMap(({ records }) => records.map(({ data }) => data)),
  )
}
const linesOf = (envelopes: readonly Buffer[]) => envelopes.map((data) => `${data.toString()}\n`).join('')

const replay = (...args: string[]) => launch(['replay', ...args], environment)
async function replayed(...args: string[]) {
  const run = commands.launch(['replay', ...args], environment)
  const code = await run.ended
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}

beforeAll(async () => {
  place = await createPlace()
  redis = await TestRedis.start()
  commands = new CommandProcess()
  environment = { ...place.environment, ARBEES_REDIS_URL: redis.url }
  startMirror()
  publisher = await Publisher.bind({
    name: 'kalshi',
    url: `tcp://127.0.0.1:${place.ports['kalshi']}`,
    recoveryUrl: `tcp://127.0.0.1:${place.ports['kalshi-recovery']}`,
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
    journal: { root: journalRoot(), retainBytes: 64 * 1024 * 1024 },
  })
  publish(COUNT)
  await mirrored()
})
afterAll(async () => {
  expect(await commands.end()).toBe(0)
  publisher.close()
  mirror.child.kill('SIGKILL')
  await mirror.ended
  await redis.stop()
  place.remove()
})

describe('arbees replay', () => {
  it('prints the last thousand of a stream, byte for byte what the journal holds', async () => {
    const { code, stdout, stderr } = await replayed('--from-redis', 'prices:kalshi', '--last', '1000')
    expect(code).toBe(0)
    expect(stdout).toBe(linesOf(journaled().slice(-1000)))
    expect(stderr).toMatch(/1,000 messages from .* to .*, 0 gaps\n$/)
  })

  it('plays all that is in Redis, and in the journals, when nothing else is said', async () => {
    const [all, journals, none] = await Promise.all([
      replayed('--from-redis'),
      replayed('--from-journal', '--json'),
      replayed('--from-redis', 'signals:trades'),
    ])
    const everything = linesOf(journaled())
    expect([all.code, journals.code, none.code]).toEqual([0, 0, 5])
    expect(all.stdout).toBe(everything)
    expect(journals.stdout).toBe(everything)
  })

  it('follows into what happens now, over the death of the mirror, without a seam', async () => {
    const run = replay('--from-redis', '--follow')
    const seqs = () =>
      run
        .stdout()
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { seq: number }).seq)
    await until(() => seqs().length >= COUNT, 'the past is over', 15_000)
    const timer = setInterval(() => publish(10), 10)
    await until(() => seqs().length > COUNT + 200, 'it goes on')
    mirror.child.kill('SIGKILL')
    await until(() => seqs().length > COUNT + 600, 'it goes on without the mirror')
    startMirror()
    await until(() => seqs().length > COUNT + 800, 'it goes on with the next')
    clearInterval(timer)
    const last = lastSeq()
    await until(() => seqs().length >= last, 'it has all')
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    expect(seqs()).toEqual(Array.from({ length: last }, (_, i) => i + 1))
    await mirrored()
  })

  it('begins where a time or an id says, and ends where a time does', async () => {
    const envelopes = journaled()
    const timeOf = (index: number) =>
      (JSON.parse(envelopes[index]!.toString()) as { timestamp_ms: number }).timestamp_ms
    const [since, until] = [timeOf(COUNT + 50), timeOf(COUNT + 400)]
    const [id] = (await redis.look.xrange('sim:prices:kalshi', '-', '+', 'COUNT', 31)).at(-1)!
    const wanted = linesOf(envelopes.filter((_, i) => timeOf(i) >= since && timeOf(i) <= until))
    const times = ['--since', String(since), '--until', new Date(until).toISOString()]
    const [span, fromId] = await Promise.all([
      replayed('--from-journal', SOURCE, ...times, '--speed', 'max'),
      replayed('--from-redis', 'prices:kalshi', '--start-id', id, '--speed', 'max'),
    ])
    expect(span).toMatchObject({ code: 0, stdout: wanted })
    expect(fromId).toMatchObject({ code: 0, stdout: linesOf(envelopes.slice(30)) })
  })

  it('writes a file that plays the same', async () => {
    const file = join(place.dir, 'evening')
    const written = await replayed('--from-redis', '--last', '500', '--speed', 'max', '--to-file', file)
    expect(written).toMatchObject({ code: 0, stdout: '' })
    const again = ['--from-file', file, '--speed', 'max', '--json']
    const told = await replayed(...again, '--to-file', `${file}-2`)
    expect(told.code).toBe(0)
    const counts = { messages: 500, gaps: 0, missing: 0, refused: 0 }
    expect(JSON.parse(told.stdout)).toEqual({ to: 'file', ...counts })
    const read = await replayed('--from-file', file, '--speed', 'max')
    expect(read).toMatchObject({ code: 0, stdout: linesOf(journaled().slice(-500)) })
  })

  it('ends when its reader does', async () => {
    const run = `"${process.execPath}" "${BINARY}" replay --from-redis --follow; echo "code $?" >&2`
    const child = spawn('sh', ['-c', `{ ${run}; } | head -1`], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const [out, talk] = [child.stdout, child.stderr].map((stream) => {
      const chunks: string[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
      return () => chunks.join('')
    })
    const timer = setInterval(() => publish(1), 20)
    try {
      await until(() => talk!().includes('code '), 'it has ended', 15_000)
    } finally {
      clearInterval(timer)
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL')
    }
    expect(talk!()).toContain('code 0')
    expect(out!()).toBe(linesOf(journaled().slice(0, 1)))
  })

  it('goes onto the bus, where a tap sees it', async () => {
    const run = replay('--from-redis', '--follow', '--to-bus', '--run', 'again')
    await until(() => run.stderr().includes('publishes at'), 'it is bound', 15_000)
    const tap = commands.launch(['tap', 'replay.again.', '-n', '3', '--json'], environment)
    const timer = setInterval(() => publish(1), 10)
    expect(await tap.ended).toBe(0)
    clearInterval(timer)
    run.child.kill('SIGINT')
    await run.ended
    const [line = ''] = tap.stdout().split('\n')
    expect(JSON.parse(line)).toMatchObject({
      topic: 'replay.again.prices.kalshi.KX',
      source: 'replay.again.kalshi.prices',
    })
  })

  it('that was killed leaves nothing behind for longer than until the next one', async () => {
    const folder = join(place.dir, 'replay')
    const killed = replay('--from-redis', '--follow', '--to-bus', '--run', 'killed')
    await until(() => killed.stderr().includes('publishes at'), 'it is bound', 15_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(existsSync(join(folder, 'killed', `replay.killed.${SOURCE}`))).toBe(true)
    const next = await replayed('--from-redis', '--last', '1', '--speed', 'max', '--to-bus', '--run', 'next')
    expect(next.code).toBe(0)
    expect(readdirSync(folder)).toEqual([])
  })

  it('says what is missing, and exits 8', async () => {
    const fields = {
      channel: SOURCE,
      epoch: publisher.channel(SOURCE).epoch,
      from: lastSeq() + 1,
      to: lastSeq() + 5,
    }
    const id = await redis.look.xadd(
      'sim:arbees:gaps',
      '*',
      ...Object.entries(fields).flat(),
      'reason',
      'retention',
    )
    const { code, stdout } = await replayed('--from-redis', 'prices:kalshi', '--last', '1', '--speed', 'max')
    await redis.look.xdel('sim:arbees:gaps', id!)
    expect(code).toBe(8)
    const gap = JSON.parse(stdout.trim().split('\n').at(-1)!)
    expect(gap).toMatchObject({ gap: { source: SOURCE, to: lastSeq() + 5, reason: 'retention' } })
  })

  it('names what is wrong with what was asked', async () => {
    const [none, speed] = await Promise.all([replayed(), replayed('--from-redis', '--speed', '0')])
    expect([none.code, speed.code]).toEqual([2, 2])
    expect(speed.stderr).toContain("not a speed: '0'")
  })
})

/** Why there is no disk that can be filled; such a test is skipped then. */
const noSmallDisk = smallDiskRefusal()

describe('arbees record', () => {
  it('records what crosses the bus, over restarts, and is played as it was', async () => {
    const tape = mkdtempSync(join(tmpdir(), 'arbees-tape-'))
    const one = launch(['record', tape], environment)
    await until(() => one.stderr().includes('records into'), 'it records', 15_000)
    const first = lastSeq() + 1
    publish(20)
    const timer = setInterval(() => publish(5), 20)
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    one.child.kill('SIGKILL')
    await one.ended
    const two = commands.launch(
      ['record', tape, '--segment-time', '200ms', '--for', '1s', '--json'],
      environment,
    )
    expect(await two.ended).toBe(0)
    expect(JSON.parse(two.stdout())).toMatchObject({ dir: tape, gaps: 0, missing: 0, refused: 0 })
    const three = commands.launch(['record', tape, '-n', '7', '--json'], environment)
    expect(await three.ended).toBe(0)
    clearInterval(timer)
    expect(JSON.parse(three.stdout())).toMatchObject({ messages: 7, gaps: 0 })
    const { code, stdout } = await replayed('--from-file', tape, '--speed', 'max')
    expect(code).toBe(0)
    const seqs = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq)
    expect(seqs[0]!).toBeGreaterThanOrEqual(first)
    expect(stdout).toBe(linesOf(journaled().slice(seqs[0]! - 1, seqs.at(-1))))
    expect(seqs.length).toBeGreaterThan(100)
    rmSync(tape, { recursive: true, force: true })
  })
  it.skipIf(noSmallDisk !== undefined)(
    'says so when the disk is full, and goes on in the same folder when there is room',
    async () => {
      const disk = new SmallDisk(join(place.dir, 'disk'), 2)
      const tape = join(disk.path, 'tape')
      const timer = setInterval(() => publish(5), 20)
      try {
        const one = launch(['record', tape], environment)
        const sizes = () =>
          readdirSync(join(tape, SOURCE)).map((name) => statSync(join(tape, SOURCE, name)).size)
        await until(
          () => existsSync(join(tape, SOURCE)) && sizes().some((size) => size > 0),
          'it has written',
        )
        disk.fill()
        await until(() => one.stderr().includes('cannot be written'), 'it cannot write')
        const unwritten = lastSeq()
        one.child.kill('SIGINT')
        expect(await one.ended).toBe(1)
        expect(one.stderr()).toMatch(/tried again each second: ENOSPC/)
        expect(one.stderr()).toContain(`what came last is not in ${tape}: ENOSPC`)

        const cut = await replayed('--from-file', tape, '--speed', 'max')
        expect(cut.code).toBe(8)
        const [head = '', ...rest] = cut.stdout.trim().split('\n')
        const first = (JSON.parse(head) as { seq: number }).seq
        expect(rest.pop()).toContain('"gap"')
        expect(rest.length).toBeGreaterThan(0)
        expect(cut.stdout).toContain(linesOf(journaled().slice(first - 1, first + rest.length)))

        disk.free()
        const two = commands.launch(['record', tape, '--for', '1s', '--json'], environment)
        expect(await two.ended).toBe(0)
        clearInterval(timer)
        const whole = await replayed('--from-file', tape, '--speed', 'max')
        expect(whole.code).toBe(0)
        const last = first + whole.stdout.trim().split('\n').length - 1
        expect(last).toBeGreaterThan(unwritten)
        expect(whole.stdout).toBe(linesOf(journaled().slice(first - 1, last)))
      } finally {
        clearInterval(timer)
        disk.remove()
      }
    },
  )
})
