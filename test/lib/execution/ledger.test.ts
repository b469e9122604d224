import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/lib/core/clock.js'
import { ArbeesError, EXIT } from '../../../src/lib/core/errors.js'
import { Ledger, ledgerPath } from '../../../src/lib/execution/ledger.js'
import { until } from '../poll.js'
import { GAME_ID, kalshiMarket, orderOf, signal } from '../risk/samples.js'
import { compile } from './compiled.js'
import type { Compiled } from './compiled.js'

let dataDir: string
let ledger: Ledger | undefined
const options = () => ({ dataDir, env: 'sim', mode: 'live', clock: new ManualClock() }) as const
const open = (): Ledger => (ledger = Ledger.open(options()))
const path = () => ledgerPath(options())

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'arbees-ledger-'))
})

afterEach(() => {
  ledger?.close()
  ledger = undefined
  rmSync(dataDir, { recursive: true, force: true })
})

function errorOf(work: () => unknown): ArbeesError {
  try {
    work()
  } catch (error) {
    if (error instanceof ArbeesError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const subject = { signalId: 'signal-1', gameId: GAME_ID }
const order = orderOf(signal(), 1)
const orderSubject = { signalId: 'signal-1', orderId: order.orderId }
const intent = { request: order, market: kalshiMarket(), sizeE2: order.sizeE2 }

function writeOrder(to: Ledger): void {
  to.see(subject, { signal: signal(), signalMs: 1, trace: 'kalshi.prices/1/2' })
  to.intent({ ...orderSubject, gameId: GAME_ID }, intent, '{"exact":"bytes"}')
}

describe('the ledger', () => {
  it('has a file per env and mode', () => {
    expect(path()).toBe(join(dataDir, 'ledger.sim.live.db'))
    open()
    expect(statSync(path()).isFile()).toBe(true)
    const paper = Ledger.open({ ...options(), mode: 'paper' })
    expect(paper.path).toBe(join(dataDir, 'ledger.sim.paper.db'))
    paper.close()
  })

  it('syncs an intent, a halt and its end to the disk, and nothing else', () => {
    open()
    /** What SQLite holds itself to while a row is written: 2 syncs each commit, 1 does not. */
    const levels: Record<string, unknown> = {}
    const { db, insert } = ledger as unknown as {
      db: Database.Database
      insert: { run: (...values: unknown[]) => unknown }
    }
    const run = insert.run.bind(insert)
    insert.run = (...values) => {
      const [row] = db.prepare('pragma synchronous').all() as { synchronous: number }[]
      levels[String(values[1])] = row!.synchronous
      return run(...values)
    }
    writeOrder(ledger!)
    ledger!.append('sent', orderSubject)
    ledger!.latch('halted', { level: 'entries', reason: 'r', by: 'b' })
    ledger!.append('filled', orderSubject, { venueOrderId: 'v', filledE6: 1 })
    ledger!.latch('resumed', { reason: 'r', by: 'b' })
    ledger!.append('done', subject)
    expect(levels).toEqual({ seen: 1, intent: 2, sent: 1, halted: 2, filled: 1, resumed: 2, done: 1 })
  })

  it('knows a signal that it saw, in this life and after a restart', () => {
    expect(open().see(subject, { signal: signal(), signalMs: 1, trace: 't' })).toBe('new')
    expect(ledger!.see(subject, {})).toBe('duplicate')
    ledger!.close()
    expect(open().see(subject, {})).toBe('duplicate')
  })

  it('knows how far it saw each source of signals, in a file of before that too', () => {
    const see = (id: string, source: string, epoch: number, seq: number) => {
      const at = { source, epoch, seq }
      ledger!.see({ signalId: id, gameId: GAME_ID }, { signal: signal(), signalMs: 1, trace: 't', at })
    }
    writeOrder(open())
    expect(ledger!.lastSeen('shard-0.signals')).toBeUndefined()
    see('a', 'shard-0.signals', 10, 9)
    see('b', 'shard-1.signals', 30, 2)
    see('c', 'shard-0.signals', 20, 1)
    see('b', 'shard-1.signals', 30, 3)
    ledger!.close()
    const raw = new Database(path())
    raw.exec(
      'drop index event_source; drop index event_gap; drop index event_settled; drop index event_game_orders; drop index event_accepted; pragma user_version = 1',
    )
    raw.close()
    open()
    expect(ledger!.lastSeen('shard-0.signals')).toEqual({ epoch: 20, seq: 1 })
    expect(ledger!.lastSeen('shard-1.signals')).toEqual({ epoch: 30, seq: 2 })
    expect(ledger!.lastSeen('shard-2.signals')).toBeUndefined()
  })

  it('does not look again for signals that are missing for good, and says so once', () => {
    open()
    const gap = (from: number, seq: number) =>
      ledger!.appendOnce('gap', {}, { at: { source: 'shard-0.signals', epoch: 10, seq }, from, to: seq })
    expect([gap(4, 9), gap(4, 9), gap(12, 12)]).toEqual([true, false, true])
    expect(ledger!.lastSeen('shard-0.signals')).toEqual({ epoch: 10, seq: 12 })
    expect(ledger!.history()).toMatchObject({ plans: [], interrupted: [] })
  })

  it('refuses a second intent and a second final event of an order', () => {
    writeOrder(open())
    const again = () => ledger!.intent({ ...orderSubject, gameId: GAME_ID }, intent, '')
    expect(errorOf(again).code).toBe('LEDGER_DUPLICATE')
    ledger!.append('filled', orderSubject, { venueOrderId: 'v', filledE6: 1 })
    expect(errorOf(() => ledger!.append('none', orderSubject)).code).toBe('LEDGER_DUPLICATE')
    // Neither is an error of the disk: the ledger goes on.
    expect(ledger!.broken).toBeUndefined()
  })

  it.each([
    ['an intent', []],
    ['one that was sent', ['sent']],
    ['a delayed one', ['sent', 'delayed']],
    ['an unknown one', ['sent', 'unknown']],
  ] as const)('gives %s back as in flight, with what it takes to ask for it', (_name, kinds) => {
    const clock = new ManualClock()
    ledger = Ledger.open({ ...options(), clock })
    writeOrder(ledger)
    for (const kind of kinds) {
      clock.advanceMs(20)
      ledger.append(kind, orderSubject, { venueOrderId: 'v-1' })
    }
    ledger.close()
    // Its bytes left with `sent`; before that it was about to.
    const sentMs = new ManualClock().nowMs() + (kinds.length === 0 ? 0 : 20)
    const [plan] = open().history().plans
    expect(plan).toMatchObject({ signal: signal(), trace: 'kalshi.prices/1/2', done: false, naked: false })
    const { prepared } = ledger.history().inFlight[0]!
    const acknowledged = kinds[1] === 'delayed' ? { acknowledged: true } : {}
    expect(prepared).toEqual({ ...intent, body: '{"exact":"bytes"}', sentMs, ...acknowledged })
  })

  it.each(['filled', 'partial', 'none', 'rejected', 'stale', 'denied'] as const)(
    'has no order in flight after %s',
    (kind) => {
      writeOrder(open())
      ledger!.append(kind, orderSubject, { venueOrderId: 'v-1', filledE6: 5 })
      expect(ledger!.history().inFlight).toEqual([])
    },
  )

  it('gives back fills with the money that was reported', () => {
    writeOrder(open())
    ledger!.append('partial', orderSubject, { venueOrderId: 'v-1', filledE6: 12_000_000 })
    ledger!.append('money', orderSubject, { cashMicros: 5, feesMicros: 2, venueTradeIds: ['t'] })
    expect(ledger!.history().plans[0]!.orders[0]).toMatchObject({
      state: 'partial',
      filledE6: 12_000_000,
      venueOrderId: 'v-1',
      money: { cashMicros: 5, feesMicros: 2, venueTradeIds: ['t'] },
    })
  })

  it('forgets plans of games that are final, and says once that they are', () => {
    writeOrder(open())
    expect(ledger!.appendOnce('game_final', { gameId: GAME_ID })).toBe(true)
    expect(ledger!.appendOnce('game_final', { gameId: GAME_ID })).toBe(false)
    expect(ledger!.history().plans).toEqual([])
  })

  it('tells which signals were seen and never decided', () => {
    open().see(subject, { signal: signal(), signalMs: 7, trace: 't' })
    expect(ledger!.history().interrupted).toEqual([{ signal: signal(), signalMs: 7, trace: 't' }])
    ledger!.append('denied', { signalId: 'signal-1' }, { code: 'HALTED' })
    expect(ledger!.history().interrupted).toEqual([])
  })

  it('remembers a halt until it is resumed', () => {
    expect(open().history().haltedBy).toBeUndefined()
    const order = { level: 'all', reason: 'odd fills', by: 'ops@host' }
    ledger!.latch('halted', order)
    ledger!.close()
    expect(open().history().haltedBy).toEqual(order)
    ledger!.latch('resumed', {})
    expect(ledger!.history().haltedBy).toBeUndefined()
  })

  it('checkpoints by itself in long runs and keeps every event', () => {
    open()
    for (let index = 0; index < 1_200; index++) ledger!.see({ signalId: `s${index}` }, { index })
    ledger!.checkpointWhenLong()
    expect(statSync(path()).size).toBeGreaterThan(100_000)
    expect(ledger!.see({ signalId: 's1199' }, {})).toBe('duplicate')
  })
})

describe('a ledger that cannot be used', () => {
  it('is refused when it is no database', () => {
    writeFileSync(path(), Buffer.alloc(8192, 7))
    expect(errorOf(open)).toMatchObject({ code: 'LEDGER_CORRUPT', exit: EXIT.INTEGRITY })
  })

  it('is refused when pages in the middle are damaged', () => {
    open()
    for (let index = 0; index < 500; index++) ledger!.see({ signalId: `s${index}` }, { pad: 'x'.repeat(300) })
    ledger!.close()
    const bytes = readFileSync(path())
    bytes.fill(0xff, 4096 * 3, 4096 * 9)
    writeFileSync(path(), bytes)
    const error = errorOf(open)
    expect(error).toMatchObject({ code: 'LEDGER_CORRUPT', exit: EXIT.INTEGRITY })
    expect(error.message).toContain(path())
  })

  it('is refused when a detail is not what this program writes', () => {
    writeOrder(open())
    ledger!.append('filled', orderSubject, { venueOrderId: 'v', filledE6: 1.5 })
    expect(errorOf(() => ledger!.history())).toMatchObject({ code: 'LEDGER_CORRUPT' })
  })

  it('is refused when it belongs to another env', () => {
    open().close()
    const bytes = readFileSync(path())
    const other = { ...options(), env: 'prod' } as const
    writeFileSync(ledgerPath(other), bytes)
    expect(errorOf(() => Ledger.open(other))).toMatchObject({ code: 'LEDGER_FOREIGN', exit: EXIT.REFUSED })
  })

  it('is an error when it is a folder, naming it', () => {
    mkdirSync(path())
    const error = errorOf(open)
    expect(error.code).toBe('LEDGER_FAILED')
    expect(error.message).toContain(path())
  })

  it('takes nothing more after it was closed', () => {
    open().close()
    expect(errorOf(() => ledger!.see(subject, {})).code).toBe('LEDGER_FAILED')
    expect(ledger!.broken?.code).toBe('LEDGER_FAILED')
  })
})

describe('processes', () => {
  let compiled: Compiled
  const CHILD = 'test/lib/execution/ledger-child.ts'
  beforeAll(() => {
    compiled = compile('src/lib/core', 'src/lib/model', 'src/lib/execution', CHILD)
  })
  afterAll(() => compiled.remove())

  it('a second one is refused with exit 7 and the file’s name, and let in when the first has died', async () => {
    const first = compiled.run(CHILD, [dataDir, 'hold'])
    let said = ''
    first.child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await until(() => said.includes('opened'), 'the first has opened the ledger')
    const second = await compiled.run(CHILD, [dataDir, 'hold']).done
    expect(JSON.parse(second.stdout)).toMatchObject({ code: 'LEDGER_LOCKED', exit: 7 })
    expect(second.stdout).toContain(path())
    expect(errorOf(open).code).toBe('LEDGER_LOCKED')
    first.child.kill('SIGKILL')
    await first.done
    expect(open().broken).toBeUndefined()
  })

  it('a disk that is full refuses the intent, latches, and keeps what was written before', async () => {
    const { stdout } = await compiled.run(CHILD, [dataDir, 'fill'], { shell: 'ulimit -f 400; exec "$@"' })
      .done
    const lines = stdout.trim().split('\n')
    const last = JSON.parse(lines.at(-1)!)
    expect(last).toMatchObject({ code: 'LEDGER_FAILED', exit: 1 })
    const written = lines.filter((line) => line.includes('wrote')).length
    expect(written).toBeGreaterThan(10)
    const intents = () => open().intent({ orderId: `order-${written - 1}`, signalId: 's' }, {}, '')
    expect(errorOf(intents).code).toBe('LEDGER_DUPLICATE')
  })
})
