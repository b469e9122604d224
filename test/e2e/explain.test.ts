/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- payloads are read as they stand, with no type of ours */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Explanation } from '../../src/lib/operator/explain.js'
import type { HaltReport } from '../../src/lib/operator/halt.js'
import type { OrderReport } from '../../src/lib/operator/order.js'
import type { UpSummary } from '../../src/lib/roles/up-summary.js'
import { until } from '../lib/poll.js'
import { createPlace, launch } from './launch.js'
import type { Place, Run } from './launch.js'

/** An envelope as it stands in the journal, read with nothing of ours but its framing. */
interface Envelope {
  readonly source: string
  readonly epoch: number
  readonly seq: number
  readonly timestamp_ms: number
  readonly host: string
  readonly trace: string
  readonly stamps: Readonly<Record<string, number>>
  readonly payload: Payload
}
// What a payload holds is for each check to say.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Payload = any

const SAMPLE = 10

let place: Place
let journal: string
let tape: Envelope[]
/** A purchase, and its sale. */
let manual: OrderReport[]
let redisAnswer: { readonly id: string; readonly out: string; readonly code: unknown }
const runs: Run[] = []

async function arbees(...args: string[]) {
  const run = launch(args, place.environment)
  runs.push(run)
  return { code: await run.ended, out: run.stdout(), err: run.stderr() }
}

/** A run with trades, a halt in its middle, and more signals that the halt denies. */
beforeAll(async () => {
  place = await createPlace()
  const up = launch(['up', '--for', '90s', '--json', '--keep'], place.environment)
  runs.push(up)
  await until(() => up.stderr().includes('everything is ready'), 'everything is ready', 40_000)
  const heard = await arbees('tap', 'trades.filled.', '-n', '12', '--for', '25s', '--json')
  const told = await arbees('tap', 'games.nba.', '-n', '1', '--for', '15s', '--json')
  const { markets } = (JSON.parse(told.out) as Envelope).payload
  const { market_id: market } = markets.find(({ venue }: Payload) => venue === 'kalshi')
  const byHand = async (...terms: string[]): Promise<OrderReport> => {
    const answer = await arbees('order', 'kalshi', market, ...terms, '--size', '2', '--yes', '--json')
    expect([answer.code, answer.err]).toEqual([0, expect.stringContaining('given to exec as manual-')])
    return JSON.parse(answer.out) as OrderReport
  }
  const bought = await byHand('--buy', 'yes', '--limit', '0.99')
  // What the strategy holds there is YES or NO by now, and a plan of it may be open.
  let sold: OrderReport | undefined
  for (let i = 0; sold === undefined && i < 8; i++) {
    sold = await byHand('--sell', i % 2 === 0 ? 'yes' : 'no', '--limit', '0.01').catch(() => undefined)
  }
  manual = [bought, sold!]
  const halted = JSON.parse((await arbees('halt', '--reason', 'to see denials')).out) as HaltReport
  // The run's own folder, below the data dir that was named.
  expect(halted.steps.map(({ result }) => result)).toEqual(['done', 'done', 'done', 'done'])
  const denied = await arbees(
    ...['tap', 'orders.', '--where', 'state == "denied"', '-n', String(SAMPLE), '--for', '40s', '--json'],
  )
  expect(denied.out).toContain('HALTED')
  const first = JSON.parse(heard.out.split('\n')[0]!) as Envelope
  const id = first.payload.order_id as string
  const answer = await arbees('explain', id, '--json')
  redisAnswer = { id, out: answer.out, code: answer.code }
  up.child.kill('SIGTERM')
  expect(await up.ended).toBe(0)
  const { summary } = JSON.parse(up.stdout()) as { summary: UpSummary }
  expect(summary.gaps).toBe(0)
  const [run = ''] = readdirSync(join(place.dir, 'sim'))
  journal = join(place.dir, 'sim', run, 'journal', 'sim')
  const all = await arbees('replay', '--from-journal', journal, '--speed', 'max')
  expect(all.code).toBe(0)
  tape = all.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Envelope)
}, 150_000)
afterAll(async () => {
  for (const run of runs.splice(0)) {
    if (run.child.exitCode === null && run.child.signalCode === null) run.child.kill('SIGKILL')
    await run.ended
  }
  place.remove()
})

const of = (family: string) => tape.filter(({ source }) => source.endsWith(`.${family}`))
const at = (source: string, epoch: number, seq: number) =>
  tape.find((each) => each.source === source && each.epoch === epoch && each.seq === seq)

