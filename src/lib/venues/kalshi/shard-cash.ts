/**
 * The account's money by exchange shard: what the venue last told, less what our own orders may have taken since. The
 * venue moves no money between shards by itself, so each market is paid for from its own. Pure.
 */

import { parseScaled } from '../../model/price.js'
import { integerOf, isJsonObject, type JsonObject } from './wire.js'

interface Hold {
  readonly shard: number | undefined
  readonly micros: number
  /** The last read begun when its outcome became known; a later one has it in. Undefined while it is open. */
  settledAt: number | undefined
}

/** A read of the balance that is under way. */
export interface CashRead {
  readonly number: number
  readonly begunMs: number
}

export class ShardCash {
  private totalMicros = 0
  private shards: ReadonlyMap<number, number> | undefined
  private learned: CashRead | undefined
  private reads = 0
  private readonly holds = new Map<string, Hold>()

  /** Call when a read is sent; give what it returns to `learn`. Our monotonic clock, ms. */
  beginRead(nowMs: number): CashRead {
    return { number: ++this.reads, begunMs: nowMs }
  }

  /** `GET /portfolio/balance`; false when it is not as documented, and then nothing changes. */
  learn(body: JsonObject, read: CashRead): boolean {
    const balance = readBalance(body)
    if (balance === undefined) return false
    if (read.number < (this.learned?.number ?? 0)) return true
    this.totalMicros = balance.totalMicros
    this.shards = balance.shards
    this.learned = read
    for (const [orderId, { settledAt }] of this.holds) {
      if (settledAt !== undefined && settledAt < read.number) this.holds.delete(orderId)
    }
    return true
  }

  /** Shards that the account has money on, as last told. */
  get known(): readonly number[] {
    return [...(this.shards?.keys() ?? [])]
  }

  /** How old what we know is, ms; undefined before anything is known. */
  ageMs(nowMs: number): number | undefined {
    return this.learned === undefined ? undefined : nowMs - this.learned.begunMs
  }

  /** An order may take so much from now on. */
  hold(orderId: string, shard: number | undefined, micros: number): void {
    this.holds.set(orderId, { shard, micros, settledAt: undefined })
  }

  /** Its outcome is known: the next read has it in. */
  settle(orderId: string): void {
    const hold = this.holds.get(orderId)
    if (hold !== undefined) hold.settledAt ??= this.reads
  }

  /** Nothing of it was spent, and nothing will be: what was told already has it. */
  release(orderId: string): void {
    this.holds.delete(orderId)
  }

  /** What is free on a shard, micro-dollars; of a market whose shard is not known, on the account. */
  freeMicros(shard: number | undefined): number {
    const told =
      shard === undefined || this.shards === undefined ? this.totalMicros : (this.shards.get(shard) ?? 0)
    let heldMicros = 0
    for (const hold of this.holds.values()) {
      const isApart = shard !== undefined && hold.shard !== undefined && hold.shard !== shard
      if (!isApart) heldMicros += hold.micros
    }
    return told - heldMicros
  }
}

interface Balance {
  readonly totalMicros: number
  /** Undefined where the venue does not say. */
  readonly shards: ReadonlyMap<number, number> | undefined
}

function readBalance(body: JsonObject): Balance | undefined {
  const cents = integerOf(body['balance'], Number.MIN_SAFE_INTEGER)
  const totalMicros = dollars(body['balance_dollars']) ?? (cents === undefined ? undefined : cents * 10_000)
  if (totalMicros === undefined) return undefined
  const list = body['balance_breakdown']
  if (list === undefined) return { totalMicros, shards: undefined }
  if (!Array.isArray(list)) return undefined
  const shards = new Map<number, number>()
  for (const item of list as readonly unknown[]) {
    if (!isJsonObject(item)) return undefined
    const [shard, micros] = [integerOf(item['exchange_index']), dollars(item['balance'])]
    if (shard === undefined || micros === undefined) return undefined
    shards.set(shard, micros)
  }
  return { totalMicros, shards }
}

const dollars = (value: unknown): number | undefined =>
  typeof value === 'string' ? parseScaled(value, 6) : undefined
