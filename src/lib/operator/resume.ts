/**
 * Lets trading go on, in two steps: exec is asked in its latch file, and only when it has answered are the triggers
 * taken away that stood before, and it is asked again. Where none answers, or what is halted is another's, all stays.
 */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { latchPath, readLatch, writeLatch } from '../execution/halt-files.js'
import type { Latch, ResumeRequest } from '../execution/halt-files.js'
import type { Env, Mode } from '../model/venue.js'
import { modeOfEnv } from '../roles/exec-gateways.js'
import { operatorName, otherLatches, timed } from './halt.js'
import type { HaltStep } from './halt.js'
import { fileTrigger, keyTrigger } from './halt-triggers.js'

export interface ResumeReport {
  /** unanswered: no exec of this env runs here, and nothing was touched. */
  readonly state: 'resumed' | 'not_halted' | 'refused' | 'unanswered'
  /** Whose halt it is about. */
  readonly env: Env
  readonly mode: Mode
  readonly steps: readonly HaltStep[]
  /** Why not, and the way out; null where trading goes on. */
  readonly hint: string | null
}

export interface ResumeOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly reason: string
}

/** exec looks at the key in Redis 4 times a second, and at its file 20 times. */
const TAKEN_WITHIN_MS = 2_000
const POLL_MS = 10
/** What exec last saw in Redis may be as old as this. */
const KEY_SEEN_MS = 600

/** Throws `NO_DATA_DIR` (exit 4) where exec's data dir is not. */
export async function resumeTrading({ settings, clock, reason }: ResumeOptions): Promise<ResumeReport> {
  const { data_dir: dataDir, env } = settings
  if (!existsSync(dataDir)) {
    throw new ArbeesError('NO_DATA_DIR', `there is no data dir ${resolve(dataDir)} here`, {
      exit: EXIT.CONFIG,
      hint: "resume works on exec's own host: go there, or name it with --data-dir",
    })
  }
  const mode = modeOfEnv(env)
  const path = latchPath(dataDir, env, mode)
  const act = (step: HaltStep['step'], where: string, run: () => Promise<string> | string) =>
    timed(clock, step, where, run)
  const others = otherLatches(dataDir, { env, mode })
  const stays = others.map(({ env: of, mode: how, latch }): HaltStep => ({
    ...{ step: 'latch', where: resolve(latchPath(dataDir, of, how)), result: 'skipped', ms: 0 },
    detail: `exec of ${of} ${how} trading stays halted (${latch.level}) by ${latch.by}: ${latch.reason}`,
  }))
  const file = fileTrigger(dataDir)
  const key = await keyTrigger(settings)
  const triggers = [file, key]
  const report = (state: ResumeReport['state'], steps: readonly HaltStep[], hint: string | null = null) => ({
    ...{ state, env, mode, hint },
    steps: [...steps, ...stays],
  })

  const [first] = others
  const held = readLatch(path)
  if (held === undefined) {
    const steps = await Promise.all(triggers.map(({ step, where, look }) => act(step, where, look)))
    const stands = steps.some(({ result }) => result === 'done')
    if (first !== undefined) {
      const own = `nothing of ${env} ${mode} trading is halted here`
      return report('refused', steps, `${own}; what is: arbees resume --env ${first.env} --reason "…"`)
    }
    if (!stands) return report('not_halted', steps)
    return report('unanswered', steps, startFirst(env))
  }

  const request = { reason, by: operatorName() }
  const ask = async (isWelcome: (answer: Answer) => boolean) => {
    let answer: Answer = { state: 'unanswered', detail: '' }
    const step = await act('latch', resolve(path), async () => {
      answer = await askExec(path, held, request)
      if (!isWelcome(answer)) throw new Error(answer.detail)
      return answer.detail
    })
    return { answer, step }
  }
  const asked = await ask(({ state }) => state === 'resumed' || state === 'stays')
  if (asked.answer.state === 'unanswered') return report('unanswered', [asked.step], startFirst(env))
  if (asked.answer.state === 'halted_anew') return report('refused', [asked.step], LOOK_AGAIN)
  const removed: HaltStep[] = []
  for (const { step, where, remove } of triggers) removed.push(await act(step, where, remove))
  if (asked.answer.state === 'resumed') return report('resumed', [asked.step, ...removed])
  // exec must have seen that the key is gone.
  if (removed[1]?.result === 'done') await sleep(KEY_SEEN_MS)
  const again = await ask(({ state }) => state === 'resumed')
  const steps = [asked.step, ...removed, again.step]
  return again.answer.state === 'resumed' ? report('resumed', steps) : report('refused', steps, LOOK_AGAIN)
}

const LOOK_AGAIN = 'look at what halts it now; then ask again'
const startFirst = (env: Env): string =>
  `nothing was changed: start exec of ${env} here, it starts halted, then ask again; if it runs elsewhere, go there, or name its --data-dir`

interface Answer {
  /** stays: exec has answered that a trigger still stands. */
  readonly state: 'resumed' | 'stays' | 'halted_anew' | 'unanswered'
  readonly detail: string
}

/** Asks for the end of this very halt. A request that nobody takes up is taken back: no later life finds it. */
async function askExec(path: string, held: Latch, resume: ResumeRequest): Promise<Answer> {
  const { level, by, reason, atMs } = held
  writeLatch(path, { level, by, reason, atMs, resume })
  for (let waitedMs = 0; waitedMs <= TAKEN_WITHIN_MS; waitedMs += POLL_MS) {
    const now = readLatch(path)
    if (now === undefined) return { state: 'resumed', detail: 'exec goes on' }
    if (now.atMs !== atMs) {
      return { state: 'halted_anew', detail: `halted anew by ${now.by}: ${now.reason}` }
    }
    if (now.resume === undefined) {
      return { state: 'stays', detail: `exec stays halted: ${now.refused ?? now.reason}` }
    }
    await sleep(POLL_MS)
  }
  writeLatch(path, { level, by, reason, atMs })
  return { state: 'unanswered', detail: `no exec answered within ${TAKEN_WITHIN_MS} ms` }
}
