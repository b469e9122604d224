/** Where a tap of what was comes from: Redis, with the publishers' journals where that is too short, then what is. */

import type { BusKeys } from '../bus/curve.js'
import { NOWHERE, isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import type { Earlier } from '../history/earlier.js'
import { messageOfEntry } from '../history/entry-message.js'
import { readLive } from '../history/live-past.js'
import type { LivePastOptions } from '../history/live-past.js'
import type { Past, PastMessage, PastPages } from '../history/past.js'
import { readPublisher } from '../history/publisher-past.js'
import { pullSnapshot } from '../history/publisher-snapshot.js'
import type { PulledFrom } from '../history/pulled-journal.js'
import { timeOfId } from '../history/stream-id.js'
import type { Refusal } from '../messages/codec.js'
import { familyOfSource, topicPrefixOf } from '../messages/sources.js'
import { HEALTH_PREFIX } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import { redisKeys } from '../redis/keys.js'
import { LastWanted } from './last-wanted.js'
import { fromRedis } from './replay-origin.js'
import type { Origin, RedisOriginOptions } from './replay-origin.js'
import { isWhole, wantsSource } from './tap-selection.js'
import type { TapSelection } from './tap-selection.js'

/** From when on. */
export type TapSince = { readonly sinceMs: number } | { readonly startId: string } | { readonly last: number }

export interface TapOriginOptions {
  readonly settings: Settings
  readonly endpoints: readonly PublisherEndpoint[]
  readonly env: Env
  /** What is read: the publishers and, for what was, Redis; or Redis alone. */
  readonly from: Settings['transport']
  readonly selection: TapSelection
  readonly clock: Clock
  readonly keys: BusKeys | undefined
  readonly onProblem: (refusal: Refusal) => void
  /** A publisher was asked for what it has, and does not answer; once of each. */
  readonly onNoAnswer: (publisher: string) => void
  /** Redis, which is read alone, does not answer. */
  readonly onRedisDown: () => void
  /** One line, without its newline. */
  readonly talk: (line: string) => void
}

/** What was, then what is, without a seam. Throws `NO_PAST` (usage); it throws what `fromRedis` does. */
export function pastThenLive(since: TapSince, options: TapOriginOptions): Origin {
  const { settings, from, selection, keys, onProblem, talk } = options
  const sources = wantedSources(options)
  refuseWithoutPast(options)
  const journals = new Journals(options)
  const startMs =
    'sinceMs' in since ? since.sinceMs : 'startId' in since ? timeOfId(since.startId) : -Infinity
  const earlier: Earlier = (source, before, after) =>
    journals.read(source, before, after ? { after } : 'last' in since ? since : { sinceMs: startMs })
  const last = 'last' in since ? since.last : undefined
  const shaped: Partial<RedisOriginOptions> =
    last === undefined
      ? {}
      : {
          last: isWhole(selection, sources) ? last : undefined,
          shape: (past, further) =>
            new LastWanted({ count: last, sources, selection, talk }).of(past, further),
        }
  const redis = redisKeys(settings.env)
  const origin = fromRedis([...new Set(sources.flatMap((source) => redis.streamsOf(source)))], {
    settings: { ...settings, transport: from },
    times: { sinceMs: 'sinceMs' in since ? startMs : -Infinity, untilMs: Infinity },
    startId: 'startId' in since ? since.startId : undefined,
    follow: true,
    keys,
    onProblem,
    ...(from === 'redis' ? {} : { earlier }),
    ...shaped,
  })
  return (signal) => journals.closedAfter(origin(signal))
}

/** What comes from now on, as Redis has it. Throws `NO_PAST` (usage). */
export function liveFromRedis(options: TapOriginOptions): Origin {
  refuseWithoutPast(options)
  return (signal) =>
    readLive(
      liveOptions(options, () => 'live'),
      signal,
    )
}

/** Families whose topics have a state; the others' messages are events. */
const STATES: ReadonlySet<string> = new Set(['prices', 'orderbook', 'games'])
const hasState = (source: string): boolean => STATES.has(familyOfSource(source))

/**
 * The newest value of each topic as its publisher has it; then, when told so, what comes behind these. Throws
 * `NO_SNAPSHOT` (usage).
 */
export function newestValues(options: TapOriginOptions, follow: boolean): Origin {
  const events = wantedSources(options).filter((source) => !hasState(source))
  if (events.length === wantedSources(options).length) {
    throw new ArbeesError('NO_SNAPSHOT', `no newest values of '${options.selection.prefixes.join(' ')}'`, {
      exit: EXIT.USAGE,
      hint: 'prices, books and games have one of each topic; of events take the last ones: --last 20',
    })
  }
  if (events.length > 0) options.talk(`events have no newest values, see --last: ${events.join(', ')}`)
  const journals = new Journals(options)
  return (signal) => journals.closedAfter(readNewest(options, journals, follow, signal))
}

async function* readNewest(
  options: TapOriginOptions,
  journals: Journals,
  follow: boolean,
  signal: AbortSignal,
): PastPages {
  const { endpoints, env, onProblem, talk } = options
  const wanted = new Set(wantedSources(options).filter(hasState))
  const positions = new Map<string, Position>()
  const shown = new Map<string, Position>()
  const pulled = endpoints.map(async (endpoint) => {
    const messages: PastMessage[] = []
    for (const source of endpoint.sources.filter((each) => wanted.has(each))) {
      const client = journals.clientOf(endpoint)
      const snapshot = client && (await pullSnapshot(client, source))
      if (snapshot === undefined) {
        journals.noAnswer(endpoint.publisher)
        break
      }
      if (!snapshot.isComplete) talk(`${source}: topics that were silent for long are not in it`)
      positions.set(source, snapshot.at)
      messages.push(...snapshot.messages)
    }
    return messages
  })
  for (const messages of await Promise.all(pulled)) {
    yield messages
      .sort((a, b) => (a.topic < b.topic ? -1 : 1))
      .filter((message) => {
        const legible = messageOfEntry(message, env)
        if ('reason' in legible) onProblem(legible)
        else shown.set(message.topic, message)
        return !('reason' in legible)
      })
  }
  if (!follow) return
  const live = liveOptions(options, (source) => positions.get(source) ?? 'live')
  yield* readLive(
    { ...live, wants: ({ topic, message }) => isBefore(shown.get(topic) ?? NOWHERE, message.header) },
    signal,
  )
}

/** The publishers' journals, asked over their recovery sockets. */
class Journals {
  private readonly clients = new Map<string, RecoveryClient>()
  private readonly silent = new Set<string>()

  constructor(private readonly options: TapOriginOptions) {}

  async *read(source: string, before: Position | undefined, from: PulledFrom): PastPages {
    const { endpoints, env, onProblem } = this.options
    const endpoint = endpoints.find(({ sources }) => sources.includes(source))
    const client = endpoint && this.clientOf(endpoint)
    if (endpoint === undefined || client === undefined || this.silent.has(endpoint.publisher)) return
    const onNoAnswer = () => this.noAnswer(endpoint.publisher)
    yield* readPublisher({ client, source, env, before, from, onNoAnswer, onProblem })
  }

  /** Undefined where there is nobody to ask. */
  clientOf(endpoint: PublisherEndpoint): RecoveryClient | undefined {
    const { clock, keys } = this.options
    if (endpoint.recoveryUrl === undefined) return undefined
    const client =
      this.clients.get(endpoint.publisher) ??
      new RecoveryClient({ endpoint, clock, ...(keys === undefined ? {} : { keys }) })
    this.clients.set(endpoint.publisher, client)
    return client
  }

  noAnswer(publisher: string): void {
    if (this.silent.has(publisher)) return
    this.silent.add(publisher)
    this.options.onNoAnswer(publisher)
  }

  async *closedAfter(past: Past): PastPages {
    try {
      yield* past
    } finally {
      for (const client of this.clients.values()) client.close()
    }
  }
}

function liveOptions(
  { settings, endpoints, env, from, clock, keys, onProblem, onRedisDown, talk, selection }: TapOriginOptions,
  startAt: LivePastOptions['startAt'],
): LivePastOptions {
  const wanted = endpoints.filter(
    ({ sources, legacy }) => legacy === true || sources.some((source) => wantsSource(selection, source)),
  )
  const prefixes = wanted.flatMap(({ sources }) =>
    sources.filter((source) => wantsSource(selection, source)).map(topicPrefixOf),
  )
  return {
    transport: from,
    reader: {
      name: 'tap',
      redisUrl: settings.redis_url,
      endpoints: wanted,
      prefixes: [...new Set(prefixes)],
      env,
      clock,
      keys,
      onProblem: (problem) => {
        if (problem.kind !== 'duplicate' && problem.kind !== 'old_epoch') onProblem(problem)
      },
      onRedisDown: ({ message }) => {
        talk(message)
        if (from === 'redis') onRedisDown()
      },
    },
    startAt,
  }
}

const wantedSources = ({
  endpoints,
  selection,
}: Pick<TapOriginOptions, 'endpoints' | 'selection'>): string[] =>
  endpoints.flatMap(({ sources }) => sources).filter((source) => wantsSource(selection, source))

/** Heartbeats and replays are in no stream. */
function refuseWithoutPast(options: TapOriginOptions): void {
  const { prefixes } = options.selection
  const without = prefixes.find((prefix) => prefix.startsWith(HEALTH_PREFIX)) ?? prefixes[0] ?? ''
  const isAll = options.env !== 'replay' && wantedSources(options).length > 0
  if (isAll && !without.startsWith(HEALTH_PREFIX)) return
  throw new ArbeesError('NO_PAST', `'${without}' is in no stream of Redis`, {
    exit: EXIT.USAGE,
    hint: 'heartbeats and replays are not kept: tap them live',
  })
}
