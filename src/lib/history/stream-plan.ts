/** Which entries of which streams are to be read: asked once, so that a window that moves on ends where it ended then. */

import type { Env } from '../model/venue.js'
import type { PatientReader } from '../redis/patient-reader.js'
import type { TimeSpan } from './merge.js'
import { pastMessageOf } from './past-entry.js'
import { parseEntry } from './stream-entry.js'
import type { RawEntry } from './stream-entry.js'
import { idBefore, isIdBefore } from './stream-id.js'
import type { StreamSpan } from './stream-past.js'
import { BEGINNING } from './stream-place.js'

export interface StreamRequest {
  readonly env: Env
  /** Keys. */
  readonly streams: readonly string[]
  readonly times: TimeSpan
  /** First id in each stream. */
  readonly startId?: string | undefined
  /** So many messages of all streams together, the last ones within the times. */
  readonly last?: number | undefined
}

/** Streams that hold nothing of it are left out. Throws what `PatientReader.ask` throws. */
export async function planStreams(reader: PatientReader, request: StreamRequest): Promise<StreamSpan[]> {
  const { streams, startId, times, last } = request
  const spans: StreamSpan[] = []
  for (const key of streams) {
    const [head, to] = [await firstId(reader, key), await lastId(reader, key)]
    if (head === undefined || to === undefined) continue
    const asksBefore = startId === undefined ? times.sinceMs > -Infinity : isIdBefore(startId, head)
    const from = startId ?? BEGINNING
    if (!isIdBefore(to, from)) spans.push({ key, from, to, asksBefore })
  }
  return last === undefined ? spans : lastSpans(reader, spans, request, last)
}

/** The newest entry; undefined where there is none. */
export async function lastId(reader: PatientReader, key: string): Promise<string | undefined> {
  const [entry] = await reader.ask((redis) => redis.xrevrangeBuffer(key, '+', '-', 'COUNT', 1))
  return entry?.[0].toString('latin1')
}

async function firstId(reader: PatientReader, key: string): Promise<string | undefined> {
  const [entry] = await reader.ask((redis) => redis.xrangeBuffer(key, '-', '+', 'COUNT', 1))
  return entry?.[0].toString('latin1')
}

/** Begins each span where the last `count` messages of all of them begin; one that has none of them is left out. */
async function lastSpans(
  reader: PatientReader,
  spans: readonly StreamSpan[],
  { env, times }: StreamRequest,
  count: number,
): Promise<StreamSpan[]> {
  const tails = spans.map((span) => new Tail(reader, span, env, times))
  const starts = new Map<StreamSpan, string>()
  for (let left = count; left > 0; left--) {
    for (const tail of tails) await tail.fill()
    const newest = tails.reduce<Tail | undefined>(
      (best, tail) => (isNewer(tail, best) ? tail : best),
      undefined,
    )
    const id = newest?.take()
    if (newest === undefined || id === undefined) break
    starts.set(newest.span, id)
  }
  const begun: StreamSpan[] = []
  for (const [span, from] of starts) {
    // One that begins later has all that was asked for.
    const asksBefore = span.asksBefore && (await firstId(reader, span.key)) === from
    begun.push({ ...span, from, asksBefore })
  }
  return begun
}

const isNewer = (tail: Tail, than: Tail | undefined): boolean =>
  tail.timeMs !== undefined && (than?.timeMs === undefined || tail.timeMs > than.timeMs)

/** A span from its end. */
class Tail {
  private page: { readonly id: string; readonly timeMs: number }[] = []
  private to: string | undefined
  /** Never rises, as time in a stream never should. */
  private lastMs = Infinity

  constructor(
    private readonly reader: PatientReader,
    readonly span: StreamSpan,
    private readonly env: Env,
    private readonly times: TimeSpan,
  ) {
    this.to = span.to
  }

  /** Of the newest message that was not taken; undefined when there is none. */
  get timeMs(): number | undefined {
    const [first] = this.page
    return first === undefined ? undefined : Math.min(first.timeMs, this.lastMs)
  }

  /** Takes it; says its id. */
  take(): string | undefined {
    this.lastMs = this.timeMs ?? this.lastMs
    return this.page.shift()?.id
  }

  async fill(): Promise<void> {
    const { key, from } = this.span
    while (this.page.length === 0 && this.to !== undefined) {
      const { to } = this
      const { entries, isLast } = await this.reader.ask(async (redis, count) => {
        const found = await redis.xrevrangeBuffer(key, to, from, 'COUNT', count)
        return { entries: found, isLast: found.length < count }
      })
      const oldest = entries.at(-1)?.[0].toString('latin1')
      this.to = oldest === undefined || isLast ? undefined : idBefore(oldest)
      this.page = entries.flatMap((raw) => this.read(raw))
    }
  }

  private read(raw: RawEntry): { readonly id: string; readonly timeMs: number }[] {
    const entry = parseEntry(raw)
    const message = entry === undefined ? undefined : pastMessageOf(entry, this.env)
    if (entry === undefined || message === undefined || 'reason' in message) return []
    const { timestampMs: timeMs } = message
    const isWithin = timeMs >= this.times.sinceMs && timeMs <= this.times.untilMs
    return isWithin ? [{ id: entry.id, timeMs }] : []
  }
}
