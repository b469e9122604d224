/** The mirror's two calls to Redis: read a channel's checkpoint, write a batch past it. */

import { NOWHERE } from '../bus/position.js'
import type { Checkpoint, Position } from '../bus/position.js'
import { ArbeesError } from '../core/errors.js'
import type { Env } from '../model/venue.js'
import type { RedisClient } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import { redisKeys } from '../redis/keys.js'
import { LuaScript } from '../redis/lua.js'
import type { Item } from './item.js'
import type { WriteOutcome } from './mirror-core.js'
import { MIRROR_SCRIPT } from './mirror-script.js'
import { KeyList, packItems } from './packed-items.js'

/** How a call ended: `mirror-script.ts` says what each means. */
const STATUSES = ['OK', 'ERROR', 'BEHIND', 'MOVED', 'EPOCH_REGRESSED', 'BROKEN_BATCH'] as const

export interface WriteResult extends WriteOutcome {
  /** Of ERROR: Redis's own words. */
  readonly message: string
}

export interface BatchWriterOptions {
  readonly redis: RedisClient
  readonly env: Env
  readonly source: string
  /** Entries kept in the streams of this channel, about. */
  readonly maxLength: number
}

export class BatchWriter {
  private readonly script = new LuaScript(MIRROR_SCRIPT)
  private readonly checkpointKey: string
  private readonly gapsKey: string

  constructor(private readonly options: BatchWriterOptions) {
    const keys = redisKeys(options.env)
    this.checkpointKey = keys.checkpoint(options.source)
    this.gapsKey = keys.gaps()
  }

  /** What Redis holds. Throws `BAD_CHECKPOINT` and what ioredis throws. */
  async readCheckpoint(): Promise<Checkpoint> {
    const [epoch, seq, closed] = await this.options.redis.hmget(this.checkpointKey, 'epoch', 'seq', 'closed')
    if (epoch == null && seq == null) return NOWHERE
    return checkpointFrom(epoch, seq, closed === '1')
  }

  /** Writes every item after `base`, which is what Redis was last seen to hold. Throws what ioredis throws. */
  async write(base: Position, items: readonly Item[]): Promise<WriteResult> {
    const { redis, source, maxLength } = this.options
    const keys = new KeyList(this.checkpointKey, this.gapsKey)
    const steps = packItems(items, keys)
    const args = [source, String(base.epoch), String(base.seq), String(maxLength), steps]
    return readReply(await this.script.run(redis, keys.all, args))
  }
}

function readReply(reply: unknown): WriteResult {
  const fields: readonly unknown[] = Array.isArray(reply) ? reply : []
  const [word, epoch, seq, closed, written, gaps, message] = fields
  const status = STATUSES.find((known) => known === word)
  if (status === undefined || typeof written !== 'number' || typeof gaps !== 'number') {
    throw new ArbeesError('BAD_REPLY', `the mirror's script answered ${JSON.stringify(reply)}`)
  }
  return {
    status,
    checkpoint: checkpointFrom(epoch, seq, closed === 1),
    written,
    gaps,
    message: String(message),
  }
}

function checkpointFrom(epoch: unknown, seq: unknown, closed: boolean): Checkpoint {
  const position = { epoch: Number(epoch ?? NaN), seq: Number(seq ?? NaN), closed }
  if (!Number.isSafeInteger(position.epoch) || !Number.isSafeInteger(position.seq)) {
    throw new ArbeesError('BAD_CHECKPOINT', 'the checkpoint holds no position')
  }
  return position
}

/** The short code of a failed call: ours, or what Redis or the connection says. */
export const writeErrorCode = (error: unknown): string =>
  error instanceof ArbeesError ? error.code : redisErrorCode(error)
