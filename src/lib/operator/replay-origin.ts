/** Where a replay comes from: the streams of Redis, journals, a recording; and how it goes on into what happens now. */

import { openJournalReader } from '../bus/journal/reader.js'
import type { BusKeys } from '../bus/curve.js'
import { NOWHERE, laterOf } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import type { Problem, Received } from '../bus/subscriber.js'
import { systemClock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { readCheckpoints } from '../history/checkpoints.js'
import { withEarlier } from '../history/earlier.js'
import type { Earlier } from '../history/earlier.js'
import { readJournal } from '../history/journal-past.js'
import { readLive } from '../history/live-past.js'
import { loneGaps, noteBeginnings } from '../history/lone-gaps.js'
import type { Beginnings } from '../history/lone-gaps.js'
import { lastOf, mergeByTime, within } from '../history/merge.js'
import type { TimeSpan } from '../history/merge.js'
import type { MadePages, Pages, Past, PastItem, PastPages, StreamItem } from '../history/past.js'
import { readAhead } from '../history/read-ahead.js'
import { openRecording } from '../history/recording/recording-past.js'
import { isIdBefore, timeOfId } from '../history/stream-id.js'
import { readStream } from '../history/stream-past.js'
import type { StreamSpan } from '../history/stream-past.js'
import { BEGINNING } from '../history/stream-place.js'
import { lastId, planStreams } from '../history/stream-plan.js'
import type { Refusal } from '../messages/codec.js'
import { topicPrefixOf } from '../messages/sources.js'
import { recordOf } from '../mirror/routes.js'
import { connectRedis } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { PatientReader } from '../redis/patient-reader.js'
import { allEndpoints } from '../roles/wiring.js'
import { findJournals } from './journal-folders.js'

export interface OriginOptions {
  readonly settings: Settings
  readonly times: TimeSpan
  /** So many messages at most, the last ones within the times. */
  readonly last?: number | undefined
  /** Goes on with what happens now. */
  readonly follow: boolean
  /** Of the operator's own, for what happens now. */
  readonly keys: BusKeys | undefined
  /** What cannot be taken for a message: left out. */
  readonly onProblem: (refusal: Refusal) => void
}

export interface RedisOriginOptions extends OriginOptions {
  readonly startId?: string | undefined
  /** What was asked for and Redis has not is looked for there. */
  readonly earlier?: Earlier | undefined
  /** What is made of the past, before it goes on; what it looks for further back is not asked for again. */
  readonly shape?: ((past: Past, earlier: Earlier) => Past) | undefined
}

/** Opened once; ends early when the signal aborts. */
export type Origin = (signal: AbortSignal) => Past

/** Read beforehand of each stream: it may be trimmed while it is played. */
const AHEAD_BYTES = 16 * 1024 * 1024

/**
 * Streams by their keys, with or without the env's prefix; all when none is named. Throws `UNKNOWN_STREAM` (usage); the
 * origin throws what `connectRedis`, `planStreams` and `readStream` throw.
 */
export function fromRedis(names: readonly string[], options: RedisOriginOptions): Origin {
  const { settings } = options
  const streams = streamKeys(names, settings)
  return (signal) => readRedis(streams, options, signal)
}

async function* readRedis(
  streams: readonly string[],
  options: RedisOriginOptions,
  signal: AbortSignal,
): PastPages {
  const { settings, times, last, startId, follow, onProblem, shape } = options
  const { env } = settings
  const keys = redisKeys(env)
  const sources = allEndpoints(settings)
    .flatMap((endpoint) => endpoint.sources)
    .filter((source) => keys.streamsOf(source).some((key) => streams.includes(key)))
  const link = await connectRedis(settings.redis_url, 'arbees-replay')
  const close = () => link.close()
  signal.addEventListener('abort', close, { once: true })
  const reader = new PatientReader(link)
  const positions = new Map<string, Position>()
  const refusals = new Set<string>()
  try {
    // Before the ends of the streams: what it says is in them by then.
    const checkpoints = await readCheckpoints(link.redis, keys, sources)
    for (const [source, at] of checkpoints ?? []) positions.set(source, at)
    // Before the ends, too: what is recorded behind them is no hole in what is read.
    const gaps = { key: keys.gaps(), to: await lastId(reader, keys.gaps()) }
    const spans = await planStreams(reader, { env, streams, times, startId, last })
    const earlier: Earlier = (...wanted) =>
      tracked(options.earlier?.(...wanted) ?? mergeByTime([]), positions)
    const homesOf = (source: string): string =>
      spans
        .filter(({ key }) => keys.streamsOf(source).includes(key))
        .map(({ key }) => key)
        .join(' ')
    const sinceMs = startId === undefined ? times.sinceMs : timeOfId(startId)
    const open = (span: StreamSpan): Pages<StreamItem> => {
      const stream = readStream({ reader, env, span, gaps })
      if (options.earlier === undefined) return stream
      // What lies in two streams begins in neither.
      const begin = sources.filter((source) => span.asksBefore && homesOf(source) === span.key)
      return withEarlier(stream, { begin, sinceMs, earlier })
    }
    const homeless = sources.filter((source) => sinceMs > -Infinity && homesOf(source) === '')
    const pasts = [
      ...spans.map((span) => readAhead(open(span), AHEAD_BYTES)),
      ...homeless.map((source) => earlier(source, undefined)),
    ]
    const beginnings: Beginnings = new Map()
    const merged = noteRefusals(mergeByTime<StreamItem>(pasts), refusals)
    const read = within(tracked(noteBeginnings(merged, beginnings), positions), times)
    const past = tellRefusals(read, onProblem)
    yield* shape?.(past, earlier) ?? past
    const lone = loneGaps({
      reader,
      gaps,
      from: startId ?? (last === undefined ? BEGINNING : earliestOf(spans)),
      wants: (source) => keys.streamsOf(source).some((key) => streams.includes(key)),
      beginnings,
      asksBefore: times.sinceMs > -Infinity && startId === undefined && last === undefined,
    })
    yield* within(lone, times)
  } catch (error) {
    // Closed by us.
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', close)
    link.close()
  }
  if (!follow) return
  const wants = ({ message, topic, bytes }: Received): boolean => {
    const stream = recordOf(keys, message, topic, bytes)?.stream
    return stream !== undefined && streams.includes(stream)
  }
  // What lies behind the last message of its source is read again.
  const onNewProblem = (refusal: Refusal): void => {
    if (!refusals.has(nameOf(refusal))) onProblem(refusal)
  }
  yield* goOn({ ...options, onProblem: onNewProblem }, { sources, positions, wants }, signal)
}

/** The journals in `dir`. Throws `NO_JOURNAL` (usage). */
export function fromJournals(dir: string, options: OriginOptions): Origin {
  const { times, last, follow } = options
  const journals = findJournals(dir).map(({ source, storage }) => ({
    source,
    journal: openJournalReader(storage),
  }))
  const positions = new Map<string, Position>()
  const open = () =>
    within(
      tracked(mergeByTime(journals.map((each) => readJournal({ ...each, times, last }))), positions),
      times,
    )
  const past = () => (last === undefined ? open() : lastOf(last, open))
  if (!follow) return past
  const sources = journals.map(({ source }) => source)
  return (signal) => goOnAfter(past(), () => goOn(options, { sources, positions }, signal))
}

/** A folder of `arbees record`, or a file of `arbees replay`. Throws `NO_RECORDING` (usage). */
export function fromRecording(path: string, { times, last }: OriginOptions): Origin {
  const pasts = openRecording(path, times, last)
  const open = () => within(mergeByTime(pasts.map((past) => past())), times)
  return () => (last === undefined ? open() : lastOf(last, open))
}

/** It names its entry. */
const nameOf = ({ reason, detail }: Refusal): string => `${reason} ${detail}`

async function* noteRefusals(past: Pages<StreamItem>, names: Set<string>): MadePages<StreamItem> {
  for await (const page of past) {
    for (const item of page) if (item.kind === 'refused') names.add(nameOf(item.refusal))
    yield page
  }
}

/** Of each where it stands, when what lies before it was taken. */
async function* tellRefusals(past: Pages<StreamItem>, tell: (refusal: Refusal) => void): PastPages {
  for await (const page of past) {
    let items: PastItem[] = []
    for (const item of page) {
      if (item.kind !== 'refused') {
        items.push(item)
        continue
      }
      yield items
      items = []
      tell(item.refusal)
    }
    yield items
  }
}

async function* goOnAfter(past: Past, next: () => Past): PastPages {
  yield* past
  yield* next()
}

/** Takes down where each source is. */
async function* tracked<T extends StreamItem>(
  past: Pages<T>,
  positions: Map<string, Position>,
): MadePages<T> {
  for await (const page of past) {
    for (const item of page) {
      if (item.kind === 'refused') continue
      const { source, epoch } = item.kind === 'gap' ? item.gap : item
      const seq = item.kind === 'gap' ? item.gap.to : item.seq
      if (seq !== null) positions.set(source, laterOf(positions.get(source) ?? NOWHERE, { epoch, seq }))
    }
    yield page
  }
}

interface GoingOn {
  readonly sources: readonly string[]
  /** Behind what was read; a source without begins with what is heard. */
  readonly positions: ReadonlyMap<string, Position>
  readonly wants?: (received: Received) => boolean
}

function goOn(
  { settings, keys, onProblem }: OriginOptions,
  { sources, positions, wants }: GoingOn,
  signal: AbortSignal,
): PastPages {
  return readLive(
    {
      transport: settings.transport,
      reader: {
        name: 'replay',
        redisUrl: settings.redis_url,
        endpoints: allEndpoints(settings).filter(
          (endpoint) =>
            endpoint.legacy === true || endpoint.sources.some((source) => sources.includes(source)),
        ),
        prefixes: [...new Set(sources.map(topicPrefixOf))],
        env: settings.env,
        clock: systemClock,
        keys,
        onProblem: (problem) => {
          if (isWorthTelling(problem)) onProblem(problem)
        },
      },
      startAt: (source) => positions.get(source) ?? 'live',
      ...(wants === undefined ? {} : { wants }),
    },
    signal,
  )
}

/** Everything else is a message that was refused, and perhaps a hole. */
const isWorthTelling = ({ kind }: Problem): boolean => kind !== 'duplicate' && kind !== 'old_epoch'

const earliestOf = ([first, ...others]: readonly StreamSpan[]): string =>
  others.reduce((least, { from }) => (isIdBefore(from, least) ? from : least), first?.from ?? BEGINNING)

function streamKeys(names: readonly string[], { env }: Settings): readonly string[] {
  const keys = redisKeys(env).streams()
  const shortNames = redisKeys('prod').streams()
  if (names.length === 0) return keys
  const found = names.map((name) => {
    const key = keys.includes(name) ? name : keys[shortNames.indexOf(name)]
    if (key !== undefined) return key
    throw new ArbeesError('UNKNOWN_STREAM', `no stream of ours is named '${name}'`, {
      exit: EXIT.USAGE,
      hint: `one of ${shortNames.join(', ')}`,
    })
  })
  return [...new Set(found)]
}
