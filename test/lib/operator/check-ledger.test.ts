import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { ManualClock, systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import { codeOf } from '../../../src/lib/core/errors.js'
import { Ledger, ledgerPath } from '../../../src/lib/execution/ledger.js'
import { checkLedger, judgeLedger } from '../../../src/lib/operator/check-ledger.js'
import type { LedgerThresholds } from '../../../src/lib/operator/check-ledger.js'
import { renderCheck, renderNagios } from '../../../src/lib/operator/check-view.js'
import { compile } from '../execution/compiled.js'
import type { Compiled } from '../execution/compiled.js'
import { until } from '../poll.js'
import { GAME_ID, kalshiMarket, orderOf, polyMarket, signal } from '../risk/samples.js'

const NOBODY = 'tcp://127.0.0.1:1'
const LIMITS: LedgerThresholds = { warnMs: 15_000, criticalMs: 60_000, freeWarn: 0, freeCritical: 0 }

let dir: string
const cleanups: (() => unknown)[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-check-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  rmSync(dir, { recursive: true, force: true })
})

const owner = { env: 'sim', mode: 'live' } as const
const path = () => ledgerPath({ dataDir: dir, ...owner })
const open = (clock = systemClock) => Ledger.open({ dataDir: dir, ...owner, clock })
const settingsOf = (execUrl = NOBODY) =>
  loadSettings({
    flags: {
      ...{ data_dir: dir, 'endpoints.kalshi': NOBODY, 'endpoints.poly': NOBODY, 'endpoints.exec': execUrl },
      ...{ 'endpoints.orchestrator': NOBODY, 'endpoints.shards': NOBODY },
    },
    environment: {},
  }).settings
/** Without listening for exec. */
const judge = (thresholds: Partial<LedgerThresholds> = {}) =>
  judgeLedger(settingsOf(), { ...LIMITS, ...thresholds }, Date.now())
const check = (thresholds: Partial<LedgerThresholds> = {}, execUrl = NOBODY) =>
  checkLedger({ settings: settingsOf(execUrl), clock: systemClock, thresholds: { ...LIMITS, ...thresholds } })

const PLAN = signal()
const seen = { signalId: PLAN.id, gameId: GAME_ID }
const [OPENING, HEDGE] = [orderOf(PLAN, 0), orderOf(PLAN, 1)]
const subjectOf = ({ orderId }: typeof HEDGE) => ({ signalId: PLAN.id, orderId })

function intend(ledger: Ledger, order: typeof HEDGE): void {
  const market = order.venue === 'poly' ? polyMarket() : kalshiMarket()
  const detail = { request: order, market, sizeE2: order.sizeE2 }
  ledger.intent({ ...subjectOf(order), gameId: GAME_ID }, detail, '{"exact":"bytes"}')
}

/** A plan with both legs intended; what became of them is the test's. */
function plan(ledger: Ledger, act: (ledger: Ledger) => void = () => undefined): void {
  ledger.see(seen, { signal: PLAN, signalMs: 1, trace: 'kalshi.prices/1/2' })
  intend(ledger, OPENING)
  intend(ledger, HEDGE)
  act(ledger)
}
const fill = (ledger: Ledger, order: typeof HEDGE, filledE6 = order.sizeE2 * 10_000) =>
  ledger.append('filled', subjectOf(order), { venueOrderId: 'v', filledE6 })
const whole = (ledger: Ledger) => {
  fill(ledger, OPENING)
  fill(ledger, HEDGE)
  ledger.append('done', seen)
}

function written(act: (ledger: Ledger) => void, clock = systemClock): void {
  const ledger = open(clock)
  act(ledger)
  ledger.close()
}

/** Whatever a database tool can do to it. */
function tamper(sql: string): void {
  const db = new Database(path())
  db.exec(sql)
  db.close()
}

