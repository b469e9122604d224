/** Lets trading go on: takes the triggers away, asks exec in its latch file, and waits until it has taken that up. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { haltPath, latchPath, readLatch, removeFile, writeLatch } from '../execution/halt-files.js'
import { connectRedis } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { modeOfEnv } from '../roles/exec-gateways.js'
import { Skipped, operatorName, timed } from './halt.js'
import type { HaltStep } from './halt.js'

export interface ResumeReport {
  /** asked: no exec took it up yet, it will when it starts. */
  readonly state: 'resumed' | 'not_halted' | 'refused' | 'asked'
  readonly steps: readonly HaltStep[]
}

export interface ResumeOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly reason: string
}

const REDIS_TIMEOUT_MS = 1_500
/** exec looks at the key in Redis 4 times a second, and at its file 20 times. */
const TAKEN_WITHIN_MS = 2_000
const POLL_MS = 10
/** What exec last saw in Redis may be as old as this. */
const KEY_SEEN_MS = 600

/** Throws `NO_DATA_DIR` (exit 4) where exec's data dir is not. */
export async function resumeTrading({ settings, clock, reason }: ResumeOptions): Promise<ResumeReport> {
  const { data_dir: dataDir } = settings
  if (!existsSync(dataDir)) {
    throw new ArbeesError('NO_DATA_DIR', `there is no data dir ${resolve(dataDir)} here`, {
      exit: EXIT.CONFIG,
      hint: "resume works on exec's own host: go there, or name it with --data-dir",
    })
  }
  const key = redisKeys(settings.env).halt()
  const latch = latchPath(dataDir, settings.env, modeOfEnv(settings.env))
  const file = await timed(clock, 'file', resolve(haltPath(dataDir)), () => {
    if (!existsSync(haltPath(dataDir))) throw new Skipped('not there')
    removeFile(haltPath(dataDir))
    return 'removed'
  })
  const redis = await timed(clock, 'redis', key, async () => {
    const link = await connectRedis(settings.redis_url, 'arbees-resume', REDIS_TIMEOUT_MS)
    try {
      if ((await link.redis.del(key)) === 0) throw new Skipped('not set')
      return 'removed'
    } finally {
      link.close()
    }
  })
  let state: ResumeReport['state'] = 'not_halted'
  const asked = await timed(clock, 'latch', resolve(latch), async () => {
    // exec must have seen that the key is gone.
    if (redis.result === 'done') await sleep(KEY_SEEN_MS)
    const held = readLatch(latch)
    if (held === undefined) throw new Skipped('not halted')
    const { level, by, reason: why, atMs } = held
    writeLatch(latch, { level, by, reason: why, atMs, resume: { reason, by: operatorName() } })
    const taken = await waitUntilTaken(latch)
    state = taken.state
    if (taken.state === 'refused') throw new Error(taken.detail)
    return taken.detail
  })
  return { state, steps: [file, redis, asked] }
}

async function waitUntilTaken(
  latch: string,
): Promise<{ readonly state: 'resumed' | 'refused' | 'asked'; readonly detail: string }> {
  for (let waitedMs = 0; waitedMs <= TAKEN_WITHIN_MS; waitedMs += POLL_MS) {
    const held = readLatch(latch)
    if (held === undefined) return { state: 'resumed', detail: 'exec goes on' }
    if (held.resume === undefined) {
      return { state: 'refused', detail: `exec stays halted: ${held.refused ?? held.reason}` }
    }
    await sleep(POLL_MS)
  }
  return { state: 'asked', detail: `no exec took it up within ${TAKEN_WITHIN_MS} ms: the next one will` }
}
