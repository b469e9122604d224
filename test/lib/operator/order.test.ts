import { afterEach, describe, expect, it } from 'vitest'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { codeOf } from '../../../src/lib/core/errors.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { ManualAnswer, ManualOrder } from '../../../src/lib/model/manual-order.js'
import { confirmationOf } from '../../../src/lib/operator/order-confirm.js'
import { checkTyped } from '../../../src/lib/operator/order-plan.js'
import type { OrderPlan } from '../../../src/lib/operator/order-plan.js'
import { renderOrder, renderPlan } from '../../../src/lib/operator/order-view.js'
import { openOrderDesk } from '../../../src/lib/operator/order.js'

const TYPED = { venue: 'kalshi', market_id: 'M', outcome: 'yes', side: 'buy', limit: 0.57, size: 10 } as const
const PLAN: OrderPlan = {
  ...TYPED,
  ...{ env: 'demo', mode: 'paper', title: null, quote: null, cash_micros: 5_700_000, fee_micros: null },
}
const thrown = (run: () => unknown): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const TOLD = { env: 'demo', mode: 'paper', signal_id: 's', order_id: 'o', checks: [], filled: 0 } as const
const told = (more: object) => ({ ...TOLD, state: 'sent', over: false, ...more }) as ManualAnswer
const refused = (code: string) => ({ env: 'demo', mode: 'paper', refused: code }) as ManualAnswer

/** What comes of an order where exec gives these answers, the last again and again; undefined: it says nothing. */
async function ordered(answers: readonly (ManualAnswer | undefined)[], timeoutMs = 100) {
  const asked: ManualOrder[] = []
  const publisher = await Publisher.bind({
    ...{ name: 'exec', url: 'tcp://127.0.0.1:*', recoveryUrl: 'tcp://127.0.0.1:*', env: 'demo' },
    ...{ clock: systemClock, sources: ['exec.orders'] },
    exec: {
      onHalt: ({ level }) => ({ level }),
      onOrder: (order) => {
        asked.push(order)
        const answer = answers[Math.min(asked.length, answers.length) - 1]
        // What is no answer at all the client passes over.
        return answer ?? ({ env: 'nowhere' } as unknown as ManualAnswer)
      },
    },
  })
  cleanups.push(() => publisher.close())
  const { settings } = loadSettings({
    flags: { env: 'demo', 'endpoints.exec': publisher.url, 'recovery.exec': publisher.recoveryUrl },
    environment: {},
  })
  const desk = openOrderDesk(settings, systemClock)
  cleanups.push(() => desk.close())
  const { result, reason, hint, filled, cash_micros } = await desk.send(PLAN, timeoutMs, () => undefined)
  expect(new Set(asked.map(({ order_id: id, asked_us: us }) => `${id} ${us}`)).size).toBe(1)
  return { result, reason, hint, filled, cash_micros, asked: asked.length }
}

describe('what comes of a manual order', () => {
  const filled = { state: 'filled', filled: 10, cash_micros: 5_600_000, fees_micros: 1, over: true }
  it.each<[string, readonly (ManualAnswer | undefined)[], object]>([
    ['an outcome', [told({}), told(filled)], { result: 'filled', cash_micros: 5_600_000, asked: 2 }],
    ['a part of it', [told({ ...filled, state: 'partial', filled: 3 })], { result: 'partial', filled: 3 }],
    ['nothing', [told({ state: 'none', over: true })], { result: 'nothing', hint: null, asked: 1 }],
    [
      'a denial',
      [told({ state: 'denied', reason: 'HALTED', over: true })],
      { result: 'denied', reason: 'HALTED' },
    ],
    ['an expiry', [told({ state: 'stale', reason: 'EXPIRED', over: true })], { result: 'expired' }],
    ['the venue’s no', [told({ state: 'rejected', reason: 'x: y', over: true })], { result: 'rejected' }],
    [
      'a fill without its money',
      [told({ state: 'filled', filled: 10 })],
      { result: 'filled', cash_micros: null },
    ],
    ['no outcome in time', [told({})], { result: 'open' }],
    ['an unknown one', [told({ state: 'unknown', reason: 'cut' })], { result: 'unknown', reason: 'cut' }],
    ['a fill taken back', [told({ state: 'voided', filled: 10, over: true })], { result: 'voided' }],
    ['another exec', [refused('OTHER_EXEC')], { result: 'refused', reason: 'OTHER_EXEC', asked: 1 }],
    ['an exec that becomes ready', [refused('NOT_READY'), told(filled)], { result: 'filled' }],
    ['a ledger that fails on the way', [told({}), refused('LEDGER_FAILED')], { result: 'open' }],
  ])('is %s', async (_name, answers, expected) => {
    expect(await ordered(answers)).toMatchObject(expected)
  })

  it('is unknown, never nothing, once exec left a request unanswered', async () => {
    const [silent, broken] = await Promise.all([
      ordered([undefined], 100),
      ordered([undefined, refused('LEDGER_FAILED')], 2_000),
    ])
    expect(silent).toMatchObject({ result: 'unknown', reason: 'exec did not answer' })
    expect(silent.hint).toContain('arbees explain manual-')
    expect(broken).toMatchObject({ result: 'unknown', reason: 'LEDGER_FAILED' })
  })
})

