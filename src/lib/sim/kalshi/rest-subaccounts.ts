/** Kalshi's signed subaccount calls: opening one, moving money between two of them, and what each holds. */

import { formatScaled } from '../../model/price.js'
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.js'
import { reply, wholeParam } from '../http-host.js'
import type { KalshiAccount } from './account.js'
import { decodeBody, type BodyForm } from './decode.js'
import { exchangeError, isRefusal, kalshiError, queryError, type KalshiRefusal } from './errors.js'
import type { ExchangeState } from './exchange-state.js'
import { invalid } from './order-request.js'
import { limitTag, pageOf } from './paging.js'
import type { SignedRoutes } from './signed-routes.js'
import { SHARDS, type Subaccount } from './subaccount.js'

interface SubaccountRoutes {
  readonly clock: Clock
  readonly state: ExchangeState
  readonly usageTier: string
}

const PATH = '/portfolio/subaccounts'
const MICROS_PER_CENT = 10_000

const CREATION: BodyForm = {
  name: 'CreateSubaccountRequest',
  types: { exchange_index: 'int' },
  required: [],
}
const TRANSFER: BodyForm = {
  name: 'ApplySubaccountTransferRequest',
  types: {
    client_transfer_id: 'string',
    from_subaccount: 'int',
    to_subaccount: 'int',
    amount_cents: 'int64',
    exchange_index: 'int',
  },
  required: ['client_transfer_id', 'from_subaccount', 'to_subaccount', 'amount_cents'],
}

interface Transfer {
  readonly clientId: string
  readonly from: Subaccount
  readonly to: Subaccount
  readonly cents: number
  readonly exchangeIndex: number
}

export function addSubaccountRoutes(
  { add, refuse }: SignedRoutes,
  { clock, state, usageTier }: SubaccountRoutes,
): void {
  /** Each account's, newest first. */
  const done = new Map<KalshiAccount, { readonly clientId: string; readonly shape: unknown }[]>()

  add('POST', PATH, async (c, { account }) => {
    const body = decodeBody((await c.req.text()) || '{}', CREATION)
    if (isRefusal(body)) return refuse(body)
    if (shardOf(body['exchange_index']) === undefined) return refuse(invalid('exchange_index'))
    // No source tells the codes of these two refusals.
    if (usageTier === 'basic') return refuse(kalshiError(400, 'bad_request', 'from the Advanced tier on'))
    const opened = account.openSubaccount()
    if (opened === undefined) return refuse(kalshiError(400, 'bad_request', 'no more than 63'))
    return reply(201, { subaccount_number: opened.number })
  })
  add('POST', `${PATH}/transfer`, async (c, { account }) => {
    const transfer = parseTransfer(await c.req.text(), account)
    if (isRefusal(transfer)) return refuse(transfer)
    const { clientId, from, to, cents, exchangeIndex } = transfer
    const transfers = done.get(account) ?? []
    if (transfers.some((each) => each.clientId === clientId)) return reply(200, {})
    const paused = state.refuseChange(exchangeIndex)
    if (paused !== undefined) return refuse(paused)
    const micros = cents * MICROS_PER_CENT
    if (micros > from.freeMicros(exchangeIndex)) return refuse(exchangeError(400, 'insufficient_balance'))
    from.move(exchangeIndex, -micros)
    to.move(exchangeIndex, micros)
    const shape = {
      transfer_id: randomUUID(),
      from_subaccount: from.number,
      to_subaccount: to.number,
      amount_cents: cents,
      created_ts: Math.floor(clock.nowMs() / 1000),
      exchange_index: exchangeIndex,
    }
    done.set(account, [{ clientId, shape }, ...transfers])
    return reply(200, {})
  })
  add('GET', `${PATH}/transfers`, (c, { account }) => {
    const { limit: asked, cursor } = c.req.query()
    const limit = wholeParam(asked, 100, 1, 1000)
    if (limit === undefined) return refuse(queryError('GetSubaccountTransfers', 'Limit', limitTag(asked)))
    const page = pageOf(done.get(account) ?? [], limit, cursor)
    return reply(200, { cursor: page.cursor, transfers: page.items.map(({ shape }) => shape) })
  })
  add('GET', `${PATH}/balances`, (_, { account }) =>
    reply(200, {
      subaccount_balances: account.subaccounts.flatMap((each) =>
        each.balances().map(({ exchangeIndex, micros }) => ({
          subaccount_number: each.number,
          exchange_index: exchangeIndex,
          balance: formatScaled(Math.floor(micros / 100), 4),
          updated_ts: Math.floor(clock.nowMs() / 1000),
        })),
      ),
    }),
  )
}

function parseTransfer(text: string, { subaccounts }: KalshiAccount): Transfer | KalshiRefusal {
  const body = decodeBody(text, TRANSFER)
  if (isRefusal(body)) return body
  const [from, to] = ['from_subaccount', 'to_subaccount'].map((field) => subaccounts[Number(body[field])])
  const exchangeIndex = shardOf(body['exchange_index'])
  const cents = Number(body['amount_cents'])
  if (from === undefined) return invalid('from_subaccount')
  if (to === undefined) return invalid('to_subaccount')
  if (exchangeIndex === undefined) return invalid('exchange_index')
  if (cents <= 0) return invalid('amount_cents')
  return { clientId: String(body['client_transfer_id']), from, to, cents, exchangeIndex }
}

/** Shard 0 when none is named. */
const shardOf = (named: unknown): number | undefined => SHARDS.find((shard) => shard === (named ?? 0))
