/** `arbees record`: the live bus into files that `arbees replay --from-file` reads. */

import { resolve } from 'node:path'
import { systemClock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { record } from '../history/recording/recorder.js'
import { RecordingFolder } from '../history/recording/recording-folder.js'
import { FAMILIES } from '../messages/topics.js'
import { allEndpoints } from '../roles/wiring.js'
import { operatorKeys } from './operator-keys.js'
import { StreamBounds } from './stream-bounds.js'
import type { BoundOptions } from './stream-bounds.js'
import { PastTally } from './past-tally.js'
import { ReplayTalk } from './replay-talk.js'
import { createPrettyFormat } from './tap-format.js'

export interface RecordOptions extends BoundOptions {
  readonly settings: Settings
  readonly dir: string
  /** One line, without its newline. */
  readonly talk: (line: string) => void
}

export interface RecordSummary {
  readonly dir: string
  readonly messages: number
  readonly gaps: number
  /** Messages inside gaps whose two ends are known. */
  readonly missing: number
  /** What could not be taken for a message. */
  readonly refused: number
}

const PROGRESS_MS = 10_000

/**
 * Until a bound is reached. Throws `RECORDING_INCOMPLETE` where its end cannot be written, and what
 * `RecordingFolder.lock`, `operatorKeys` and reading the bus throw.
 */
export async function runRecord({ settings, dir, talk, ...bounds }: RecordOptions): Promise<RecordSummary> {
  const folder = new RecordingFolder(resolve(dir))
  const told = new ReplayTalk(talk, () => systemClock.monoUs() / 1000, PROGRESS_MS)
  const format = createPrettyFormat({ color: false, width: () => Infinity })
  const ended = new StreamBounds(bounds)
  const stop = new AbortController()
  void ended.ended.then(() => stop.abort())
  const tally = new PastTally()
  let toldMs = -Infinity
  folder.lock()
  try {
    talk(`records into ${folder.path}`)
    await record(
      {
        folder,
        limits: {
          segmentBytes: settings['record.segment'],
          segmentMs: settings['record.segment_time'],
          retainBytes: settings['record.retain'],
        },
        live: {
          transport: settings.transport,
          reader: {
            name: 'record',
            redisUrl: settings.redis_url,
            endpoints: allEndpoints(settings),
            prefixes: FAMILIES.map((family) => `${family}.`),
            env: settings.env,
            clock: systemClock,
            keys: operatorKeys(settings, ({ publisher, problem, hint }) =>
              talk(`${publisher}: ${problem}\n  ${hint}`),
            ),
            onProblem: (problem) => {
              if (problem.kind !== 'duplicate' && problem.kind !== 'old_epoch') told.problem(problem)
            },
            onRedisDown: ({ message }) => talk(message),
          },
        },
        count: bounds.count,
        onRecorded: (items) => {
          for (const item of items) {
            tally.note(item)
            if (item.kind === 'gap') talk(format.gap(item.gap))
            else ended.tick()
          }
          told.progress(tally)
        },
        onFailure: (error) => {
          const nowMs = systemClock.monoUs() / 1000
          if (nowMs - toldMs < PROGRESS_MS) return
          toldMs = nowMs
          talk(`cannot be written, tried again each second: ${messageOf(error)}`)
        },
      },
      stop.signal,
    )
  } catch (error) {
    if (tally.messages > 0) told.summary(tally)
    throw error instanceof ArbeesError ? error : incomplete(folder.path, error)
  } finally {
    ended.stop()
    folder.unlock()
  }
  told.summary(tally)
  const { messages, gaps, missing } = tally
  return { dir: folder.path, messages, gaps, missing, refused: told.refused }
}

const incomplete = (path: string, error: unknown): ArbeesError =>
  new ArbeesError('RECORDING_INCOMPLETE', `what came last is not in ${path}: ${messageOf(error)}`, {
    hint: 'make room there and record into it again: it goes on where it ends, as far back as the journals reach',
    cause: error,
  })
