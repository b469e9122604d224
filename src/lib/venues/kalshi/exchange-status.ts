/**
 * Whether the exchange trades, shard by shard: by `GET /exchange/status`, and by what it refuses orders with in between.
 * A pause ends when a read that began after it says so. Pure; times are our monotonic clock's, ms.
 */

import { evictOldest } from '../../core/evict-oldest.js'
import { integerOf, isJsonObject, type JsonObject } from './wire.js'

/** A refusal stands at least so long, whatever the status says: it may be a pause that the status does not show. */
const REFUSAL_MS = 5_000
/** A market that refused as closed is not tried for so long: its feed and its game say the rest. */
const CLOSED_MS = 30_000
const MAX_CLOSED = 1_000
/** What a market of no known shard stands under. */
const ANY = -1

const PAUSES: ReadonlySet<string> = new Set(['trading_is_paused', 'exchange_is_paused'])

export class ExchangeStatus {
  /** Shards of which the last read said that they do not trade. */
  private paused: ReadonlySet<number> = new Set()
  /** Shards that refused, and when. */
  private readonly refusals = new Map<number, number>()
  private readonly closed = new Map<string, number>()

  /** An order was refused. True when that says something about the exchange: read its status then. */
  refused(
    code: string,
    { shard, marketId }: { readonly shard: number | undefined; readonly marketId: string },
    nowMs: number,
  ): boolean {
    if (code === 'market_closed') {
      this.closed.set(marketId, nowMs)
      evictOldest(this.closed, MAX_CLOSED)
    } else if (PAUSES.has(code)) this.refusals.set(shard ?? ANY, nowMs)
    else return false
    return true
  }

  /** The answer to a read that was sent at `begunMs`; false when it is not as documented, and then nothing changes. */
  learn(body: JsonObject, begunMs: number): boolean {
    const paused = readPaused(body)
    if (paused === undefined) return false
    this.paused = paused
    for (const [shard, atMs] of this.refusals) {
      if (begunMs - atMs >= REFUSAL_MS) this.refusals.delete(shard)
    }
    return true
  }

  isPaused(shard: number | undefined): boolean {
    const has = (of: { has(shard: number): boolean }) => of.has(ANY) || (shard !== undefined && of.has(shard))
    return has(this.paused) || has(this.refusals)
  }

  isClosed(marketId: string, nowMs: number): boolean {
    const atMs = this.closed.get(marketId)
    return atMs !== undefined && nowMs - atMs < CLOSED_MS
  }

  /** Something stands against trading somewhere. */
  get isHeld(): boolean {
    return this.paused.size > 0 || this.refusals.size > 0
  }
}

/** The flags at the top are shard 0's, or everybody's where the shards are not listed. */
function readPaused(body: JsonObject): ReadonlySet<number> | undefined {
  const top = isTrading(body)
  if (top === undefined) return undefined
  const list = body['exchange_index_statuses']
  const paused = new Set<number>()
  if (!Array.isArray(list) || list.length === 0) return top ? paused : paused.add(ANY)
  for (const item of list as readonly unknown[]) {
    if (!isJsonObject(item)) return undefined
    const [shard, trades] = [integerOf(item['exchange_index']), isTrading(item)]
    if (shard === undefined || trades === undefined) return undefined
    if (!trades) paused.add(shard)
  }
  return top ? paused : paused.add(0)
}

function isTrading(flags: JsonObject): boolean | undefined {
  const { exchange_active: exchange, trading_active: trading } = flags
  return typeof exchange === 'boolean' && typeof trading === 'boolean' ? exchange && trading : undefined
}
