import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BacktestReport } from '../../../src/lib/backtest/report.js'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { epochPages } from '../../../src/lib/bus/journal/epoch-pages.js'
import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { inputsDir, journalDir, journalRoot } from '../../../src/lib/bus/journal/paths.js'
import { openJournalReader } from '../../../src/lib/bus/journal/reader.js'
import { FileStorage } from '../../../src/lib/bus/journal/storage.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { GamesPayload, OrderbookPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { rerunShard } from '../../../src/lib/roles/shard-rerun.js'
import { Prng } from '../../../src/lib/sim/prng.js'
import { changePrice } from '../../backtest/change-price.js'
import { CommandProcess } from '../../commands/command-process.js'
import { createPlace, launch } from '../../e2e/launch.js'
import type { Place } from '../../e2e/launch.js'
import { until } from '../poll.js'
import { gameState } from './shard-stage.js'

const DIES = resolve(import.meta.dirname, 'dies-at-signal.mjs')
const INPUTS = 'shard-0.inputs'

const cleanups: (() => unknown)[] = []
let place: Place
let dir: string
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const settingsOf = (path: string) => ({ data_dir: path, env: 'sim' }) as const

async function bind(name: string): Promise<Publisher> {
  const feed = { name, state: 'LIVE', proved_ago_us: 1_000, markets: 1, reconnects: 0 }
  const publisher = await Publisher.bind({
    ...{ name, env: 'sim', clock: systemClock, sources: sourcesOf(name) },
    url: `tcp://127.0.0.1:${place.ports[name]}`,
    recoveryUrl: `tcp://127.0.0.1:${place.ports[`${name}-recovery`]}`,
    journal: { root: journalRoot(settingsOf(dir)), retainBytes: 64 * 1024 * 1024 },
    details: () => (name === 'orchestrator' ? {} : { feeds: [feed] }),
  })
  cleanups.push(() => publisher.close())
  return publisher
}

/** Three games, each with two markets here and one there, whose quotes walk at random across one another. */
const GAMES = [0, 1, 2].map((game): GamesPayload => {
  const state = gameState({ game_id: `40${game}` })
  const markets = state.markets.map((market) => ({ ...market, market_id: `${market.market_id}${game}` }))
  return { ...state, markets }
})
const MARKETS = GAMES.flatMap(({ markets }) => markets)

/** Who trades each game before a move and after it. */
const OWNERS: Readonly<Record<string, readonly [number, number]>> = { 400: [0, 0], 401: [0, 1], 402: [1, 0] }
const MOVE_AHEAD_MS = 300

/**
 * One of two shards lives through a market on two venues, one of which is restarted, gives a game to the other and gets
 * one from it, and is killed at the worst moment.
 */
async function killedShard(): Promise<void> {
  const { ports, environment } = place
  const random = new Prng(7, 'rerun')
  const venues = { kalshi: await bind('kalshi'), poly: await bind('poly') }
  const games = (await bind('orchestrator')).channel('orchestrator.games')
  let moveMs = Infinity
  const tell = () => {
    for (const game of GAMES) {
      const [before, after] = OWNERS[game.game_id]!
      const owner =
        moveMs === Infinity || before === after
          ? { shard: before }
          : { shard: after, shard_from_ms: moveMs, shard_before: before }
      games.publish(`games.nba.${game.game_id}`, { ...game, ...owner, fetched_ms: Date.now() })
    }
  }
  let bookSeq = 0
  const quote = () => {
    const { venue, market_id, selection } = MARKETS[random.int(0, MARKETS.length - 1)]!
    const bid = random.int(44, 52) / 100
    const top = { venue, market_id, state: 'LIVE', book_seq: ++bookSeq } as const
    const size = random.int(5, 60)
    const ask = bid + 0.02
    const book: OrderbookPayload = { ...top, bids: [[bid, size]], asks: [[ask, size]] }
    const price: PricesPayload = {
      ...{ ...top, selection: selection === 'UTAH' ? 'UTA' : selection },
      ...{ yes_bid: bid, yes_ask: ask, yes_bid_size: size, yes_ask_size: size },
    }
    const stamps = { recv: systemClock.monoUs() }
    const channel = (family: string) => venues[venue].channel(`${venue}.${family}`)
    channel('orderbook').publish(`orderbook.${venue}.${market_id}`, book, { stamps })
    channel('prices').publish(`prices.${venue}.${market_id}`, price, { stamps })
  }
  tell()
  for (let i = 0; i < 50; i++) quote()

  let signals = 0
  let quotes = 0
  const url = `tcp://127.0.0.1:${ports['shard']}`
  const hearing = new Subscriber({
    endpoints: [{ publisher: 'shard-0', url, sources: sourcesOf('shard-0') }],
    ...{ prefixes: ['signals.'], env: 'sim', clock: systemClock },
    onMessage: () => signals++,
    onHeartbeat: ({ counts }) => (quotes = counts['quotes'] ?? 0),
  })
  cleanups.push(() => hearing.close())
  const { child, ended } = launch(['shard'], {
    ...environment,
    ARBEES_SHARDS: '2',
    NODE_OPTIONS: `--import ${DIES}`,
  })
  cleanups.push(() => child.kill('SIGKILL'))
  let turn = 0
  let isDown = false
  const load = setInterval(() => {
    for (let i = isDown ? 0 : random.int(0, 8); i > 0; i--) quote()
    if (++turn % 20 === 0) tell()
  }, 5)
  cleanups.push(() => clearInterval(load))
  await until(() => signals >= 20, 'it signals')
  isDown = true
  venues.poly.close()
  venues.poly = await bindAgain('poly')
  isDown = false
  moveMs = Date.now() + MOVE_AHEAD_MS
  tell()
  const before = signals
  await until(() => signals >= before + 20 && quotes > 1_500, 'it goes on')
  child.kill('SIGUSR2')
  expect(await ended).toBe('SIGKILL')
  clearInterval(load)
}

