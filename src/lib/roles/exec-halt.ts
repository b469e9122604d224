/** What halts exec: the file, the recovery socket, and a key in Redis, which may be absent; nothing waits for it. */

import { messageOf } from '../core/errors.js'
import type { Ledger } from '../execution/ledger.js'
import { HaltLatch } from '../execution/halt.js'
import { parseHaltOrder } from '../model/halt.js'
import type { Mode } from '../model/venue.js'
import { RedisLink } from '../redis/connection.js'
import { redisErrorCode } from '../redis/errors.js'
import { redisKeys } from '../redis/keys.js'
import type { RoleContext } from './role.js'

const KEY_EVERY_MS = 250
/** A start waits so long for a Redis that does not say whether its key is set. */
const FIRST_LOOK_MS = 1_000

/**
 * The latch, with every fall and every resumption in the log and the ledger; `onResumed` when the operator has said to
 * go on. Closed with the role.
 */
export function openHalt(
  context: RoleContext,
  ledger: Ledger,
  mode: Mode,
  onResumed: () => void = () => undefined,
): HaltLatch {
  const { settings, clock, counters, lifecycle, log } = context
  const record = (kind: 'halted' | 'resumed', detail: object): void => {
    try {
      ledger.latch(kind, detail)
    } catch (error) {
      counters.add('ledger_errors')
      log.error(`${kind} is not on record: ${messageOf(error)}`)
    }
  }
  const count = (level: number): void => counters.set('halted', level)
  count(0)
  const halt = new HaltLatch({
    dataDir: settings.data_dir,
    env: settings.env,
    mode,
    clock,
    before: ledger.history().haltedBy,
    onHalt: (order) => {
      log.error(`halted (${order.level}) by ${order.by}: ${order.reason}; goes on with: arbees resume`)
      count(order.level === 'all' ? 2 : 1)
      record('halted', order)
    },
    onResume: (request) => {
      log.warn(`resumed by ${request.by}: ${request.reason}`)
      count(0)
      record('resumed', request)
      onResumed()
    },
    onProblem: (text) => log.error(`the halt's latch file: ${text}`),
  })
  const { order } = halt
  if (order !== undefined) {
    count(order.level === 'all' ? 2 : 1)
    log.error(`starts halted (${order.level}) by ${order.by}: ${order.reason}; goes on with: arbees resume`)
  }
  lifecycle.defer('halt', () => halt.close())
  return halt
}

/** Follows the key from now on. Resolves after the first answer, or when Redis has had the time to give one. */
export async function followHaltKey(context: RoleContext, halt: HaltLatch): Promise<void> {
  const { settings, counters, lifecycle, log } = context
  const told = new Set<string>()
  const key = redisKeys(settings.env).halt()
  let heard: () => void = () => undefined
  const first = new Promise<void>((resolve) => (heard = resolve))
  const link = new RedisLink({
    url: settings.redis_url,
    name: 'arbees-exec-halt',
    onUp: () => void look(),
    onDown: (error) => log.warn(`no Redis for ${key}: ${error.message}; file and recovery socket halt too`),
  })
  let isAsking = false
  const look = async (): Promise<void> => {
    if (isAsking || !link.isUp) return
    isAsking = true
    try {
      const text = await link.redis.get(key)
      halt.redisSays(text === null ? undefined : parseHaltOrder(text, `${key} is set`))
      heard()
    } catch (error) {
      // A cut is told by the link.
      if (!link.isUp) return
      const code = redisErrorCode(error)
      counters.add('halt_key_errors', code)
      // Somebody has put something there.
      if (code === 'WRONGTYPE') {
        halt.redisSays({ level: 'entries', reason: `${key} holds something else`, by: 'exec' })
      } else if (!told.has(code)) log.error(`${key} cannot be read: ${messageOf(error)}`)
      told.add(code)
    } finally {
      isAsking = false
    }
  }
  const timer = setInterval(() => void look(), KEY_EVERY_MS)
  lifecycle.defer('halt key', () => {
    clearInterval(timer)
    link.close()
  })
  const deadline = setTimeout(heard, FIRST_LOOK_MS)
  await first
  clearTimeout(deadline)
}
