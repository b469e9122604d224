import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BusKeys } from '../../../src/lib/bus/curve.js'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { RecoveringSubscriber } from '../../../src/lib/bus/recovering-subscriber.js'
import type { Problem, Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { LoadedSettings } from '../../../src/lib/core/config.js'
import type { ArbeesError } from '../../../src/lib/core/errors.js'
import type { PastMessage } from '../../../src/lib/history/past.js'
import { encode } from '../../../src/lib/messages/codec.js'
import { familyOfSource } from '../../../src/lib/messages/sources.js'
import { rawMember } from '../../../src/lib/operator/raw-member.js'
import { replayBus } from '../../../src/lib/operator/replay-bus.js'
import { takeReplayFolder } from '../../../src/lib/operator/replay-folder.js'
import { loadKeyRing } from '../../../src/lib/roles/bus-keys.js'
import { replayEndpoint } from '../../../src/lib/roles/wiring.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'
import { freePort } from '../redis/support.js'

let dir: string
let loaded: LoadedSettings
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-replay-bus-'))
  const [url, recoveryUrl] = [`tcp://127.0.0.1:${await freePort()}`, `tcp://127.0.0.1:${await freePort()}`]
  loaded = loadSettings({
    flags: { data_dir: dir, 'endpoints.replay': url, 'recovery.replay': recoveryUrl },
  })
})
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  rmSync(dir, { recursive: true, force: true })
})

const TOPICS: Readonly<Record<string, string>> = {
  'kalshi.prices': 'prices.kalshi.KX-1.5',
  'poly.orderbook': 'orderbook.poly.0xabc',
  'orchestrator.games': 'games.nba.401',
  'shard-0.signals': 'signals.trade.abc',
  'exec.orders': 'orders.kalshi.o-1',
  'exec.trades': 'trades.filled.o-1',
}

function message(source: string, seq: number, extra: Partial<PastMessage> = {}): PastMessage {
  const payload = samples[familyOfSource(source) as 'prices']
  const stamps = { venue_ms: 5, recv: 6, pub: 7 }
  const text = encode({ env: 'sim', source, epoch: 3, seq, timestampMs: 9, host: 'then', stamps }, payload)
  const topic = TOPICS[source] ?? 'prices.kalshi.KX'
  return { kind: 'message', source, topic, epoch: 3, seq, timestampMs: 9, data: Buffer.from(text), ...extra }
}

const portOf = (url: string): number => Number(url.slice(url.lastIndexOf(':') + 1))

async function open(run = 'run-1') {
  const refused: string[] = []
  const sink = await replayBus({
    loaded,
    run,
    onProblem: ({ reason }) => refused.push(reason),
    onBound: () => undefined,
  })
  let isClosed = false
  const close = async () => {
    if (!isClosed) await sink.close()
    isClosed = true
  }
  cleanups.push(close)
  return {
    write: (items: readonly PastMessage[]) => sink.write(items, new AbortController().signal),
    close,
    refused,
  }
}

function listen(run = 'run-1', keys?: BusKeys) {
  const got: Received[] = []
  const problems: Problem[] = []
  const subscriber = new RecoveringSubscriber({
    endpoints: [replayEndpoint(loaded.settings, run)],
    prefixes: [`replay.${run}.`],
    env: 'replay',
    clock: systemClock,
    keys,
    mode: 'gap-filled',
    startAt: () => ({ epoch: 0, seq: 0 }),
    onMessage: (received) => got.push(received),
    onProblem: (problem) => problems.push(problem),
  })
  cleanups.push(() => subscriber.close())
  return { got, problems }
}