const isTyped = ({ signal_id: id }: Payload): boolean => id.startsWith('manual-')

/** Dollars as they stand on the wire, times 10^4, and contracts times 10^2. */
const scaled = (value: number, by: number): bigint => BigInt(Math.round(value * by))

/** The fee of a fill by the formula of both venues: rate x size x price x (1 - price), rounded up. */
function feeMicros(ratePpm: number, unit: number, price: number, size: number): number {
  const exact =
    BigInt(ratePpm) * scaled(size, 100) * scaled(price, 10_000) * (10_000n - scaled(price, 10_000))
  const step = BigInt(unit) * 10n ** 10n
  return Number(((exact + step - 1n) / step) * BigInt(unit))
}

/** Every number of an explanation, computed again from the journal. */
function check(explanation: Explanation): void {
  const { signal, inputs, game, edge, orders, totals, hops, missing } = explanation
  expect(missing).toEqual([])
  const published = of('signals').find(({ payload }) => payload.id === signal!.id)!
  expect(signal).toEqual({
    ...published.payload,
    ...{ source: published.source, epoch: published.epoch, seq: published.seq },
    ...{ published_ms: published.timestamp_ms, trace: published.trace },
  })
  for (const each of inputs) {
    const message = at(each.source, each.epoch, each.seq)!
    expect(each).toMatchObject({ payload: message.payload, published_ms: message.timestamp_ms })
    expect(each.is_trigger).toBe(published.trace === `${each.source}/${each.epoch}/${each.seq}`)
  }
  const states = of('games').filter(
    ({ payload, timestamp_ms: ms }) =>
      payload.game_id === published.payload.game_id && payload.markets && ms <= published.timestamp_ms,
  )
  const then = states.at(-1)!
  expect(game).toEqual({ ...then.payload, published_ms: then.timestamp_ms })

  let [cost, fees] = [0, 0]
  for (const [i, leg] of (published.payload.legs as Payload[]).entries()) {
    const books = (published.payload.inputs as Payload[])
      .filter(({ source }) => source === `${leg.venue}.orderbook`)
      .map(({ source, epoch, seq }) => at(source, epoch, seq)!.payload)
    const book = books.find(({ market_id }) => market_id === leg.market_id)
    const { fee } = then.payload.markets.find((each: Payload) => each.market_id === leg.market_id)
    const asks: [number, number][] =
      leg.outcome === 'yes'
        ? book.asks
        : book.bids.map(([price, size]: [number, number]) => [Number((1 - price).toFixed(4)), size])
    let left = published.payload.size as number
    const takes: { price: number; size: number }[] = []
    for (const [price, size] of asks) {
      if (left <= 0) break
      const taken = Number(Math.min(left, size).toFixed(2))
      takes.push({ price, size: taken })
      cost += Number(scaled(price, 10_000) * scaled(taken, 100))
      fees += feeMicros(fee.rate_ppm, fee.round_up_micros, price, taken)
      left = Number((left - taken).toFixed(2))
    }
    expect(edge!.legs[i]!.takes).toEqual(takes)
  }
  const { worst_payout_micros: payout } = published.payload
  expect(edge).toMatchObject({
    gross_edge_micros: payout - cost,
    fees_micros: fees,
    net_edge_micros: payout - cost - fees,
    agrees: true,
  })

  const mine = ({ payload }: Envelope) => payload.signal_id === signal!.id
  const events = of('orders').filter(mine)
  expect(orders.flatMap((order) => order.events)).toHaveLength(events.length)
  for (const order of orders) {
    const its = events.filter(({ payload }) => payload.order_id === order.order_id)
    // What a code means in words is told beside it.
    expect(order.events.map((event) => ({ ...event, because: undefined }))).toEqual(
      its.map(({ payload: { state, reason, checks, venue_order_id }, timestamp_ms: at_ms }) =>
        JSON.parse(JSON.stringify({ state, at_ms, reason, checks, venue_order_id })),
      ),
    )
    const trades = of('trades').filter(({ payload }) => payload.order_id === order.order_id)
    expect(order.trade).toEqual(trades.at(-1)?.payload ?? null)
  }
  const trades = orders.flatMap(({ trade }) => trade ?? [])
  expect(totals.cash_micros).toBe(trades.reduce((sum, trade) => sum + trade.cash_micros, 0))
  expect(totals.fees_micros).toBe(trades.reduce((sum, trade) => sum + trade.fees_micros, 0))
  for (const [leg, size] of totals.filled.entries()) {
    const its = trades.filter((trade) => trade.leg === leg)
    expect(size).toBeCloseTo(
      its.reduce((sum, trade) => sum + trade.filled_size, 0),
      6,
    )
  }
  if (totals.locked_micros !== null) {
    const least = Math.round(Math.min(...totals.filled) * 1e6)
    expect(totals.locked_micros).toBe(least - totals.cash_micros - totals.fees_micros)
  }

  const trigger = tape.find(({ source, epoch, seq }) => `${source}/${epoch}/${seq}` === published.trace)!
  const told = events.find(({ stamps }) => stamps['order'] !== undefined) ?? events[0]!
  expect(hops).toMatchObject({
    monitor_us: trigger.stamps['pub']! - trigger.stamps['recv']!,
    monitor_shard_us: published.stamps['shard_in']! - trigger.stamps['pub']!,
    decision_us: published.stamps['shard_out']! - published.stamps['shard_in']!,
    shard_exec_us: told.stamps['exec_in']! - published.stamps['shard_out']!,
    tick_to_order_us: told.stamps['order'] === undefined ? null : told.stamps['order'] - told.stamps['recv']!,
  })
}