describe('check ledger', () => {
  it('is well with a whole one, and leaves nothing beside it', async () => {
    written((ledger) => plan(ledger, whole))
    const before = readFileSync(path())
    const report = await check()
    expect(report).toMatchObject({ check: 'ledger', state: 'ok', problems: [] })
    expect(report.summary).toBe('whole, 6 events, 0 orders open')
    expect(report.figures.map(({ name }) => name)).toEqual([
      'last_write_age_seconds',
      'open_orders',
      'open_order_age_seconds',
      'unknown_orders',
      'unhedged_plans',
      'contradictions',
      'disk_free_bytes',
    ])
    expect(readFileSync(path()).equals(before)).toBe(true)
    expect(renderNagios(report)).toMatch(/^LEDGER OK - whole, [^|]+ \| .*'open_orders'=0;;;0 /)
    expect(renderCheck(report, { width: 80, color: false })).toContain('exec is not heard')
  })

  const flip = (at: (size: number) => number) => () => {
    const bytes = readFileSync(path())
    for (let i = 0; i < 64; i++) bytes[at(bytes.length) + i]! ^= 0xff
    writeFileSync(path(), bytes)
  }
  it.each<[string, () => void, string, string]>([
    ['is missing', () => rmSync(path()), 'unknown', 'there is no ledger'],
    ['is a folder', () => (rmSync(path()), mkdirSync(path())), 'unknown', 'cannot be used'],
    ['is empty', () => truncateSync(path(), 0), 'critical', 'it has no tables'],
    ['is cut in the middle', () => truncateSync(path(), statSync(path()).size / 2), 'critical', 'is damaged'],
    ['is cut within a page', () => truncateSync(path(), 4096 + 100), 'critical', 'is damaged'],
    ['is no database', () => writeFileSync(path(), 'x'.repeat(9000)), 'critical', 'is damaged'],
    ['has flipped bytes in its header', flip(() => 0), 'critical', 'is damaged'],
    ['has flipped bytes in a page of its tree', flip(() => 4096), 'critical', 'is damaged'],
    [
      'has a detail that is not JSON',
      () => tamper("update event set detail = '{' where kind = 'intent'"),
      'critical',
      '',
    ],
    [
      'has an event of no kind',
      () => tamper("update event set kind = 'sold' where kind = 'sent'"),
      'critical',
      "of kind 'sold'",
    ],
    [
      'is of another env',
      () => tamper("update meta set value = 'prod.live' where name = 'owner'"),
      'critical',
      'of prod.live',
    ],
    ['is of a newer arbees', () => tamper('pragma user_version = 99'), 'unknown', 'newer arbees'],
  ])('of one that %s', (_, damage, state, words) => {
    written((ledger) => plan(ledger, (to) => to.append('sent', subjectOf(OPENING))))
    damage()
    const report = judge()
    expect(report.summary).toContain(words)
    expect(report.state).toBe(state)
    expect(report.summary).toContain(path())
    if (state === 'critical') expect(report.notes.join()).not.toBe('')
  })

  it.skipIf(process.getuid?.() === 0)('is unknown where this user may not read it', () => {
    written((ledger) => plan(ledger, whole))
    chmodSync(path(), 0)
    expect(judge()).toMatchObject({ state: 'unknown' })
  })

  it('warns of one that others may change, and of little room on the disk', () => {
    written((ledger) => plan(ledger, whole))
    chmodSync(path(), 0o666)
    const open = judge()
    expect(open).toMatchObject({ state: 'warning', problems: [{ subject: 'ledger' }] })
    expect(open.summary).toContain('chmod go-w')
    chmodSync(path(), 0o600)
    expect(judge({ freeWarn: Number.MAX_SAFE_INTEGER })).toMatchObject({
      ...{ state: 'warning', problems: [{ subject: 'disk' }] },
    })
    const full = { freeWarn: Number.MAX_SAFE_INTEGER, freeCritical: Number.MAX_SAFE_INTEGER }
    expect(judge(full)).toMatchObject({ state: 'critical' })
  })

  it.each<[string, (ledger: Ledger) => void, string]>([
    [
      'a fill beyond the size of its order',
      (to) => fill(to, HEDGE, 21_000_000),
      `${HEDGE.orderId} of 20 has filled 21`,
    ],
    [
      'a spend beyond its dollars',
      (to) => {
        fill(to, OPENING, 25_000_000)
        to.append('money', subjectOf(OPENING), { cashMicros: 8_700_000, feesMicros: 0, venueTradeIds: [] })
      },
      `${OPENING.orderId} of $8.6 has spent $8.7`,
    ],
    [
      'money of an order that filled nothing',
      (to) => {
        to.append('none', subjectOf(HEDGE))
        to.append('money', subjectOf(HEDGE), { cashMicros: 1, feesMicros: 0, venueTradeIds: [] })
      },
      'none filled',
    ],
  ])('is critical with %s', (_, act, words) => {
    written((ledger) => plan(ledger, act))
    const report = judge()
    expect(report.state).toBe('critical')
    expect(report.problems[0]!.problem).toContain(words)
  })

  it('takes more shares for the same dollars as what they are, and an outcome without an intent for what it is', () => {
    written((ledger) =>
      plan(ledger, (to) => {
        fill(to, OPENING, 25_000_000)
        to.append('money', subjectOf(OPENING), { cashMicros: 8_600_000, feesMicros: 0, venueTradeIds: [] })
        fill(to, HEDGE)
      }),
    )
    expect(judge()).toMatchObject({ state: 'ok' })
    tamper(`delete from event where kind = 'intent' and order_id = '${HEDGE.orderId}'`)
    const orphan = judge()
    expect(orphan.state).toBe('critical')
    expect(orphan.summary).toContain(HEDGE.orderId)
    tamper('drop index event_final')
    tamper(`insert into event (at_ms, kind, order_id, detail) values (1, 'none', '${OPENING.orderId}', '{}')`)
    tamper("delete from event where kind = 'filled' and order_id <> '" + OPENING.orderId + "'")
    expect(judge().summary).toContain(`order ${OPENING.orderId} has ended more than once`)
  })

  it.each([
    [5_000, 'ok'],
    [20_000, 'warning'],
    [70_000, 'critical'],
  ])('with an order unknown for %d ms is %s', (ageMs, state) => {
    const clock = new ManualClock(Date.now() - ageMs)
    written(
      (ledger) => plan(ledger, (to) => to.append('unknown', subjectOf(HEDGE), { reason: 'cut' })),
      clock,
    )
    const report = judge()
    expect(report.state).toBe(state)
    const valueOf = (name: string) => report.figures.find((figure) => figure.name === name)!.value
    expect([valueOf('open_orders'), valueOf('unknown_orders')]).toEqual([2, 1])
    if (state !== 'ok') expect(report.summary).toContain(`${HEDGE.orderId} (unknown)`)
  })

  it('warns of a plan that ended unhedged, until its game is final', () => {
    written((ledger) =>
      plan(ledger, (to) => {
        fill(to, OPENING)
        to.append('none', subjectOf(HEDGE))
        to.append('naked', seen, { reason: 'uneven' })
        to.append('done', seen)
      }),
    )
    const report = judge()
    expect(report).toMatchObject({ state: 'warning', problems: [{ subject: 'plans' }] })
    expect(report.summary).toBe('1 plan unhedged: signal signal-1')
    written((ledger) => ledger.appendOnce('game_final', { gameId: GAME_ID }))
    expect(judge()).toMatchObject({ state: 'ok' })
  })

  it('wants its thresholds in order', async () => {
    expect(codeOf(await check({ warnMs: 90_000 }).catch((error: unknown) => error))).toBe('BAD_THRESHOLDS')
    expect(codeOf(await check({ freeCritical: 1 }).catch((error: unknown) => error))).toBe('BAD_THRESHOLDS')
  })
})