describe('a typed order', () => {
  it.each([
    [{ limit: 0 }, 'BAD_LIMIT'],
    [{ limit: 1 }, 'BAD_LIMIT'],
    [{ limit: 0.57001 }, 'BAD_LIMIT'],
    [{ limit: -0.1 }, 'BAD_LIMIT'],
    [{ size: 0 }, 'BAD_SIZE'],
    [{ size: 0.001 }, 'BAD_SIZE'],
    [{ market_id: '' }, 'BAD_MARKET'],
    [{ market_id: 'a b' }, 'BAD_MARKET'],
    [{ market_id: '\u001b[2J' }, 'BAD_MARKET'],
    [{}, undefined],
  ])('of %j is %s', (more, code) => {
    expect(thrown(() => checkTyped({ ...TYPED, ...more }))).toBe(code)
  })
})

describe('the confirmation of an order', () => {
  const ask = (more: Partial<OrderPlan>, yes: boolean, isTerminal: boolean) => {
    try {
      return confirmationOf({ ...PLAN, ...more }, { yes, isTerminal })?.word
    } catch (error) {
      return codeOf(error)
    }
  }
  it.each([
    // on a terminal, with --yes there, without a terminal, with --yes there
    ['the simulator', { env: 'sim', mode: 'live' }, ['yes', undefined, 'NOT_CONFIRMED', undefined]],
    ['paper on prod', { env: 'prod', mode: 'paper' }, ['yes', undefined, 'NOT_CONFIRMED', undefined]],
    ['real money', { env: 'prod', mode: 'live' }, ['M', 'M', 'NOT_CONFIRMED', 'NOT_CONFIRMED']],
    ['demo money', { env: 'demo', mode: 'live' }, ['M', 'M', 'NOT_CONFIRMED', 'NOT_CONFIRMED']],
  ] as const)('of %s', (_name, plan, expected) => {
    expect([
      ask(plan, false, true),
      ask(plan, true, true),
      ask(plan, false, false),
      ask(plan, true, false),
    ]).toEqual(expected)
  })
})

describe('an order on a terminal', () => {
  it('says what may be paid, and that it is real money where it is', () => {
    const paper = renderPlan({ ...PLAN, quote: { bid: 0.55, ask: 0.5725, state: 'STALE' } }, { color: false })
    expect(paper).toContain('buy 10 yes @ 0.57  kalshi M')
    expect(paper).toContain('yes bid 0.55 ask 0.5725 (STALE)')
    expect(paper).toContain('pays $5.70 at most')
    expect(paper).toContain('paper on demo data')
    expect(renderPlan({ ...PLAN, env: 'prod', mode: 'live' }, { color: false })).toContain(
      'LIVE on prod: real money',
    )
    expect(renderPlan({ ...PLAN, side: 'sell' }, { color: false })).toContain('gets $5.70 at least')
  })

  it('says what was paid for each contract', () => {
    const report = {
      plan: PLAN,
      result: 'partial',
      order_id: 'o',
      signal_id: 's',
      reason: null,
      checks: [],
    } as const
    const money = { filled: 4, cash_micros: 2_200_000, fees_micros: 70_000, ms: 380, hint: null }
    expect(renderOrder({ ...report, ...money }, { width: 80, color: false })).toBe(
      'bought 4 of 10 yes at 0.55, paid $2.20, fees $0.07 (0.38 s)\norder o',
    )
  })
})