describe('a replay onto the bus', () => {
  it('has topics, sources and an env of its own, and payloads of the same bytes', async () => {
    const { write, refused } = await open()
    const { got, problems } = listen()
    const given = Object.keys(TOPICS).map((source, i) => message(source, i + 40))
    await write(given)
    await until(() => got.length === given.length, 'all came')
    for (const { topic, bytes, message: heard } of got) {
      const original = given.find((each) => `replay.run-1.${each.topic}` === topic)!
      expect(rawMember(bytes.toString(), 'payload')).toBe(rawMember(original.data.toString(), 'payload'))
      const { source, env, trace, stamps, seq } = heard.header
      expect([source, env, seq]).toEqual([`replay.run-1.${original.source}`, 'replay', 1])
      expect(trace).toBe(`${original.source}/3/${original.seq}`)
      expect(stamps).toEqual({ venue_ms: 5, pub: expect.any(Number) as number })
    }
    expect([refused, problems]).toEqual([[], []])
  })

  it('loses nothing to a reader that comes late', async () => {
    const { write } = await open()
    for (let seq = 1; seq <= 300; seq++) await write([message('kalshi.prices', seq)])
    const { got } = listen()
    await until(() => got.length === 300, 'all came')
    expect(got.map(({ message: { header } }) => header.seq)).toEqual(got.map((_, i) => i + 1))
  })

  it('leaves out what it cannot publish, each with a reason', async () => {
    const { write, refused } = await open()
    await write([
      message('kalshi.prices', 0, { source: 'legacy.a', epoch: 0 }),
      message('shard-0.signals', 1, { source: 'shard-9.signals' }),
      message('kalshi.prices', 1, { data: Buffer.from('no json') }),
      message('kalshi.prices', 1, { data: Buffer.from('{"ticker":"KX","yes_bid":0.4}') }),
    ])
    expect(refused).toEqual(['unguarded', 'unknown_source', 'not_json', 'entry_differs'])
  })

  it('leaves no journal behind', async () => {
    const { write, close } = await open()
    await write([message('kalshi.prices', 1)])
    const root = join(dir, 'replay', 'run-1')
    expect(existsSync(join(root, 'replay.run-1.kalshi.prices'))).toBe(true)
    await close()
    expect(existsSync(root)).toBe(false)
  })

  it.each(['', 'Monday', 'a.b', 'x'.repeat(33)])('is not named %j', async (run) => {
    await expect(open(run)).rejects.toMatchObject({ code: 'BAD_RUN', exit: 2 })
  })

  it('says so when its port is taken, and lets everything go', async () => {
    await open()
    await expect(open('run-2')).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    expect(readdirSync(join(dir, 'replay')).sort()).toEqual(['run-1', 'run-1.lock'])
  })

  it('leaves a run of the same name alone while that lives', async () => {
    await open()
    const settings = { ...loaded.settings, 'endpoints.replay': 'tcp://127.0.0.1:*' }
    loaded = { ...loaded, settings }
    await expect(open()).rejects.toMatchObject({ code: 'RUN_TAKEN', exit: 7 })
    expect(existsSync(join(dir, 'replay', 'run-1', 'replay.run-1.kalshi.prices'))).toBe(true)
  })

  it('removes what dead runs left, and nothing of those that live', async () => {
    const alive = takeReplayFolder(dir, 'alive', () => undefined)
    const base = join(dir, 'replay')
    for (const name of ['alive', 'dead', 'of-an-old-version', 'Not a run']) mkdirSync(join(base, name))
    const own = JSON.parse(readFileSync(join(base, 'alive.lock'), 'utf8')) as object
    writeFileSync(join(base, 'dead.lock'), JSON.stringify({ ...own, started: '1' }))
    writeFileSync(join(base, 'killed-early.lock'), JSON.stringify({ ...own, pid: 2 ** 30 }))
    const { close } = await open()
    const others = readdirSync(base).filter((name) => !name.startsWith('run-1'))
    expect(others.sort()).toEqual(['Not a run', 'alive', 'alive.lock'])
    await close()
    alive.remove()
    expect(readdirSync(base)).toEqual(['Not a run'])
  })

  it('names the folder when it cannot write there', async () => {
    writeFileSync(join(dir, 'replay'), 'a file')
    await expect(open()).rejects.toMatchObject({ code: 'BAD_DATA_DIR', exit: 4 })
  })

  it.each(['endpoints.replay', 'recovery.replay'] as const)(
    'names the setting that moves it when the port of %s is taken',
    async (key) => {
      const other = createServer()
      await new Promise<void>((done) => other.listen(portOf(loaded.settings[key]), '127.0.0.1', done))
      cleanups.push(() => new Promise((done) => other.close(done)))
      const refusal = await open().then(
        () => undefined,
        (error: unknown) => error as ArbeesError,
      )
      expect(refusal).toMatchObject({ code: 'PORT_IN_USE' })
      expect(refusal?.hint).toContain(`set ${key} to another port`)
      const elsewhere = `tcp://127.0.0.1:${await freePort()}`
      loaded = { ...loaded, settings: { ...loaded.settings, [key]: elsewhere } }
      await open()
    },
  )
})

describe('a replay onto a bus with keys', () => {
  const keyFolder = () => new KeyFolder(join(dir, 'keys'))
  const withKeys = () => {
    loaded = { ...loaded, settings: { ...loaded.settings, keys_dir: keyFolder().dir } }
  }

  it('is heard, and pulled from, by who has a key, and by nobody else', async () => {
    for (const name of ['replay', 'operator']) keyFolder().generate(name)
    withKeys()
    const { write } = await open()
    const refused: string[] = []
    const plain = listen()
    const operator = loadKeyRing(loaded.settings, 'operator', (reason) => refused.push(reason))
    for (let seq = 1; seq <= 300; seq++) await write([message('kalshi.prices', seq)])
    const late = listen('run-1', operator)
    await until(() => late.got.length === 300, 'all came')
    await write([message('kalshi.prices', 301)])
    await until(() => late.got.length === 301, 'it goes on')
    expect(late.got.map(({ message: { header } }) => header.seq)).toEqual(late.got.map((_, i) => i + 1))
    expect([plain.got, refused]).toEqual([[], []])
  })

  it('does not begin without a key of its own, and says how to make one', async () => {
    keyFolder().generate('operator')
    withKeys()
    const refusal = await open().then(
      () => undefined,
      (error: unknown) => error as ArbeesError,
    )
    expect(refusal).toMatchObject({ code: 'NO_KEY', exit: 4 })
    expect(refusal?.hint).toContain('arbees keys generate replay')
    expect(existsSync(join(dir, 'replay'))).toBe(false)
  })
})