describe('check ledger beside exec', () => {
  /** exec as far as its heartbeat goes: it takes a signal at each. */
  async function exec(counts: () => Record<string, number>): Promise<string> {
    const publisher = await Publisher.bind({
      ...{ name: 'exec', url: 'tcp://127.0.0.1:*', env: 'sim', clock: systemClock, sources: [] },
      details: () => ({ counts: counts() }),
    })
    cleanups.push(() => publisher.close())
    return publisher.url
  }

  it('is critical when signals are taken and no row comes, or exec says that it cannot write', async () => {
    written((ledger) => plan(ledger, whole), new ManualClock(Date.now() - 70_000))
    let signals = 0
    const elsewhere = await check({}, await exec(() => ({ signals: signals++ })))
    expect(elsewhere).toMatchObject({ state: 'critical', problems: [{ subject: 'exec' }] })
    expect(elsewhere.summary).toContain('exec takes signals, and its last row is')
    const idle = await check({}, await exec(() => ({ signals: 5 })))
    expect(idle).toMatchObject({ state: 'ok', problems: [] })
    const broken = await check({}, await exec(() => ({ signals: 5, ledger_failed: 1 })))
    expect(broken).toMatchObject({ state: 'critical' })
    expect(broken.summary).toContain('exec cannot write it')
  })
})

describe('check ledger of one that a process holds', () => {
  const CHILD = 'test/lib/execution/ledger-child.ts'
  let compiled: Compiled
  beforeAll(() => {
    compiled = compile('src/lib/core', 'src/lib/model', 'src/lib/execution', CHILD)
  })
  afterAll(() => compiled.remove())

  it('reads it with its WAL while it is locked, lets the lock be, and finds a WAL that is broken in its middle', async () => {
    written((ledger) => plan(ledger, whole))
    const child = compiled.run(CHILD, [dir, 'fill'])
    let said = ''
    child.child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await until(() => said.includes('"wrote":50'), 'it writes')
    const busy = judge()
    // What the child writes is no whole plan: it is read, and found wanting.
    expect(busy.summary).toContain('signal without its signal')
    child.child.kill('SIGSTOP')
    expect(codeOf(refusal())).toBe('LEDGER_LOCKED')
    child.child.kill('SIGKILL')
    await child.done
    const wal = `${path()}-wal`
    const bytes = readFileSync(wal)
    bytes[Math.floor(bytes.length / 2)]! ^= 0xff
    writeFileSync(wal, bytes)
    const torn = judge()
    expect(torn.state).toBe('critical')
    expect(torn.summary).toContain('its WAL is broken behind frame')
  })

  function refusal(): unknown {
    try {
      open().close()
      return undefined
    } catch (error) {
      return error
    }
  }
})
