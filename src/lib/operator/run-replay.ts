/** `arbees replay` as a person sees it: from where, to where, by whose keys, and what there is to say about it. */

import { systemClock } from '../core/clock.js'
import type { LoadedSettings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { randomId } from '../core/ids.js'
import { readStreamId } from '../history/stream-id.js'
import type { Refusal } from '../messages/codec.js'
import { journalFolder } from './journal-folders.js'
import { KeyPresses } from './key-presses.js'
import { operatorKeys } from './operator-keys.js'
import { replayBus } from './replay-bus.js'
import { recordingFile } from './replay-file.js'
import { envelopeLines, formattedLines } from './replay-lines.js'
import { fromJournals, fromRecording, fromRedis } from './replay-origin.js'
import type { Origin, OriginOptions } from './replay-origin.js'
import { ReplayTalk } from './replay-talk.js'
import { replay } from './replay.js'
import type { ReplaySink } from './replay.js'
import type { BoundOptions } from './stream-bounds.js'
import { createPrettyFormat } from './tap-format.js'

export interface ReplayFrom {
  readonly kind: 'redis' | 'journal' | 'file'
  /** Streams of Redis; a source or a folder of journals; the path of a recording. */
  readonly names: readonly string[]
  readonly startId?: string | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  readonly last?: number | undefined
  readonly follow: boolean
}

export type ReplayTo =
  /** `isJson` on a terminal: envelopes there too. */
  | { readonly kind: 'stdout'; readonly isJson: boolean; readonly color: boolean }
  | { readonly kind: 'file'; readonly path: string }
  /** A name is made up when none is given. */
  | { readonly kind: 'bus'; readonly run: string | undefined }

export interface RunReplayOptions extends BoundOptions {
  readonly loaded: LoadedSettings
  readonly from: ReplayFrom
  readonly to: ReplayTo
  readonly speed: number
  /** Waits for a key before each message. */
  readonly step: boolean
  /** Talk: one line, without its newline. */
  readonly talk: (line: string) => void
}

export interface RunReplaySummary {
  /** Where it went. */
  readonly to: ReplayTo['kind']
  readonly messages: number
  readonly gaps: number
  /** Messages inside gaps whose two ends are known. */
  readonly missing: number
  /** What could not be taken for a message. */
  readonly refused: number
}

const PROGRESS_MS = 2_000

/** Throws `NO_TERMINAL`, `BAD_SPAN` (usage), and what the origin and the sink throw. */
export async function runReplay(options: RunReplayOptions): Promise<RunReplaySummary> {
  const { loaded, from, to, step, talk } = options
  const { stdin, stdout } = process
  if (step && !stdin.isTTY) {
    throw new ArbeesError('NO_TERMINAL', '--step waits for keys, and stdin is no terminal', {
      exit: EXIT.USAGE,
      hint: 'run it in a terminal, or say --speed',
    })
  }
  const isWatched = to.kind === 'stdout' && stdout.isTTY
  const told = new ReplayTalk(talk, () => systemClock.monoUs() / 1000, isWatched ? Infinity : PROGRESS_MS)
  const onProblem = (refusal: Refusal) => told.problem(refusal)
  const past = openOrigin(from, loaded, { onProblem, talk })
  const sink = await openSink(to, loaded, { onProblem, talk })
  if (step) talk('any key: the next message; q: the end')
  const keys = step ? new KeyPresses(stdin) : undefined
  try {
    const { tally } = await replay({
      ...options,
      past,
      // What is past must be over before what happens now can be followed.
      speed: from.follow ? Infinity : options.speed,
      step: keys === undefined ? undefined : (signal) => keys.next(signal),
      sink: to.kind === 'stdout' ? sink : tellingGaps(sink, talk),
      clock: systemClock,
      onProgress: (soFar) => told.progress(soFar),
    })
    told.summary(tally)
    const { messages, gaps, missing } = tally
    return { to: to.kind, messages, gaps, missing, refused: told.refused }
  } finally {
    keys?.close()
  }
}

interface Words {
  readonly onProblem: (refusal: Refusal) => void
  readonly talk: (line: string) => void
}

/** Throws `BAD_SPAN`, `TOO_MANY_NAMES` (usage), and what the origin throws. */
export function openOrigin(
  from: ReplayFrom,
  { settings }: LoadedSettings,
  { onProblem, talk }: Words,
): Origin {
  const { kind, names, startId, sinceMs = -Infinity, untilMs = Infinity, last, follow } = from
  if (sinceMs > untilMs) {
    throw new ArbeesError('BAD_SPAN', '--since is later than --until', { exit: EXIT.USAGE })
  }
  const options: OriginOptions = {
    settings,
    times: { sinceMs, untilMs },
    last,
    follow,
    keys: follow
      ? operatorKeys(settings, ({ publisher, problem, hint }) => talk(`${publisher}: ${problem}\n  ${hint}`))
      : undefined,
    onProblem,
  }
  if (kind === 'redis') {
    return fromRedis(names, {
      ...options,
      startId: startId === undefined ? undefined : readStreamId(startId),
    })
  }
  const [name] = names
  if (names.length > 1) {
    throw new ArbeesError('TOO_MANY_NAMES', `one folder at a time, not ${names.length}`, { exit: EXIT.USAGE })
  }
  return kind === 'journal'
    ? fromJournals(journalFolder(settings, name), options)
    : fromRecording(name ?? '', options)
}

function openSink(to: ReplayTo, loaded: LoadedSettings, { onProblem, talk }: Words): Promise<ReplaySink> {
  const { stdout } = process
  switch (to.kind) {
    case 'stdout':
      return Promise.resolve(
        to.isJson || !stdout.isTTY
          ? envelopeLines(stdout, stdout.isTTY)
          : formattedLines(
              stdout,
              createPrettyFormat({ color: to.color, width: () => stdout.columns || Infinity }),
            ),
      )
    case 'file':
      return Promise.resolve(recordingFile(to.path))
    case 'bus': {
      const run = to.run ?? randomId(4)
      const onBound = (url: string) => talk(`publishes at ${url}, see it with: arbees tap replay.${run}.`)
      return replayBus({ loaded, run, onProblem, onBound })
    }
  }
}

/** Where the output is not lines that somebody reads, what is missing is said beside it. */
function tellingGaps(sink: ReplaySink, talk: (line: string) => void): ReplaySink {
  const format = createPrettyFormat({ color: false, width: () => Infinity })
  return {
    write: (items, signal) => {
      for (const item of items) if (item.kind === 'gap') talk(format.gap(item.gap))
      return sink.write(items, signal)
    },
    close: () => sink.close(),
  }
}