async function bindAgain(name: Venue): Promise<Publisher> {
  let publisher: Publisher | undefined
  await until(async () => {
    publisher = await bind(name).catch(() => undefined)
    return publisher !== undefined
  }, 'the port is free')
  return publisher!
}

type Input = readonly [kind: string, ...rest: unknown[]]
interface TurnJson {
  v: 1
  head?: object
  inputs: Input[]
}

function readTurns(path: string): TurnJson[] {
  const journal = openJournalReader(new FileStorage(inputsDir(settingsOf(path), INPUTS)))
  const pages = [...epochPages(journal, journal.epochs.at(-1)!.epoch)]
  return pages.flatMap(({ records }) => records.map(({ data }) => JSON.parse(data.toString()) as TurnJson))
}

/** Everything that the shard left, beside inputs that were tampered with. */
function tampered(change: (turns: TurnJson[]) => TurnJson[], retainBytes = 64 * 1024 * 1024): string {
  const copy = mkdtempSync(join(tmpdir(), 'arbees-tampered-'))
  cleanups.push(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(join(dir, 'journal'), join(copy, 'journal'), { recursive: true })
  const journal = Journal.open({
    storage: new FileStorage(inputsDir(settingsOf(copy), INPUTS)),
    ...{ source: INPUTS, clock: systemClock, retainBytes, bootId: 'test', onNotice: () => undefined },
  })
  change(readTurns(dir)).forEach((turn, index) => {
    journal.stage(index + 1, Date.now(), Buffer.from('inputs.shard-0'), JSON.stringify(turn))
    journal.flush()
  })
  journal.close()
  return copy
}

const rerun = (path: string) => rerunShard({ settings: settingsOf(path), shard: 0 })

describe('a shard that was killed, rerun from its inputs and the journals of who it heard', () => {
  beforeAll(async () => {
    place = await createPlace()
    dir = place.dir
    cleanups.push(() => place.remove())
    await killedShard()
  }, 60_000)

  it('decides the same signals, byte for byte, from several sources, a snapshot and two lives of a venue', async () => {
    const report = await rerun(dir)
    expect(report).toMatchObject({
      ...{ ok: true, different: [], unpublished: [], unexplained: [], messages_missing: {} },
      ...{ turns_before: 0, turns_missing: 0, clock_differs: 0 },
    })
    expect(report.same).toBe(report.published)
    expect(report.published).toBeGreaterThanOrEqual(40)
    // One quote makes two signals at most, and it died behind the first write.
    expect(report.decided - report.published).toBeLessThanOrEqual(1)
    const inputs = readTurns(dir).flatMap((turn) => turn.inputs)
    const epochs = new Set(
      inputs.filter(([kind]) => kind === 'm').map(([, source, epoch]) => [source, epoch].join('/')),
    )
    expect([...epochs].filter((each) => each.startsWith('poly.prices'))).toHaveLength(2)
    expect(epochs.size).toBe(7)
  })

  it('decides the game that it gave away before the move alone, and the one that it got behind it alone', () => {
    const published = journaled(dir, 'shard-0.signals') as { payload: { game_id: string }; trace: string }[]
    const words = journaled(dir, 'orchestrator.games') as { payload: { shard_from_ms?: number } }[]
    const moveMs = words.map(({ payload }) => payload.shard_from_ms).find((ms) => ms !== undefined)!
    const quotes = ['kalshi.prices', 'poly.prices'].flatMap(
      (source) => journaled(dir, source) as { trace: string; timestamp_ms: number }[],
    )
    const sentMs = new Map(quotes.map(({ trace, timestamp_ms: ms }) => [trace, ms]))
    const triggers = (game: string) =>
      published.filter(({ payload }) => payload.game_id === game).map(({ trace }) => sentMs.get(trace)!)
    expect(triggers('401').length * triggers('402').length).toBeGreaterThan(0)
    expect(Math.max(...triggers('401'))).toBeLessThan(moveMs)
    expect(Math.min(...triggers('402'))).toBeGreaterThanOrEqual(moveMs)
  })

  it('decides otherwise when two inputs are swapped', async () => {
    const trigger = triggerOfLast(dir)
    const copy = tampered((turns) => {
      const flat = turns.flatMap((turn, at) => turn.inputs.map((_, index) => ({ at, index })))
      const inputAt = ({ at, index }: { at: number; index: number }) => turns[at]!.inputs[index]!
      const isQuote = ([kind, source, epoch, seq]: Input) =>
        kind === 'm' && source === trigger.source && epoch === trigger.epoch && seq === trigger.seq
      const place = flat.findIndex((each) => isQuote(inputAt(each)))
      const venue = trigger.source.split('.')[0]!
      const book = flat.slice(0, place).findLast((each) => inputAt(each)[1] === `${venue}.orderbook`)!
      const [one, two] = [flat[place]!, book]
      const [quote, other] = [inputAt(one), inputAt(two)]
      turns[one.at]!.inputs[one.index] = other
      turns[two.at]!.inputs[two.index] = quote
      return turns
    })
    const report = await rerun(copy)
    expect(report.ok).toBe(false)
    expect(report.unexplained).toContain(trigger.id)
  })

  it('says which messages nobody has any more, and invents no signal for them', async () => {
    const copy = tampered((turns) => turns)
    expect((await rerun(copy)).ok).toBe(true)
    rmSync(journalDir(settingsOf(copy), 'kalshi.orderbook'), { recursive: true })
    const report = await rerun(copy)
    expect(report).toMatchObject({ ok: false, decided: 0, clock_differs: null })
    expect(Object.keys(report.messages_missing)).toEqual(['kalshi.orderbook'])
    expect(report.unexplained).toHaveLength(report.published)
  })

  it('goes on from where it is told again what it decides with when the beginning is gone', async () => {
    const whole = await rerun(dir)
    const written = readTurns(dir).reduce((sum, turn) => sum + JSON.stringify(turn).length, 0)
    const copy = tampered((turns) => turns, Math.round(written * 0.9))
    const report = await rerun(copy)
    expect(report.ok).toBe(false)
    expect(report.turns_before).toBeGreaterThan(0)
    expect(report.turns).toBe(whole.turns - report.turns_before)
    // Not the same ones for sure: what was held at the beginning is gone with it.
    expect(report.decided).toBeGreaterThan(0)
    expect([report.different, report.clock_differs]).toEqual([[], null])
  })

  it('says what cannot be read of them, and is not fooled by a byte', async () => {
    const copy = tampered((turns) => turns)
    const folder = inputsDir(settingsOf(copy), INPUTS)
    const [segment] = new FileStorage(folder).list().filter((name) => name.endsWith('.seg'))
    const bytes = readFileSync(join(folder, segment!))
    const middle = Math.floor(bytes.length / 2)
    bytes[middle] = bytes[middle]! ^ 1
    writeFileSync(join(folder, segment!), bytes)
    const report = await rerun(copy)
    expect([report.ok, report.turns_missing]).toEqual([false, 1])
  })

  it.each<[string, (folder: string) => void, boolean]>([
    ['is gone', (folder) => rmSync(folder, { recursive: true }), false],
    [
      'lost its segments',
      (folder) => {
        const names = readdirSync(folder).filter((name) => name.endsWith('.seg'))
        for (const name of names) rmSync(join(folder, name))
      },
      true,
    ],
  ])('is not the same where the journal of what it published %s', async (_, harm, isOnDisk) => {
    const copy = mkdtempSync(join(tmpdir(), 'arbees-unpublished-'))
    cleanups.push(() => rmSync(copy, { recursive: true, force: true }))
    for (const part of ['journal', 'inputs']) cpSync(join(dir, part), join(copy, part), { recursive: true })
    harm(journalDir(settingsOf(copy), 'shard-0.signals'))
    const report = await rerun(copy)
    expect(report).toMatchObject({ ok: false, published: 0, signals_on_disk: isOnDisk })
    expect(report.unpublished.length).toBeGreaterThan(report.unpublished_tail)
    expect(report.unpublished.length + report.unpublished_tail).toBe(report.decided)
  })

  it('is compared by a command, which exits 8 for what is not the same', async () => {
    const run = async (path: string, ...args: string[]) => {
      const child = launch(['journal', 'rerun', ...args, '--data-dir', path, '--env', 'sim'], {})
      return [await child.ended, child.stdout()] as const
    }
    const [code, out] = await run(dir, '--json')
    expect([code, JSON.parse(out)]).toMatchObject([0, { shard: 0, ok: true, different: [] }])
    const copy = tampered((turns) => turns.slice(0, -50))
    const [broken, said] = await run(copy, '0')
    expect([broken, JSON.parse(said)]).toMatchObject([8, { ok: false }])
  })

  it('is tested by a command: the same bytes each time, and exit 8 where a price is another', async () => {
    const commands = new CommandProcess()
    cleanups.push(() => commands.kill())
    const run = async (path: string, ...args: string[]) => {
      const child = commands.launch(['backtest', '--data-dir', path, '--env', 'sim', ...args])
      return [await child.ended, child.stdout()] as const
    }
    const { published } = await rerun(dir)
    const [code, out] = await run(dir, '--diff', '--json')
    const report = JSON.parse(out) as BacktestReport
    expect([code, report]).toMatchObject([
      0,
      { order: 'as decided', partial: false, diff: { clean: true, same: published } },
    ])
    expect(report.opportunities[0]?.count).toBeGreaterThan(0)
    expect(report.capture[0]?.signals).toBeGreaterThan(0)

    const [signalsCode, lines] = await run(dir, '--signals', '--speed', '50')
    expect([signalsCode, createHash('sha256').update(lines).digest('hex')]).toEqual([
      0,
      report.signals.sha256,
    ])
    expect(JSON.parse(lines.split('\n')[0]!)).toMatchObject({ game_id: expect.stringMatching(/^40\d$/) })

    const [mergedCode, merged] = await run(dir, '--from-journal', join(dir, 'journal', 'sim'))
    expect([mergedCode, JSON.parse(merged)]).toMatchObject([
      0,
      { order: 'merged by time', read: { gaps: 0 } },
    ])

    const copy = tampered((turns) => turns)
    changePrice(settingsOf(copy), 0)
    const [changed, said] = await run(copy, '--diff')
    expect([changed, JSON.parse(said)]).toMatchObject([8, { diff: { clean: false } }])
  })

  it('is refused where nothing of the shard lies, with the folder that was looked in', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'arbees-rerun-none-'))
    cleanups.push(() => rmSync(empty, { recursive: true, force: true }))
    await expect(rerun(empty)).rejects.toMatchObject({ code: 'NO_INPUTS' })
    await expect(rerunShard({ settings: settingsOf(dir), shard: 0, epoch: 5 })).rejects.toThrow('epoch 5')
  })
})

/** Envelopes of every life of a source. */
function journaled(path: string, source: string): unknown[] {
  const journal = openJournalReader(new FileStorage(journalDir(settingsOf(path), source)))
  return journal.epochs.flatMap(({ epoch }) =>
    [...epochPages(journal, epoch)].flatMap(({ records }) =>
      records.map(({ data }): unknown => JSON.parse(data.toString())),
    ),
  )
}

/** The last signal that the shard published, and the quote that triggered it. */
function triggerOfLast(path: string): { id: string; source: string; epoch: number; seq: number } {
  const journal = openJournalReader(new FileStorage(journalDir(settingsOf(path), 'shard-0.signals')))
  const pages = [...epochPages(journal, journal.epochs.at(-1)!.epoch)]
  const last = JSON.parse(pages.at(-1)!.records.at(-1)!.data.toString()) as {
    trace: string
    payload: { id: string }
  }
  const [source, epoch, seq] = last.trace.split('/')
  return { id: last.payload.id, source: source!, epoch: Number(epoch), seq: Number(seq) }
}
