/**
 * The venue's own brake. The first order of each leg carries its shard's group: when more contracts than the group's
 * limit match within a rolling 15 s, the venue refuses what carries it until the group is reset. Further attempts at a leg
 * carry none, so that an open plan can be completed. A group does not span shards.
 */

import { sanitize } from '../../core/sanitize.js'
import type { RatedRest } from './rated-rest.js'
import type { RestResult } from './rest-result.js'
import { textOf } from './wire.js'

export interface OrderGroupsOptions {
  readonly rest: RatedRest
  /** Contracts in 15 s. */
  readonly contractsLimit: number
  readonly subaccount: number
  /** Without a group no order is let through; else a venue that offers none is told of once. */
  readonly isRequired: boolean
  readonly onNotice: (level: 'info' | 'warn', text: string) => void
  /** A group has triggered: the words say which. */
  readonly onTriggered: (reason: string) => void
}

interface Group {
  /** Undefined while there is none. */
  readonly id: string | undefined
  readonly state: 'armed' | 'triggered' | 'not_offered'
}

interface Match {
  readonly atMs: number
  readonly filledE6: number
}

/** The venue's. */
const WINDOW_MS = 15_000
const PATH = '/portfolio/order_groups'
const ROUTE = `${PATH}/:`
const NOT_FOUND = /not[ _]found/i
/** Words of a refusal that an order's group is the reason of. */
export const namesGroup = (words: string): boolean => /order[ _]group/i.test(words)

/** The venue, or this account, has no groups at all. */
const NOT_OFFERED: ReadonlySet<number> = new Set([403, 404, 410])

export class OrderGroups {
  private readonly groups = new Map<number, Group>()
  /** What has matched of orders that carried a shard's group. */
  private readonly matches = new Map<number, readonly Match[]>()
  /** Shards where that was more than the limit; whether the venue saw it so too, only it can say. */
  private readonly exceeded = new Set<number>()
  /** Creations that are under way. */
  private readonly creating = new Set<number>()
  private hasTold = false

  constructor(private readonly options: OrderGroupsOptions) {}

  /** What an order on this shard carries; undefined where there is no group. */
  idOf(shard: number | undefined): string | undefined {
    return shard === undefined ? undefined : this.groups.get(shard)?.id
  }

  /**
   * May an order on this shard be sent as things stand? One of a market without a shard goes where the venue puts it, so
   * it carries no group, and waits while any has fallen.
   */
  lets(shard: number | undefined): boolean {
    if (shard === undefined) return [...this.groups.values()].every(({ state }) => state !== 'triggered')
    const group = this.groups.get(shard)
    if (group?.state === 'triggered') return false
    return group?.state === 'armed' || !this.options.isRequired
  }

  /** Puts a group on each of these shards that has none. What fails is tried again at the next call. */
  async arm(shards: readonly number[]): Promise<void> {
    await Promise.all(shards.map((shard) => this.armOne(shard)))
  }

  /** An `order_group_updates` message. */
  onUpdate(groupId: string, event: string): void {
    const found = [...this.groups].find(([, { id }]) => id === groupId)
    if (found === undefined) return
    const [shard] = found
    if (event === 'triggered') this.trigger(shard, groupId)
    else if (event === 'reset') this.arms(shard, groupId)
    else if (event === 'deleted') this.groups.delete(shard)
  }

  /**
   * An order on this shard was refused: words that name the group say that it has triggered, wherever they stand. What
   * is not found may be the group itself, removed by somebody: another is put on.
   */
  onRefusal(words: string, shard: number | undefined): void {
    const id = this.idOf(shard)
    if (shard === undefined || id === undefined) return
    if (NOT_FOUND.test(words)) this.checkOne(shard, id).catch(() => undefined)
    else if (namesGroup(words)) this.trigger(shard, id)
  }

  /** An order that carried its shard's group has filled, contracts x 10^6; our monotonic clock, ms. */
  onFilled(shard: number | undefined, filledE6: number, nowMs: number): void {
    if (shard === undefined || this.idOf(shard) === undefined) return
    const recent = (this.matches.get(shard) ?? []).filter(({ atMs }) => nowMs - atMs < WINDOW_MS)
    const matches = [...recent, { atMs: nowMs, filledE6 }]
    this.matches.set(shard, matches)
    const sumE6 = matches.reduce((sum, match) => sum + match.filledE6, 0)
    if (sumE6 > this.options.contractsLimit * 1e6) this.exceeded.add(shard)
  }

