/**
 * A stream of Redis as a past: oldest first by cursor, page by page, with what the mirror recorded to be missing, and
 * with what is trimmed away while it is read.
 */

import { sleep } from '../core/backoff.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import type { Refusal } from '../messages/codec.js'
import type { Env } from '../model/venue.js'
import type { RedisLink } from '../redis/connection.js'
import { isConnectionCode, redisError, redisErrorCode } from '../redis/errors.js'
import { GapRecords } from './gap-records.js'
import { pastMessageOf } from './past-entry.js'
import { SourcePast, isUnguarded } from './past.js'
import type { PastItem, PastMessage, PastPages } from './past.js'
import { parseEntry } from './stream-entry.js'
import type { RawEntry } from './stream-entry.js'
import { idBehind, isIdBefore } from './stream-id.js'

/** What of a stream is read. */
export interface StreamSpan {
  readonly key: string
  /** Ids of the first and of the last entry, both included. */
  readonly from: string
  readonly to: string
  /** More was asked for than the stream still has: what is trimmed before its first entry counts as missing. */
  readonly asksBefore: boolean
}

export interface StreamPastOptions {
  readonly link: RedisLink
  readonly env: Env
  readonly span: StreamSpan
  /** The stream of gaps: its key, and its last entry when there is one. */
  readonly gaps: { readonly key: string; readonly to: string | undefined }
  /** An entry that is no message: left out. */
  readonly onProblem: (refusal: Refusal) => void
}

const PAGE = 500
/** A connection that is cut in the middle is waited for so long. */
const PATIENCE_MS = 10_000
const RETRY_MS = 50

/** One source as far as it was read. */
interface ReadSource {
  readonly past: SourcePast
  readonly records: GapRecords
  /** How often the stream had been trimmed in front of the reader when its last message was read. */
  cuts: number
}

/** Throws `REDIS_REPLACED` (exit 8) where Redis was started again meanwhile, and what `redisError` makes of a failure. */
export async function* readStream(options: StreamPastOptions): PastPages {
  const { span, onProblem } = options
  const pages = new StreamPages(options.link, span)
  const sources = new Map<string, ReadSource>()
  const openSource = (source: string): ReadSource => ({
    past: new SourcePast(source, span.asksBefore ? 'trimmed' : undefined),
    records: new GapRecords({ redis: options.link.redis, ...options.gaps, source }),
    cuts: pages.cuts,
  })
  for (let entries = await pages.next(); entries !== undefined; entries = await pages.next()) {
    const items: PastItem[] = []
    for (const raw of entries) {
      const message = readMessage(raw, options)
      if ('reason' in message) {
        onProblem(message)
        continue
      }
      if (isUnguarded(message)) {
        items.push(message)
        continue
      }
      const source = sources.get(message.source) ?? openSource(message.source)
      sources.set(message.source, source)
      await giveMessage(message, source, pages.cuts, items)
    }
    yield items
  }
  if (pages.isCutShort && sources.size === 0) {
    onProblem({ reason: 'trimmed', detail: `all of ${span.key} was trimmed before it was read` })
  }
  const rest: PastItem[] = []
  for (const { past, records, cuts } of sources.values()) {
    const left = await records.before()
    for (const { gap } of left) past.gap(gap, holeReason(cuts < pages.cuts))
    if (pages.isCutShort) endTrimmed(past)
    past.end(rest, left.at(-1)?.recordedMs)
  }
  yield rest
}

const holeReason = (wasCut: boolean) => (wasCut ? 'trimmed' : 'missed')

function readMessage(raw: RawEntry, { env, span }: StreamPastOptions): PastMessage | Refusal {
  const entry = parseEntry(raw)
  if (entry !== undefined) return pastMessageOf(entry, env)
  return { reason: 'bad_entry', detail: `entry ${raw[0].toString('latin1')} of ${span.key}` }
}

async function giveMessage(
  message: PastMessage,
  source: ReadSource,
  cuts: number,
  items: PastItem[],
): Promise<void> {
  const { past, records } = source
  const wasCut = source.cuts < cuts
  source.cuts = cuts
  if (records.mayHaveBefore(message)) {
    const found = await records.before(message)
    // Before the first message that is read, nothing was asked for.
    if (past.position !== undefined) for (const { gap } of found) past.gap(gap, holeReason(wasCut))
  }
  if (wasCut && (past.position?.epoch ?? Infinity) < message.epoch) endTrimmed(past)
  past.message(message, holeReason(wasCut), items)
}

/** Nobody knows how far its epoch went. */
function endTrimmed(past: SourcePast): void {
  const { position, source } = past
  if (position === undefined) return
  past.gap({ source, epoch: position.epoch, from: position.seq + 1, to: null, reason: 'trimmed' }, 'trimmed')
}

/** The pages of a span. */
class StreamPages {
  /** How often entries right behind the last one read were trimmed, or may have been. */
  cuts = 0
  /** The last entries of the span are gone. */
  isCutShort = false
  private from: string
  private runId: string | undefined
  private isAtEnd = false
  /** The last entry that was read. */
  private last: string | undefined

  constructor(
    private readonly link: RedisLink,
    private readonly span: StreamSpan,
  ) {
    this.from = span.from
  }

  async next(): Promise<readonly RawEntry[] | undefined> {
    if (this.isAtEnd) return undefined
    const { key, to } = this.span
    const before = this.last
    const { redis } = this.link
    const [entries, head] = await this.ask(() =>
      Promise.all([
        redis.xrangeBuffer(key, this.from, to, 'COUNT', PAGE),
        redis.xrangeBuffer(key, '-', '+', 'COUNT', 1),
      ]),
    )
    const headId = head[0]?.[0].toString('latin1')
    if (before !== undefined && (headId === undefined || isIdBefore(before, headId))) this.cuts++
    this.last = entries.at(-1)?.[0].toString('latin1') ?? before
    this.isAtEnd = entries.length < PAGE || this.last === to
    this.isCutShort = this.isAtEnd && this.last !== to
    if (this.last !== undefined) this.from = idBehind(this.last)
    return entries
  }

  /** A cut is waited for: nothing was changed, so asking twice is no harm. */
  private async ask<T>(question: () => Promise<T>): Promise<T> {
    for (;;) {
      const { runId } = await this.link.ready(PATIENCE_MS)
      this.runId ??= runId
      if (this.runId !== runId) throw replaced(this.link.shownUrl)
      try {
        return await question()
      } catch (error) {
        if (!isConnectionCode(redisErrorCode(error))) throw redisError(this.link.shownUrl, error)
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
