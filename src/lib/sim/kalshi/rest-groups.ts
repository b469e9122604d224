/** Kalshi's signed order group calls. A call that names another shard than the group's does not find it. */

import type { Context } from 'hono'
import { formatScaled, parseScaled } from '../../model/price.js'
import { reply } from '../http-host.js'
import type { KalshiAccount } from './account.js'
import { decodeBody, type BodyForm } from './decode.js'
import { isRefusal, missingParameters, notFound } from './errors.js'
import type { GroupEvent, OrderDesk } from './order-desk.js'
import { resetGroup, type OrderGroup } from './order-groups.js'
import { invalid } from './order-request.js'
import type { Caller, SignedRoutes } from './signed-routes.js'
import { SHARDS, type Subaccount } from './subaccount.js'

const PATH = '/portfolio/order_groups'

const limits = { contracts_limit: 'int64', contracts_limit_fp: 'string' } as const
const LIMIT: BodyForm = { name: 'UpdateOrderGroupLimitRequest', types: limits, required: [] }
const CREATION: BodyForm = {
  name: 'CreateOrderGroupRequest',
  types: { ...limits, exchange_index: 'int', subaccount: 'int' },
  required: [],
}

interface GroupRoutes {
  readonly desk: OrderDesk
}

export function addGroupRoutes({ add, refuse }: SignedRoutes, { desk }: GroupRoutes): void {
  add('POST', `${PATH}/create`, async (c, { account }) => {
    const body = decodeBody(await c.req.text(), CREATION)
    if (isRefusal(body)) return refuse(body)
    const limitE2 = limitOf(body)
    if (limitE2 === undefined) return refuse(missingParameters)
    const { exchange_index: exchangeIndex = 0, subaccount: number = 0 } = body
    const shard = SHARDS.find((known) => known === exchangeIndex)
    if (limitE2 === 'invalid') return refuse(invalid('contracts_limit'))
    if (shard === undefined) return refuse(invalid('exchange_index'))
    const subaccount = account.subaccounts.find((each) => each.number === number)?.number
    if (subaccount === undefined) return refuse(invalid('subaccount'))
    const group = account.groups.create({ exchangeIndex: shard, subaccount }, limitE2)
    desk.tellGroup(account, 'created', group)
    return reply(201, { order_group_id: group.id, subaccount, exchange_index: shard })
  })
  add('GET', PATH, (_, { account, subaccount }) => {
    const groups = account.groups.list().filter((group) => isOf(subaccount, group))
    return reply(200, { order_groups: groups.map((group) => ({ id: group.id, ...groupFields(group) })) })
  })
  add('GET', `${PATH}/:order_group_id`, (c, { account, subaccount }) => {
    const group = account.groups.get(c.req.param('order_group_id') ?? '')
    if (group === undefined || !isOf(subaccount, group)) return refuse(notFound)
    const orders = account.orders.filter(({ groupId }) => groupId === group.id)
    return reply(200, { ...groupFields(group), orders: orders.map(({ orderId }) => orderId) })
  })
  add('DELETE', `${PATH}/:order_group_id`, (c, caller) => {
    const group = findGroup(c, caller)
    if (group === undefined) return refuse(notFound)
    desk.cancelGroup(caller.account, group)
    caller.account.groups.delete(group.id)
    desk.tellGroup(caller.account, 'deleted', group)
    return reply(200, {})
  })
  const change = (
    word: string,
    event: GroupEvent | undefined,
    act: (account: KalshiAccount, group: OrderGroup) => void,
  ): void =>
    add('PUT', `${PATH}/:order_group_id/${word}`, (c, caller) => {
      const group = findGroup(c, caller)
      if (group === undefined) return refuse(notFound)
      act(caller.account, group)
      if (event !== undefined) desk.tellGroup(caller.account, event, group)
      return reply(200, {})
    })
  change('reset', 'reset', (_, group) => resetGroup(group))
  change('trigger', undefined, (account, group) => desk.trigger(account, group))
  add('PUT', `${PATH}/:order_group_id/limit`, async (c, caller) => {
    const group = findGroup(c, caller)
    if (group === undefined) return refuse(notFound)
    const body = decodeBody(await c.req.text(), LIMIT)
    if (isRefusal(body)) return refuse(body)
    const limitE2 = limitOf(body)
    if (limitE2 === undefined) return refuse(missingParameters)
    if (limitE2 === 'invalid') return refuse(invalid('contracts_limit'))
    group.limitE2 = limitE2
    desk.tellGroup(caller.account, 'limit_updated', group)
    desk.checkGroup(caller.account, group)
    return reply(200, {})
  })
}

/** Reads list the groups of every subaccount when they name none. */
const isOf = (subaccount: Subaccount | undefined, group: OrderGroup): boolean =>
  subaccount === undefined || group.subaccount === subaccount.number

/** The group that a change names, on its shard and of its subaccount: 0 and the primary one when the call does not say. */
function findGroup(c: Context, { account, subaccount }: Caller): OrderGroup | undefined {
  const group = account.groups.get(c.req.param('order_group_id') ?? '')
  const isThere = group?.exchangeIndex === Number(c.req.query('exchange_index') ?? 0)
  return isThere && group.subaccount === (subaccount?.number ?? 0) ? group : undefined
}

const groupFields = ({ limitE2, exchangeIndex }: OrderGroup) => ({
  contracts_limit_fp: formatScaled(limitE2, 2),
  exchange_index: exchangeIndex,
  is_auto_cancel_enabled: true,
})

/** Whole contracts, as a number or as a text; undefined when neither is there. */
function limitOf(body: Readonly<Record<string, unknown>>): number | undefined | 'invalid' {
  const { contracts_limit: whole, contracts_limit_fp: text } = body
  const limits: (number | undefined)[] = []
  if (whole !== undefined) limits.push(typeof whole === 'number' ? whole * 100 : undefined)
  if (text !== undefined) limits.push(typeof text === 'string' ? parseScaled(text, 2) : undefined)
  const [limitE2] = limits
  if (limits.length === 0) return undefined
  const isValid = limitE2 !== undefined && limitE2 > 0 && limitE2 % 100 === 0
  return isValid && limits.every((each) => each === limitE2) ? limitE2 : 'invalid'
}