  /**
   * After a time in which something may have been told: is each still there? The venue does not show whether one has
   * triggered, so what has matched by our own reckoning decides.
   */
  async check(): Promise<void> {
    await Promise.all(
      [...this.groups].map(async ([shard, { id }]) => {
        if (id === undefined) return
        if (this.exceeded.has(shard)) this.trigger(shard, id)
        await this.checkOne(shard, id)
      }),
    )
  }

  /** Resets what has triggered. Until the venue has said yes nothing is let through. */
  async reset(): Promise<void> {
    const { rest, subaccount, onNotice } = this.options
    for (const [shard, { id, state }] of this.groups) {
      if (id === undefined || state !== 'triggered') continue
      const query = queryOf(shard, subaccount)
      const result = await rest.put(`${PATH}/${encodeURIComponent(id)}/reset`, { query }, `${ROUTE}/reset`)
      if (result.kind === 'ok') this.arms(shard, id)
      // Somebody has removed it: the next look puts a new one on.
      else if (isGone(result)) this.groups.delete(shard)
      const shown = result.kind === 'ok' ? 'is reset' : `is not reset: ${wordsOf(result)}`
      onNotice(result.kind === 'ok' ? 'info' : 'warn', `Kalshi order group of shard ${shard} ${shown}`)
    }
  }

  /** Takes the groups off again; one that stays behind does no harm but to a list. */
  async remove(): Promise<void> {
    const { rest, subaccount } = this.options
    const own = [...this.groups]
    this.groups.clear()
    await Promise.all(
      own.map(async ([shard, { id }]) => {
        if (id === undefined) return
        await rest.delete(`${PATH}/${encodeURIComponent(id)}`, { query: queryOf(shard, subaccount) }, ROUTE)
      }),
    )
  }

  private arms(shard: number, id: string): void {
    this.groups.set(shard, { id, state: 'armed' })
    this.matches.delete(shard)
    this.exceeded.delete(shard)
  }

  private trigger(shard: number, id: string): void {
    if (this.groups.get(shard)?.state === 'triggered') return
    this.groups.set(shard, { id, state: 'triggered' })
    const { contractsLimit, onTriggered } = this.options
    onTriggered(
      `Kalshi's order group of shard ${shard} has triggered: more than ${contractsLimit} contracts matched in 15 s`,
    )
  }

  private async checkOne(shard: number, id: string): Promise<void> {
    const { rest, subaccount } = this.options
    const query = queryOf(shard, subaccount)
    const result = await rest.get(`${PATH}/${encodeURIComponent(id)}`, { query }, ROUTE)
    if (!isGone(result) || this.groups.get(shard)?.id !== id) return
    this.options.onNotice('warn', `the Kalshi order group of shard ${shard} is gone: another is put on`)
    this.groups.delete(shard)
    await this.armOne(shard)
  }

  private async armOne(shard: number): Promise<void> {
    if (this.groups.has(shard) || this.creating.has(shard)) return
    this.creating.add(shard)
    const { rest, contractsLimit, subaccount } = this.options
    const result = await rest.post(`${PATH}/create`, {
      contracts_limit: contractsLimit,
      exchange_index: shard,
      ...(subaccount === 0 ? {} : { subaccount }),
    })
    this.creating.delete(shard)
    const id = result.kind === 'ok' ? textOf(result.body['order_group_id']) : undefined
    if (id !== undefined) {
      this.arms(shard, id)
      return
    }
    // Where orders may go without, that is that; where not, the venue is asked again: it may be a pause of its own.
    const isOffered = result.kind !== 'refused' || !result.error.isVenues || !NOT_OFFERED.has(result.status)
    if (!isOffered && !this.options.isRequired)
      this.groups.set(shard, { id: undefined, state: 'not_offered' })
    this.tell(shard, result)
  }

  private tell(shard: number, result: RestResult): void {
    if (this.hasTold) return
    this.hasTold = true
    const { isRequired, onNotice } = this.options
    const then = isRequired ? 'no order is sent there' : 'orders go without this second brake'
    onNotice('warn', `no Kalshi order group on shard ${shard}: ${wordsOf(result)}; ${then}`)
  }
}

const queryOf = (shard: number, subaccount: number): Readonly<Record<string, string>> => ({
  exchange_index: String(shard),
  ...(subaccount === 0 ? {} : { subaccount: String(subaccount) }),
})

const isGone = (result: RestResult): boolean => result.kind === 'refused' && result.status === 404

function wordsOf(result: RestResult): string {
  if (result.kind === 'ok') return 'the reply names no group'
  if (result.kind === 'failed') return `${result.reason} (${result.detail})`
  return sanitize(`HTTP ${result.status} ${result.error.code}`, 100)
}