describe('arbees explain, of a run', () => {
  it('explains ten trades, every number as the journal has it', async () => {
    const filled = of('trades').filter(({ payload }) => payload.filled_size > 0 && !isTyped(payload))
    const orders = [...new Set(filled.map(({ payload }) => payload.order_id as string))].slice(0, SAMPLE)
    expect(orders.length).toBe(SAMPLE)
    for (const id of orders) {
      const { explanation } = await explain(id)
      expect(['hedged', 'unhedged', 'open', 'unknown']).toContain(explanation.verdict)
      check(explanation)
    }
  })

  it('explains ten denied signals, every number as the journal has it', async () => {
    const denials = of('orders').filter(({ payload }) => payload.state === 'denied')
    const signals = [...new Set(denials.map(({ payload }) => payload.signal_id as string))].slice(-SAMPLE)
    expect(signals.length).toBe(SAMPLE)
    for (const id of signals) {
      const { explanation } = await explain(id)
      expect(explanation.verdict).toBe('denied')
      const denial = denials.find(({ payload }) => payload.signal_id === id)!
      expect(explanation.denied_for).toBe(denial.payload.reason)
      check(explanation)
    }
  })

  it('says the same out of Redis, while it runs', async () => {
    expect(redisAnswer.code).toBe(0)
    const { explanation } = JSON.parse(redisAnswer.out) as { explanation: Explanation }
    expect(explanation.from).toBe('redis')
    check(explanation)
  })

  it('explains orders by hand, through the same exec to the same simulator', async () => {
    expect(manual.map(({ result, filled }) => `${result} ${filled}`)).toEqual(['filled 2', 'filled 2'])
    for (const { order_id: id, signal_id, cash_micros, fees_micros, checks, plan } of manual) {
      const { explanation } = await explain(id!)
      expect(explanation).toMatchObject({
        ...{ verdict: 'filled', is_manual: true, signal: null, missing: [] },
        totals: { filled: [2], cash_micros, fees_micros, locked_micros: null },
        orders: [{ order_id: id, side: plan.side, size: 2, trade: { signal_id } }],
      })
      const told = explanation.orders[0]!.events.map((event) => event.state)
      expect(told).toEqual(['intent', 'sent', 'filled'])
      expect(explanation.orders[0]!.events[0]!.checks).toEqual(checks)
    }
    const [bought, sold] = manual
    expect(sold!.cash_micros).toBeGreaterThan(0)
    expect(bought!.fees_micros).toBeGreaterThan(0)
  })

  it('exits 5 for an id that nothing has, with one object', async () => {
    const { code, out } = await arbees('explain', 'nothing-has-this', '--from-journal', journal, '--json')
    expect(code).toBe(5)
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'UNKNOWN_ID' } })
  })
})

async function explain(id: string): Promise<{ explanation: Explanation }> {
  const { openJournalArchive } = await import('../../src/lib/operator/explain-archive.js')
  const { explain: ask } = await import('../../src/lib/operator/explain.js')
  const { loadSettings } = await import('../../src/lib/core/config.js')
  const { settings } = loadSettings({ flags: { env: 'sim' }, environment: {} })
  return { explanation: await ask([openJournalArchive(journal)], id, settings) }
}
