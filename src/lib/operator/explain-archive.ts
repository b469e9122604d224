/** Where `explain` looks things up: the streams of Redis, and the journals on this disk. */

import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { journalRoot } from '../bus/journal/paths.js'
import { readRecords } from '../bus/journal/record.js'
import type { Position } from '../bus/position.js'
import { CHUNK } from '../bus/recovery/messages.js'
import type { Settings } from '../core/config.js'
import { messageOf } from '../core/errors.js'
import { readJournal } from '../history/journal-past.js'
import { mergeByTime, within } from '../history/merge.js'
import type { TimeSpan } from '../history/merge.js'
import type { Past, PastMessage } from '../history/past.js'
import { pastMessageOf } from '../history/past-entry.js'
import { parseEntry } from '../history/stream-entry.js'
import { findPlace } from '../history/stream-place.js'
import { familyOfSource } from '../messages/sources.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisLink } from '../redis/connection.js'
import { redisError } from '../redis/errors.js'
import { redisKeys } from '../redis/keys.js'
import { findJournals } from './journal-folders.js'
import { fromRedis } from './replay-origin.js'

export interface Archive {
  readonly name: 'redis' | 'journal'
  /** Signals, orders and trades, oldest first. */
  decisions(): Past
  /** States of games in these times. */
  games(times: TimeSpan): Past
  /** One message; undefined where it is not there, or not any more. */
  at(source: string, place: Position): Promise<PastMessage | undefined>
  close(): void
}

const ALWAYS: TimeSpan = { sinceMs: -Infinity, untilMs: Infinity }
const DECISIONS = [
  ...['signals:trades', 'orders:history', 'trades:history'],
  ...['paper:orders:history', 'paper:trades:history'],
]
/** Entries behind a place that may belong to other sources of the same stream. */
const LOOK_AHEAD = 100

/** Throws what `connectRedis` throws. */
async function openRedisArchive(settings: Settings): Promise<Archive> {
  const { env } = settings
  const keys = redisKeys(env)
  const link = await connectRedis(settings.redis_url, 'arbees-explain')
  const read = (names: readonly string[], times: TimeSpan): Past => {
    // An entry that is no message is for `replay` to tell of.
    const options = { settings, times, follow: false, keys: undefined, onProblem: () => undefined }
    return fromRedis(names, options)(new AbortController().signal)
  }
  return {
    name: 'redis',
    decisions: () => read(DECISIONS, ALWAYS),
    games: (times) => read(['games:events'], times),
    at: async (source, place) => {
      for (const key of keys.streamsOf(source)) {
        const found = await entryAt(link, key, source, place, env)
        if (found !== undefined) return found
      }
      return undefined
    },
    close: () => link.close(),
  }
}

async function entryAt(
  { redis, shownUrl }: RedisLink,
  key: string,
  source: string,
  place: Position,
  env: Settings['env'],
): Promise<PastMessage | undefined> {
  try {
    const before = { epoch: place.epoch, seq: place.seq - 1 }
    const { after } = await findPlace(redis, key, new Map([[source, before]]))
    for (const raw of await redis.xrangeBuffer(key, after, '+', 'COUNT', LOOK_AHEAD)) {
      const entry = parseEntry(raw)
      if (entry?.source !== source || entry.epoch !== place.epoch || entry.seq !== place.seq) continue
      const message = pastMessageOf(entry, env)
      return 'reason' in message ? undefined : message
    }
    return undefined
  } catch (error) {
    throw redisError(shownUrl, error)
  }
}

/** Throws `NO_JOURNAL` (usage). */
export function openJournalArchive(dir: string): Archive {
  const readers = new Map<string, JournalReader>()
  const storages = new Map(findJournals(dir).map(({ source, storage }) => [source, storage]))
  const readerOf = (source: string): JournalReader | undefined => {
    const storage = storages.get(source)
    if (storage === undefined) return undefined
    const reader = readers.get(source) ?? openJournalReader(storage)
    readers.set(source, reader)
    return reader
  }
  const read = (families: readonly string[], times: TimeSpan): Past => {
    const pasts = [...storages.keys()]
      .filter((source) => families.includes(familyOfSource(source)))
      .flatMap((source) => {
        const journal = readerOf(source)
        return journal === undefined ? [] : [readJournal({ source, journal, times })]
      })
    return within(mergeByTime(pasts), times)
  }
  return {
    name: 'journal',
    decisions: () => read(['signals', 'orders', 'trades'], ALWAYS),
    games: (times) => read(['games'], times),
    at: (source, { epoch, seq }) => {
      const answer = readerOf(source)?.answer({ epoch, from: seq, to: seq }, CHUNK)
      const [record] = answer === undefined ? [] : (readRecords(answer.bytes) ?? [])
      return Promise.resolve(record === undefined ? undefined : { kind: 'message', source, ...record })
    },
    close: () => undefined,
  }
}

/**
 * Redis, then the journals of the data dir; or the journals in `dir` alone. What cannot be opened is told, unless nothing
 * can. Throws then what opening Redis throws, and `NO_JOURNAL` (usage) for `dir`.
 */
export async function openArchives(
  settings: Settings,
  dir: string | undefined,
  talk: (line: string) => void,
): Promise<Archive[]> {
  if (dir !== undefined) return [openJournalArchive(dir)]
  const archives: Archive[] = []
  let failure: unknown
  try {
    archives.push(await openRedisArchive(settings))
  } catch (error) {
    failure = error
  }
  try {
    archives.push(openJournalArchive(journalRoot(settings)))
  } catch {
    // There are none here: Redis is all that there is.
  }
  if (archives.length === 0) throw failure
  if (failure !== undefined) talk(`without Redis: ${messageOf(failure)}`)
  return archives
}
