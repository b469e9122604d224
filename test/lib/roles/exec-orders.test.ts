import { mkdtempSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { RecoveryClient } from '../../../src/lib/bus/recovery/recovery-client.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { hostId } from '../../../src/lib/core/ids.js'
import { gamesPayload } from '../../../src/lib/messages/convert.js'
import { sealOrder } from '../../../src/lib/messages/signal-seal.js'
import type { GameState } from '../../../src/lib/model/game.js'
import type { ManualAnswer, ManualOrder, ManualOutcome } from '../../../src/lib/model/manual-order.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { GAME_ID, kalshiMarket, polyMarket } from '../risk/samples.js'
import { freePort } from '../free-port.js'
import { until } from '../poll.js'
import { testRole } from './role-harness.js'

const cleanups: (() => unknown)[] = []
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Each is for one test: what is held there, and open, is its own. */
const KALSHI = ['FILLED', 'DENIED', 'SOLD', 'PARTLY', 'SEALED'].map((marketId) => kalshiMarket({ marketId }))
const POLY = polyMarket({ takerDelayMs: 50 })
const TEAM = { code: 'MIA', name: 'Miami', score: 0 }
const GAME: GameState = {
  league: 'nba',
  gameId: GAME_ID,
  home: TEAM,
  away: { ...TEAM, code: 'BOS' },
  status: 'live',
  period: 1,
  startMs: 0,
  provider: 'test',
  fetchedMs: 0,
  markets: [...KALSHI, POLY],
  shard: 0,
}

let drawn = 0
const order = (more: Partial<ManualOrder> = {}): ManualOrder => ({
  order_id: (++drawn).toString(16).padStart(32, '0'),
  ...{ env: 'demo', mode: 'paper', by: 'ops@host', venue: 'kalshi', market_id: 'FILLED' },
  ...{ outcome: 'yes', side: 'buy', limit: 0.47, size: 20, valid_ms: 1500 },
  ...{ asked_ms: Date.now(), asked_us: systemClock.monoUs(), host: hostId() },
  ...more,
})

type Told = Extract<ManualAnswer, ManualOutcome>

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-orders-'))
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** exec on paper whose books have 15 contracts at 0.46 and 50 at 0.47, and a client of its recovery socket. */
async function stage(keys: KeyFolder, dataDir: string) {
  const publishers = new Map<string, Publisher>()
  for (const name of ['kalshi', 'poly', 'orchestrator']) {
    const bind = { name, url: 'tcp://127.0.0.1:*', env: 'demo', clock: systemClock } as const
    const publisher = await Publisher.bind({ ...bind, sources: sourcesOf(name) })
    cleanups.push(() => publisher.close())
    publishers.set(name, publisher)
  }
  const recoveryUrl = `tcp://127.0.0.1:${await freePort()}`
  const role = testRole('exec', {
    ...{ env: 'demo', data_dir: dataDir, keys_dir: keys.dir, 'limits.order_usd': '11' },
    'recovery.exec': recoveryUrl,
    'endpoints.kalshi': publishers.get('kalshi')!.url,
    'endpoints.poly': publishers.get('poly')!.url,
    'endpoints.orchestrator': publishers.get('orchestrator')!.url,
    'endpoints.shards': 'tcp://127.0.0.1:1',
    'endpoints.exec': 'tcp://127.0.0.1:*',
  })
  const { counters, lifecycle } = role.context
  cleanups.push(() => lifecycle.close())
  const started = runExec(role.context)
  await until(() => role.url() !== undefined, 'exec publishes')
  const endpoint = { publisher: 'exec', url: role.url()!, recoveryUrl, sources: sourcesOf('exec') }
  const client = new RecoveryClient({ endpoint, clock: systemClock })
  cleanups.push(() => client.close())
  const askSealed = async (asked: ManualOrder): Promise<ManualAnswer> => {
    const answer = await client.order(asked)
    if (answer === undefined) throw new Error('no answer')
    return answer
  }
  const key = keys.readSignalKey()!
  const ask = (asked: ManualOrder) => askSealed(sealOrder(key, asked))
  const early = await ask(order())
  await started
  const publish = (name: string, source: string, topic: string, payload: object) =>
    publishers.get(name)!.channel(`${name}.${source}`).publish(topic, payload)
  let bookSeq = 0
  const bids = [[0.45, 50]]
  const asks = [
    [0.46, 15],
    [0.47, 50],
  ]
  const tell = () => {
    publish('orchestrator', 'games', `games.nba.${GAME_ID}`, gamesPayload(GAME))
    for (const { venue, marketId } of GAME.markets) {
      const book = { venue, market_id: marketId, state: 'LIVE', bids, asks, book_seq: ++bookSeq }
      publish(venue, 'orderbook', `orderbook.${venue}.${marketId}`, book)
    }
  }
  const isKnown = () => counters.get('markets') === 6 && counters.get('books') === 6
  await until(() => (tell(), isKnown()), 'all is known')
  const place = async (asked: ManualOrder): Promise<Told> => {
    let answer: ManualAnswer | undefined
    await until(async () => 'over' in (answer = await ask(asked)) && answer.over, `${asked.order_id} is over`)
    return answer as Told
  }
  return { ...role, counters, lifecycle, client, ask, askSealed, place, early, key }
}

let keys: KeyFolder
let dataDir: string
let exec: Awaited<ReturnType<typeof stage>>
beforeAll(async () => {
  keys = new KeyFolder(join(folder(), 'keys'))
  keys.generateSignalKey()
  dataDir = folder()
  exec = await stage(keys, dataDir)
})

describe('a manual order', () => {
  let filled: ManualOrder
  let told: Told

  it('is a plan like any other: filled, on record, and sent once however often it is asked for', async () => {
    filled = order()
    const [first, second] = await Promise.all([exec.ask(filled), exec.ask(filled)])
    expect([first, second]).toMatchObject([{ state: 'sent' }, { state: 'sent' }])
    told = await exec.place(filled)
    expect(told).toMatchObject({
      ...{ env: 'demo', mode: 'paper', signal_id: `manual-${filled.order_id}`, state: 'filled', filled: 20 },
      cash_micros: 15 * 460_000 + 5 * 470_000,
    })
    expect(told.fees_micros).toBeGreaterThan(0)
    const checks = ['age_ms', 'order_micros_0', 'game_micros', 'total_micros']
    expect(told.checks.map(({ name }) => name)).toEqual(checks)
    expect(await exec.ask({ ...filled, asked_us: 0 })).toEqual(told)
    expect(await exec.ask({ ...filled, size: 19 })).toMatchObject({ refused: 'ID_REUSED' })
    const { counts } = exec.context.report()
    expect(counts).toMatchObject({ manual_orders: 1, plans: 1, orders: 1, fills: 1, open_plans: 0 })
    expect(counts['exposure_usd']).toBeGreaterThan(9)
  })

  it('that exec is not ready for is refused, and is not on record', () => {
    expect(exec.early).toEqual({ env: 'demo', mode: 'paper', refused: 'NOT_READY' })
  })

  it('is denied, by name and number, where an entry would be', async () => {
    const states = async (more: Partial<ManualOrder>) => {
      const { state, reason, checks, over } = await exec.place(order({ market_id: 'DENIED', ...more }))
      return { said: `${state} ${reason}`, last: checks.at(-1), over }
    }
    expect(await states({ size: 24 })).toMatchObject({
      ...{ said: 'denied ORDER_LIMIT', over: true },
      last: { name: 'order_micros_0', limit: 11e6 },
    })
    expect((await states({ market_id: 'KXNOBODY' })).said).toBe('denied UNKNOWN_MARKET')
    expect((await states({ asked_us: systemClock.monoUs() - 1_600_000 })).said).toBe('stale EXPIRED')
    expect((await states({ host: 'elsewhere', asked_ms: Date.now() - 1_600 })).said).toBe('stale EXPIRED')
    expect((await states({ limit: 0.475, size: 1 })).said).toMatch(
      /^denied BAD_ORDER: .*the limit 0\.475 is no price of the market/,
    )
    const poly = await states({ venue: 'poly', market_id: POLY.marketId, size: 1 })
    expect(poly.said).toMatch(/below the least/)
    expect(await states({ side: 'sell', size: 1 })).toMatchObject({
      said: 'denied NOT_HELD',
      last: { name: 'sold_contracts_0', value: 1, limit: 0 },
    })
    expect((await states({ limit: 0.4, size: 1 })).said).toBe('none undefined')
    const refused = async (more: Partial<ManualOrder>) => await exec.ask(order(more))
    expect(await refused({ limit: 0.47001 })).toMatchObject({ refused: 'BAD_ORDER' })
    expect(await refused({ env: 'sim' })).toEqual({ env: 'demo', mode: 'paper', refused: 'OTHER_EXEC' })
    expect(await refused({ mode: 'live' })).toMatchObject({ refused: 'OTHER_EXEC' })
  })

  it('is partly filled by what the book has, delayed where the venue delays', async () => {
    expect(await exec.place(order({ market_id: 'PARTLY', limit: 0.46 }))).toMatchObject({
      ...{ state: 'partial', filled: 15, cash_micros: 15 * 460_000 },
    })
    const poly = order({ venue: 'poly', market_id: POLY.marketId, size: 10 })
    expect(await exec.place(poly)).toMatchObject({ state: 'filled', filled: 10 })
    expect(exec.context.report().counts).toMatchObject({ open_plans: 0, quarantined: 0 })
  })

  it('is taken only with the seal of the signals’ key, where there is one, over all that it says', async () => {
    const asked = order({ market_id: 'SEALED', size: 1 })
    const sealed = sealOrder(exec.key, asked)
    const wrong: ManualOrder[] = [
      asked,
      sealOrder(randomBytes(32), asked),
      { ...sealed, hmac: 'x' },
      { ...sealed, size: 2 },
      { ...sealed, limit: 0.46 },
      { ...sealed, side: 'sell' },
      { ...sealed, outcome: 'no' },
      { ...sealed, market_id: 'DENIED' },
      { ...sealed, order_id: 'f'.repeat(32) },
      { ...sealed, asked_us: sealed.asked_us + 1 },
      { ...sealed, valid_ms: 60_000 },
      { ...sealed, by: 'somebody else' },
    ]
    for (const each of wrong) expect(await exec.askSealed(each)).toMatchObject({ refused: 'BAD_SEAL' })
    expect(exec.counters.get('manual_refused:BAD_SEAL')).toBe(wrong.length)
    expect(await exec.place(asked)).toMatchObject({ state: 'filled' })
  })

  it('sells what was bought, in parts, over a restart, and never more', async () => {
    const sale = { market_id: 'SOLD', side: 'sell', limit: 0.45 } as const
    const denied = { state: 'denied', reason: 'NOT_HELD' }
    expect(await exec.place(order({ ...sale, side: 'buy', limit: 0.46, size: 10 }))).toMatchObject({
      filled: 10,
    })
    expect(await exec.place(order({ ...sale, size: 4 }))).toMatchObject({
      ...{ state: 'filled', filled: 4, cash_micros: 4 * 450_000 },
    })
    expect(await exec.place(order({ ...sale, size: 7 }))).toMatchObject(denied)
    // A purchase of NO takes from what is held of YES.
    const no = order({ market_id: 'SOLD', outcome: 'no', limit: 0.55, size: 2 })
    expect(await exec.place(no)).toMatchObject({ state: 'filled' })
    expect(await exec.place(order({ ...sale, size: 5 }))).toMatchObject(denied)
    await exec.client.halt({ level: 'entries', reason: 'odd fills', by: 'ops' })
    const whileHalted = order({ ...sale, size: 1 })
    expect(await exec.place(whileHalted)).toMatchObject({ state: 'denied', reason: 'HALTED' })
    const atRisk = exec.context.report().counts['exposure_usd']
    expect(atRisk).toBeGreaterThan(9)
    await exec.lifecycle.close()
    rmSync(join(dataDir, 'exec-demo-paper.halted'))
    const next = await stage(keys, dataDir)
    expect(await next.ask(whileHalted)).toMatchObject({ state: 'denied', reason: 'HALTED' })
    expect(await next.ask(filled)).toEqual(told)
    expect(next.context.report().counts['exposure_usd']).toBe(atRisk)
  })
})
