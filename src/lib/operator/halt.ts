/** Stops trading by every way there is at once, and waits until exec says that it has stopped. */

import { existsSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { resolve } from 'node:path'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { messageOf } from '../core/errors.js'
import {
  haltPath,
  latchPath,
  latchesIn,
  readIfThere,
  readLatch,
  replaceFile,
  writeLatch,
} from '../execution/halt-files.js'
import type { HeldLatch } from '../execution/halt-files.js'
import { formatHaltOrder, isAtLeast, parseHaltOrder } from '../model/halt.js'
import type { HaltLevel, HaltOrder, HaltedExec } from '../model/halt.js'
import { connectRedis } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { modeOfEnv } from '../roles/exec-gateways.js'
import { endpointOf } from '../roles/wiring.js'
import { operatorKeys } from './operator-keys.js'

/** One way to reach exec, and what came of it. */
export interface HaltStep {
  readonly step: 'file' | 'exec' | 'redis' | 'latch'
  readonly where: string
  /** done: it is there, or exec said so. skipped: it makes no sense here. */
  readonly result: 'done' | 'failed' | 'skipped'
  readonly detail: string
  readonly ms: number
}

export interface HaltReport {
  /** What exec of this env says is stopped; null when it said nothing. */
  readonly halted: HaltLevel | null
  /** Which exec said so on its recovery socket, `demo paper`; null when none did, or it did not say. */
  readonly exec: string | null
  readonly steps: readonly HaltStep[]
}

export interface HaltOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly level: HaltLevel
  readonly reason: string
}

const REDIS_TIMEOUT_MS = 1_500
/** exec looks at its files 20 times a second. */
const LATCH_WAIT_MS = 1_000
const LATCH_POLL_MS = 5

/** Whoever runs this process, for the record. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return `uid ${process.getuid?.() ?? '?'}@${hostname()}`
  }
}

/** Never waits longer than its slowest way; what fails is a step that failed. */
export async function haltTrading({ settings, clock, level, reason }: HaltOptions): Promise<HaltReport> {
  const order: HaltOrder = { level, reason, by: operatorName() }
  const act = (step: HaltStep['step'], where: string, run: () => Promise<string> | string) =>
    timed(clock, step, where, run)
  const { data_dir: dataDir } = settings
  const isHere = existsSync(dataDir)
  let said: HaltLevel | undefined
  let exec: string | undefined
  const own = { env: settings.env, mode: modeOfEnv(settings.env) }
  const latch = latchPath(dataDir, own.env, own.mode)
  const file = await act('file', resolve(haltPath(dataDir)), () => {
    if (!isHere) throw new Skipped('no data dir here: exec runs elsewhere')
    const path = haltPath(dataDir)
    const there = readIfThere(path)
    replaceFile(path, `${formatHaltOrder(atLeast(order, there))}\n`)
    // A request to go on that no exec took up yet was made before this.
    const held = readLatch(latch)
    if (held?.resume !== undefined) writeLatch(latch, { ...held, resume: undefined })
    return 'written'
  })
  const others = await Promise.all([
    act('exec', endpointOf(settings, 'exec').recoveryUrl ?? '-', async () => {
      const answer = await askExec(settings, clock, order)
      exec = nameOf(answer)
      const words = `halted (${answer.level})${exec === undefined ? '' : `, says exec of ${exec} trading`}`
      if (exec !== undefined && exec !== nameOf({ ...answer, ...own })) {
        throw new Error(`${words}: that of ${own.env} was not reached there`)
      }
      said = answer.level
      return words
    }),
    act('redis', redisKeys(settings.env).halt(), async () => {
      await setKey(settings, order)
      return 'set'
    }),
    act('latch', resolve(latch), async () => {
      if (!isHere) throw new Skipped('no data dir here: exec runs elsewhere')
      const seen = await waitForLatch(latch, level)
      said ??= seen
      return `halted (${seen})`
    }),
  ])
  return { halted: said ?? null, exec: exec ?? null, steps: [file, ...others, ...othersHalted(dataDir, own)] }
}

/** `demo paper`; undefined for an exec that does not say which it is. */
const nameOf = ({ env, mode }: HaltedExec): string | undefined =>
  env === undefined || mode === undefined ? undefined : `${env} ${mode}`

/** The file halts every exec of a data dir: those of another env that have latched it by now. */
function othersHalted(dataDir: string, own: Omit<HeldLatch, 'latch'>): HaltStep[] {
  return otherLatches(dataDir, own).map(({ env, mode, latch }) => ({
    ...{ step: 'latch', where: resolve(latchPath(dataDir, env, mode)), result: 'done', ms: 0 },
    detail: `halted (${latch.level}): exec of ${env} ${mode} trading`,
  }))
}

/** Latches of a data dir that are another env's. What cannot be read is left out. */
export function otherLatches(dataDir: string, own: Omit<HeldLatch, 'latch'>): HeldLatch[] {
  try {
    return latchesIn(dataDir).filter(({ env, mode }) => env !== own.env || mode !== own.mode)
  } catch {
    return []
  }
}

/** What stands there may stop more: nobody lowers it by halting again. */
const atLeast = (order: HaltOrder, there: string | null | undefined): HaltOrder =>
  there != null && parseHaltOrder(there, '').level === 'all' ? { ...order, level: 'all' } : order

async function askExec(settings: Settings, clock: Clock, order: HaltOrder): Promise<HaltedExec> {
  let closed =
    settings.keys_dir === '' ? '; no keys_dir is set: an exec whose bus has keys hears nobody without' : ''
  const keys = operatorKeys(settings, ({ problem, hint }) => (closed = `: ${problem}; ${hint}`))
  const client = new RecoveryClient({ endpoint: endpointOf(settings, 'exec'), clock, keys })
  try {
    const halted = await client.halt(order)
    if (halted === undefined) throw new Error(`no answer${closed}`)
    return halted
  } finally {
    client.close()
  }
}

async function setKey(settings: Settings, order: HaltOrder): Promise<void> {
  const link = await connectRedis(settings.redis_url, 'arbees-halt', REDIS_TIMEOUT_MS)
  try {
    const key = redisKeys(settings.env).halt()
    await link.redis.set(key, formatHaltOrder(atLeast(order, await link.redis.get(key))))
  } finally {
    link.close()
  }
}

async function waitForLatch(path: string, level: HaltLevel): Promise<HaltLevel> {
  for (let waitedMs = 0; waitedMs <= LATCH_WAIT_MS; waitedMs += LATCH_POLL_MS) {
    const latch = readLatch(path)
    if (latch !== undefined && latch.resume === undefined && isAtLeast(latch.level, level)) return latch.level
    await sleep(LATCH_POLL_MS)
  }
  throw new Error(`no exec has latched it within ${LATCH_WAIT_MS} ms`)
}

/** A way that is not there: no failure. */
export class Skipped extends Error {}

/** Runs one step; what it throws is its result. */
export async function timed<S extends string>(
  clock: Clock,
  step: S,
  where: string,
  run: () => Promise<string> | string,
): Promise<Omit<HaltStep, 'step'> & { readonly step: S }> {
  const startedUs = clock.monoUs()
  const ms = () => Math.round((clock.monoUs() - startedUs) / 10) / 100
  try {
    const detail = await run()
    return { step, where, result: 'done', detail, ms: ms() }
  } catch (error) {
    const result = error instanceof Skipped ? 'skipped' : 'failed'
    return { step, where, result, detail: messageOf(error), ms: ms() }
  }
}
