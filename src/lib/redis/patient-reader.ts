/**
 * Asks a Redis that may be far away, or cut in the middle, one question at a time: again where it was cut, for less
 * where the answer takes too long, and not for ever.
 */

import { sleep } from '../core/backoff.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import type { RedisClient, RedisLink } from './connection.js'
import { isConnectionCode, redisError, redisErrorCode } from './errors.js'
import { Portion } from './portion.js'

/** Entries in one answer at most: more would hold up everything else in the process. */
const MOST = 500
/** A question without an answer is given up after so long. */
const PATIENCE_MS = 10_000
const RETRY_MS = 50

export class PatientReader {
  private readonly portion = new Portion(MOST)
  private runId: string | undefined
  private answered: Promise<unknown> = Promise.resolve()

  constructor(private readonly link: RedisLink) {}

  /**
   * `question` is told how many entries to ask for, changes nothing, and may be asked again. Throws `REDIS_REPLACED`
   * (exit 8) where Redis was started again since the first question, `REDIS_UNREACHABLE` after 10 s without an answer,
   * and what `redisError` makes of a refusal.
   */
  ask<T>(question: (redis: RedisClient, count: number) => Promise<T>): Promise<T> {
    const answer = this.answered.then(() => this.askPatiently(question))
    this.answered = answer.catch(() => undefined)
    return answer
  }

  private async askPatiently<T>(question: (redis: RedisClient, count: number) => Promise<T>): Promise<T> {
    const { link } = this
    const deadlineMs = performance.now() + PATIENCE_MS
    for (;;) {
      const { runId } = await link.ready(PATIENCE_MS)
      this.runId ??= runId
      if (this.runId !== runId) throw replaced(link.shownUrl)
      try {
        const answer = await question(link.redis, this.portion.size)
        this.portion.cameInTime()
        return answer
      } catch (error) {
        const code = redisErrorCode(error)
        if (!isConnectionCode(code) || performance.now() > deadlineMs) throw redisError(link.shownUrl, error)
        if (code === 'TIMEOUT') {
          this.portion.tookTooLong()
          // What is left of the answer would be in the way of the next one.
          link.reconnect()
        }
        await sleep(RETRY_MS)
      }
    }
  }
}

const replaced = (shownUrl: string): ArbeesError =>
  new ArbeesError('REDIS_REPLACED', `Redis at ${shownUrl} was started again while it was read`, {
    exit: EXIT.INTEGRITY,
    hint: 'what it holds now is another window: read it again',
  })
