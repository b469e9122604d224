/** `arbees tap` as a person sees it: from where, what of it, in which form, and what there is to say about it. */

import { systemClock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import type { ExitCode } from '../core/errors.js'
import { allEndpoints, replayEndpoint } from '../roles/wiring.js'
import { operatorKeys } from './operator-keys.js'
import { replayOf } from './prefixes.js'
import { recordingFile } from './replay-file.js'
import type { Origin } from './replay-origin.js'
import type { BoundOptions } from './stream-bounds.js'
import { TapDesk } from './tap-desk.js'
import { liveFromRedis, newestValues, pastThenLive } from './tap-origin.js'
import type { TapOriginOptions } from './tap-origin.js'
import { runTapPast } from './tap-past.js'
import { TapRecording } from './tap-recording.js'
import { readFieldNames, readSelection, readSince } from './tap-request.js'
import type { TapRequest } from './tap-request.js'
import { TapScreen } from './tap-screen.js'
import { isWhole, wantsSource } from './tap-selection.js'
import { summaryText } from './tap-summary.js'
import { runTap } from './tap.js'

export interface RunTapOptions extends BoundOptions, TapRequest {
  readonly settings: Settings
  readonly from: Settings['transport']
  /** Counts by source instead of messages. */
  readonly stats: boolean
  /** So many of the busiest topics instead of messages. */
  readonly top?: number | undefined
  /** The newest value of each topic. */
  readonly snapshot: boolean
  /** Goes on behind these. */
  readonly follow: boolean
  /** A file for what is shown. */
  readonly record?: string | undefined
  readonly isJson: boolean
  readonly color: boolean
}

/** Throws for what cannot be used of what was asked (usage), `RECORDING_FAILED`, and what the origins throw. */
export async function runTapCommand(options: RunTapOptions): Promise<ExitCode> {
  const { settings, from, stats, top, isJson, color } = options
  const { selection, notes } = readSelection(options)
  const run = replayOf(selection.prefixes)
  const tables = stats || top !== undefined ? { sources: stats, topics: top !== undefined } : undefined
  const screen = new TapScreen({ isJson, color, tables, fields: readFieldNames(options) })
  const talk = (line: string) => screen.talk(line)
  const keys = operatorKeys(settings, ({ publisher, problem, hint }) =>
    talk(`${publisher}: ${problem}\n  ${hint}`),
  )
  const bus = {
    ...(run === undefined
      ? { env: settings.env, endpoints: allEndpoints(settings) }
      : { env: 'replay' as const, endpoints: [replayEndpoint(settings, run)] }),
    ...{ selection, clock: systemClock, keys, talk },
  }
  const silent: string[] = []
  let isRedisDown = false
  const past = openPast(options, {
    ...{ ...bus, settings, from },
    onProblem: ({ reason, detail }) => desk.problem({ kind: 'left_out', reason, detail }),
    onRedisDown: () => (isRedisDown = true),
    onNoAnswer: (publisher) => {
      silent.push(publisher)
      talk(`${publisher} does not answer: what it alone has is not shown`)
    },
  })
  const stop = new AbortController()
  const sources = bus.endpoints.flatMap((endpoint) => endpoint.sources)
  const recording = openRecording(
    options.record,
    !isWhole(
      selection,
      sources.filter((source) => wantsSource(selection, source)),
    ),
    stop,
  )
  const desk = new TapDesk({
    ...{ selection, clock: systemClock, format: screen.format, output: screen, talk, recording },
    stats: tables && { top: top ?? 0, show: (report) => screen.show(report) },
  })
  const bounds: BoundOptions = {
    ...{ count: options.count, forMs: options.forMs, idleMs: options.idleMs },
    signal: AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])]),
  }
  notes.forEach(talk)
  try {
    await (past === undefined
      ? runTap({ ...bus, ...bounds, prefixes: selection.prefixes, desk })
      : runTapPast({ ...bus, ...bounds, origin: past, desk, output: screen }))
  } finally {
    desk.close()
    screen.close()
    await recording?.close()
  }
  const summary = desk.summary()
  talk(summaryText(summary))
  stop.signal.throwIfAborted()
  if (options.snapshot && silent.length > 0) return EXIT.UNREACHABLE
  if (summary.gaps > 0 || summary.dropped > 0) return EXIT.INTEGRITY
  if (summary.messages > 0) return EXIT.OK
  return isRedisDown ? EXIT.UNREACHABLE : EXIT.TIMEOUT
}

/** Undefined where what comes from the bus is all that is wanted. */
function openPast(request: RunTapOptions, options: TapOriginOptions): Origin | undefined {
  const since = readSince(request)
  if (since !== undefined) return pastThenLive(since, options)
  if (request.snapshot) return newestValues(options, request.follow)
  return request.from === 'redis' ? liveFromRedis(options) : undefined
}

/** `stop` aborts when nothing more can be written. Throws `FILE_EXISTS` (usage). */
function openRecording(
  path: string | undefined,
  isSelection: boolean,
  stop: AbortController,
): TapRecording | undefined {
  if (path === undefined) return undefined
  return new TapRecording({
    file: recordingFile(path, { isSelection }),
    onFailure: (error) =>
      stop.abort(
        new ArbeesError('RECORDING_FAILED', `cannot write ${path}: ${messageOf(error)}`, {
          hint: 'name a file on a disk with room, that this user may write',
          cause: error,
        }),
      ),
  })
}
