/**
 * A stream of Redis as a past: oldest first by cursor, page by page, with what the mirror recorded to be missing, and
 * with what is trimmed away while it is read.
 */

import type { Gap } from '../bus/gap.js'
import type { Position } from '../bus/position.js'
import type { Refusal } from '../messages/codec.js'
import type { Env } from '../model/venue.js'
import { redisKeys } from '../redis/keys.js'
import type { PatientReader } from '../redis/patient-reader.js'
import { GapRecords } from './gap-records.js'
import { pastMessageOf } from './past-entry.js'
import { SourcePast, isUnguarded } from './past.js'
import type { MadePages, PastMessage, PastRefusal, StreamItem } from './past.js'
import { parseEntry, refusalOfRaw } from './stream-entry.js'
import type { RawEntry } from './stream-entry.js'
import { idBehind, isIdBefore, timeOfId } from './stream-id.js'

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
  readonly reader: PatientReader
  readonly env: Env
  readonly span: StreamSpan
  /** The stream of gaps: its key, and its last entry when there is one; asked for before the end of the span. */
  readonly gaps: { readonly key: string; readonly to: string | undefined }
}

/** One source as far as it was read. */
interface ReadSource {
  readonly past: SourcePast
  readonly records: GapRecords
  /** Its messages lie in other streams too. */
  readonly isShared: boolean
  /** How often the stream had been trimmed in front of the reader when its last message was read. */
  cuts: number
}

/** Throws what `PatientReader.ask` throws. */
export async function* readStream(options: StreamPastOptions): MadePages<StreamItem> {
  const { span, reader, env } = options
  const pages = new StreamPages(reader, span)
  const keys = redisKeys(env)
  const sources = new Map<string, ReadSource>()
  const openSource = (source: string): ReadSource => ({
    past: new SourcePast(source, span.asksBefore ? 'trimmed' : undefined),
    records: new GapRecords({ reader, ...options.gaps, source }),
    isShared: keys.streamsOf(source).length > 1,
    cuts: pages.cuts,
  })
  for (let entries = await pages.next(); entries !== undefined; entries = await pages.next()) {
    const items: StreamItem[] = []
    for (const raw of entries) {
      const message = readMessage(raw, options)
      if ('reason' in message) {
        items.push(refused(message, raw[0].toString('latin1')))
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
  const rest: StreamItem[] = []
  if (pages.isCutShort && sources.size === 0) {
    const detail = `all of ${span.key} was trimmed before it was read`
    rest.push(refused({ reason: 'trimmed', detail }, span.to))
  }
  for (const { past, records, cuts } of sources.values()) {
    let toldMs: number | undefined
    for (const { gap, recordedMs } of await records.before()) {
      if (!isRightBehind(gap, past.position)) continue
      past.gap(gap, holeReason(cuts < pages.cuts))
      toldMs = recordedMs
    }
    if (pages.isCutShort) endTrimmed(past)
    past.end(rest, toldMs)
  }
  yield rest
}

const holeReason = (wasCut: boolean) => (wasCut ? 'trimmed' : 'missed')

const refused = (refusal: Refusal, id: string): PastRefusal => ({
  kind: 'refused',
  refusal,
  timestampMs: timeOfId(id),
})

function readMessage(raw: RawEntry, { env, span }: StreamPastOptions): PastMessage | Refusal {
  const entry = parseEntry(raw)
  return entry === undefined ? refusalOfRaw(raw, span.key) : pastMessageOf(entry, env)
}

async function giveMessage(
  message: PastMessage,
  source: ReadSource,
  cuts: number,
  items: StreamItem[],
): Promise<void> {
  const { past, records, isShared } = source
  const wasCut = source.cuts < cuts
  source.cuts = cuts
  if (records.mayHaveBefore(message)) {
    for (const { gap } of await records.before(message)) {
      const { position } = past
      // Before the first message that is read, nothing was asked for.
      if (position === undefined) continue
      const isElsewhere = isShared && gap.epoch !== message.epoch && !isRightBehind(gap, position)
      if (!isElsewhere) past.gap(gap, holeReason(wasCut))
    }
  }
  if (wasCut && (past.position?.epoch ?? Infinity) < message.epoch) endTrimmed(past)
  past.message(message, holeReason(wasCut), items)
}

/** Nothing lies between that was not read: where it does, what it lies in was not to be read. */
function isRightBehind({ epoch, from }: Gap, at: Position | undefined): boolean {
  if (at === undefined) return false
  return from <= (epoch === at.epoch ? at.seq + 1 : 1)
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
  private isAtEnd = false
  /** The last entry that was read. */
  private last: string | undefined

  constructor(
    private readonly reader: PatientReader,
    private readonly span: StreamSpan,
  ) {
    this.from = span.from
  }

  async next(): Promise<readonly RawEntry[] | undefined> {
    if (this.isAtEnd) return undefined
    const { key, to } = this.span
    const before = this.last
    const { entries, head, isLast } = await this.reader.ask(async (redis, count) => {
      const [found, first] = await Promise.all([
        redis.xrangeBuffer(key, this.from, to, 'COUNT', count),
        redis.xrangeBuffer(key, '-', '+', 'COUNT', 1),
      ])
      return { entries: found, head: first, isLast: found.length < count }
    })
    const headId = head[0]?.[0].toString('latin1')
    if (before !== undefined && (headId === undefined || isIdBefore(before, headId))) this.cuts++
    this.last = entries.at(-1)?.[0].toString('latin1') ?? before
    this.isAtEnd = isLast || this.last === to
    this.isCutShort = this.isAtEnd && this.last !== to
    if (this.last !== undefined) this.from = idBehind(this.last)
    return entries
  }
}
