/** `arbees journal drain`: the journals of a publisher that is gone for good, into Redis. */

import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { readRecords } from '../bus/journal/record.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { decode } from '../messages/codec.js'
import { drainJournal } from '../mirror/drain.js'
import { maxLengthOf, streamLengths } from '../mirror/routes.js'
import { BatchWriter } from '../mirror/writer.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisLink } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { isLackedByRedis } from './drain-past.js'
import { findJournals } from './journal-folders.js'

export interface DrainedChannel {
  readonly source: string
  readonly written: number
  readonly gaps: readonly {
    readonly epoch: number
    /** Null: behind the last one that is there, nobody knows how far. */
    readonly from: number | null
    readonly to: number | null
    readonly reason: string
  }[]
  /** What Redis holds now. */
  readonly epoch: number
  readonly seq: number
  /** False when the machine crashed: more may have been published than the journal shows. */
  readonly end_known: boolean
  /** Redis is in a later epoch already and does not have all of this journal; nobody can write it any more. */
  readonly too_late: boolean
}

export interface DrainReport {
  readonly channels: readonly DrainedChannel[]
  readonly written: number
  readonly gaps: number
  /** Channels that Redis was past already, without all that their journals hold. */
  readonly too_late: number
}

interface Found {
  readonly source: string
  readonly journal: JournalReader
}

/**
 * Drains every journal in `dir`, which is one or holds some. Throws `NO_JOURNAL` (exit 2), `JOURNAL_LOCKED` and
 * `WRONG_ENV` (exit 7) before anything is written, and what `connectRedis` and `drainJournal` throw.
 */
export async function drainJournals(settings: Settings, dir: string): Promise<DrainReport> {
  const found = findJournals(dir).map(({ source, storage }) => ({
    source,
    journal: openJournalReader(storage),
  }))
  for (const { source, journal } of found) assertDrainable(source, journal, settings)
  const link = await connectRedis(settings.redis_url, 'arbees-drain')
  try {
    const channels: DrainedChannel[] = []
    for (const each of found) channels.push(...(await drainOne(settings, link, each)))
    return {
      channels,
      written: channels.reduce((sum, { written }) => sum + written, 0),
      gaps: channels.reduce((sum, { gaps }) => sum + gaps.length, 0),
      too_late: channels.filter(({ too_late: isTooLate }) => isTooLate).length,
    }
  } finally {
    link.close()
  }
}

async function drainOne(
  settings: Settings,
  link: RedisLink,
  { source, journal }: Found,
): Promise<DrainedChannel[]> {
  const { env } = settings
  const maxLength = maxLengthOf(source, streamLengths(settings))
  const channel = { env, source, keys: redisKeys(env) }
  const drained = await drainJournal({
    journal,
    channel,
    writer: new BatchWriter({ redis: link.redis, env, source, maxLength }),
    maxBehind: maxLength,
  })
  if (drained === undefined) return []
  const { written, gaps, position, end } = drained
  const isPast = position.epoch > end.epoch
  return [
    {
      source,
      written,
      gaps: gaps.map((gap) =>
        gap.kind === 'gap'
          ? { epoch: gap.epoch, from: gap.from, to: gap.to, reason: gap.reason }
          : { epoch: gap.from, from: null, to: null, reason: gap.reason ?? '' },
      ),
      epoch: position.epoch,
      seq: position.seq,
      end_known: end.isKnown,
      too_late: isPast && (await isLackedByRedis({ link, channel, journal, maxLength })),
    },
  ]
}

function assertDrainable(source: string, journal: JournalReader, { env }: Settings): void {
  if (journal.writer !== undefined) {
    throw new ArbeesError('JOURNAL_LOCKED', `process ${journal.writer} writes the journal of ${source}`, {
      exit: EXIT.REFUSED,
      hint: 'its publisher lives: the mirror pulls from it',
    })
  }
  const [oldest] = journal.segments
  if (oldest === undefined) return
  const { bytes } = journal.answer({ epoch: oldest.epoch, from: oldest.first }, { records: 1, bytes: 1 })
  const [record] = readRecords(bytes) ?? []
  const decoded = record === undefined ? undefined : decode(record.topic, record.data, env)
  if (decoded?.kind === 'refused' && decoded.refusal.reason === 'wrong_env') {
    throw new ArbeesError(
      'WRONG_ENV',
      `the journal of ${source} is not of ${env}: ${decoded.refusal.detail}`,
      {
        exit: EXIT.REFUSED,
        hint: 'say where its data came from with --env',
      },
    )
  }
}
