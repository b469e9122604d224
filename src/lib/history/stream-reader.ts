/**
 * Follows what the mirror writes: the streams of some sources, from what their reader has, in order, as it comes
 * (`XREAD BLOCK` on a connection of its own). After every failure the place is searched for again.
 */

import { isBefore, laterOf } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { sleep } from '../core/backoff.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { RedisLink } from '../redis/connection.js'
import type { RedisClient } from '../redis/connection.js'
import { redisError, redisErrorCode } from '../redis/errors.js'
import type { RedisKeys } from '../redis/keys.js'
import { Portion } from '../redis/portion.js'
import { joinBatches } from './joined-streams.js'
import type { JoinedBatches, StreamBatch } from './joined-streams.js'
import { parseEntry, refusalOfRaw } from './stream-entry.js'
import type { RawEntry, StreamEntry } from './stream-entry.js'
import { BEGINNING, findPlace } from './stream-place.js'
import type { StreamStart } from './stream-place.js'

export interface StreamReaderOptions {
  readonly redisUrl: string
  /** Shown by `CLIENT LIST`. */
  readonly name: string
  readonly keys: RedisKeys
  /** Channels to read. */
  readonly sources: readonly string[]
  /** What the owner has of a source by now: asked at the start and after every failure. */
  readonly startOf: (source: string) => StreamStart
  /** What lies further behind the newest entry of its source is passed over. */
  readonly maxBehind?: number | undefined
  /**
   * In the order of its source; may repeat what was handed on before Redis lost its data. `previous` is the entry of
   * the same source before it, handed on or not; undefined where the stream has none.
   */
  readonly onEntry: (entry: StreamEntry, previous: Position | undefined) => void
  /** What came at once was handed on. */
  readonly onDrained?: () => void
  /** True: everything that the streams held was handed on, and more is as it comes. False: Redis does not answer. */
  readonly onFollowing?: (isFollowing: boolean) => void
  /** An entry that cannot be taken: a stable reason, and what was found. */
  readonly onProblem: (reason: 'bad_entry' | 'handler_failed', detail: string) => void
  /** Once until it follows again. */
  readonly onDown?: (error: ArbeesError) => void
}

/** Entries of each stream in one reply at most: more would hold up everything else in the process. */
const COUNT = 200
/** Below the deadline of a command. */
const BLOCK_MS = 500
const RETRY_MS = 100

export class StreamReader {
  private readonly link: RedisLink
  private readonly ended = new AbortController()
  private readonly groups = new Map<string, StreamGroup>()
  /** Where `live` was when it was first asked for: it stays there until something came. */
  private readonly firstFloors = new Map<string, Position>()
  /** By source: what is not handed on. */
  private floors = new Map<string, Position>()
  /** By source: the last entry that was read. */
  private latest = new Map<string, Position>()
  private readonly portion = new Portion(COUNT)
  private isFollowing = false
  private hasTold = false

  /** Connects in the background and keeps trying. Throws `BAD_REDIS_URL` (exit 4), `NO_STREAM` (usage). */
  constructor(private readonly options: StreamReaderOptions) {
    const { redisUrl, name, keys, sources } = options
    for (const source of sources) {
      const streams = keys.streamsOf(source)
      if (streams.length === 0) throw noStream(source)
      const id = streams.join(' ')
      this.groups.set(id, { streams, sources: [...(this.groups.get(id)?.sources ?? []), source] })
    }
    this.link = new RedisLink({ url: redisUrl, name, onDown: (error) => this.tellDown(error) })
    void this.run()
  }

  close(): void {
    this.ended.abort()
    this.link.close()
  }

  private async run(): Promise<void> {
    const { signal } = this.ended
    while (!signal.aborted && this.groups.size > 0) {
      try {
        await this.link.ready()
        await this.follow(signal)
      } catch (error) {
        if (signal.aborted) return
        this.setFollowing(false)
        if (redisErrorCode(error) === 'TIMEOUT') {
          this.portion.tookTooLong()
          // What is left of the answer would be in the way of the next one.
          this.link.reconnect()
        }
        this.tellDown(redisError(this.link.shownUrl, error))
        await sleep(RETRY_MS, signal)
      }
    }
  }

  /** Ends only by a failure, or with the reader. */
  private async follow(signal: AbortSignal): Promise<void> {
    const places = await this.findPlaces()
    let isBehind = true
    while (!signal.aborted) {
      const reply = await read(this.link.redis, places, this.portion.size, !isBehind)
      this.portion.cameInTime()
      isBehind = false
      for (const { streams } of this.groups.values()) {
        const batches = streams.flatMap((key) => reply.get(key) ?? [])
        isBehind ||= batches.some(({ isFull }) => isFull)
        const { entries, places: read } = inOrder(batches)
        for (const [key, place] of read) places.set(key, place)
        for (const { key, raw } of entries) this.handOn(key, raw)
      }
      this.options.onDrained?.()
      if (!isBehind) this.setFollowing(true)
    }
  }

  /** By stream: the id behind which to read. */
  private async findPlaces(): Promise<Map<string, string>> {
    const places = new Map<string, string>()
    this.floors = new Map()
    this.latest = new Map()
    for (const { streams, sources } of this.groups.values()) {
      const starts = new Map(sources.map((source) => [source, this.startOf(source)]))
      for (const key of streams) {
        const { after, floors, latest } = await findPlace(this.link.redis, key, starts, {
          maxBehind: this.options.maxBehind,
          page: this.portion.size,
        })
        places.set(key, after)
        raise(this.floors, floors)
        // Read again from the beginning, the stream tells by itself.
        if (after !== BEGINNING) raise(this.latest, latest)
      }
      for (const source of sources) this.firstFloors.set(source, this.floors.get(source) ?? NOTHING)
    }
    return places
  }

  private startOf(source: string): StreamStart {
    const start = this.options.startOf(source)
    return start === 'live' ? (this.firstFloors.get(source) ?? start) : start
  }

  private handOn(key: string, raw: RawEntry): void {
    const entry = parseEntry(raw)
    if (entry === undefined) {
      const { reason, detail } = refusalOfRaw(raw, key)
      return this.options.onProblem(reason, detail)
    }
    const { source, epoch, seq } = entry
    if (!this.options.sources.includes(source)) return
    const previous = this.latest.get(source)
    this.latest.set(source, { epoch, seq })
    const floor = this.floors.get(source)
    if (floor !== undefined && !isBefore(floor, entry)) return
    try {
      this.options.onEntry(entry, previous)
    } catch (error) {
      this.options.onProblem('handler_failed', `${entry.topic}: ${messageOf(error)}`)
    }
  }

  private setFollowing(isFollowing: boolean): void {
    if (isFollowing) this.hasTold = false
    if (isFollowing === this.isFollowing) return
    this.isFollowing = isFollowing
    this.options.onFollowing?.(isFollowing)
  }

  private tellDown(error: ArbeesError): void {
    if (this.hasTold) return
    this.hasTold = true
    this.options.onDown?.(error)
  }
}

/** The streams that some sources share. */
interface StreamGroup {
  readonly streams: readonly string[]
  readonly sources: readonly string[]
}

const inOrder = (batches: readonly StreamBatch[]): JoinedBatches => {
  const [only] = batches
  if (only === undefined || batches.length > 1) return joinBatches(batches)
  const last = only.entries.at(-1)?.[0].toString('latin1')
  const entries = only.entries.map((raw) => ({ key: only.key, raw }))
  return { entries, places: new Map(last === undefined ? [] : [[only.key, last]]) }
}

/** The later of two positions stays. */
function raise(positions: Map<string, Position>, found: ReadonlyMap<string, Position>): void {
  for (const [source, at] of found) positions.set(source, laterOf(positions.get(source) ?? at, at))
}

const noStream = (source: string): ArbeesError =>
  new ArbeesError('NO_STREAM', `no stream of Redis holds '${source}'`, {
    exit: EXIT.USAGE,
    hint: 'the mirror writes what the publishers of a deployment send, and no replay: read it from the bus, --transport zmq',
  })

/** What each stream has behind its place, at most `count`; waits a while for something when there is nothing. */
async function read(
  redis: RedisClient,
  places: ReadonlyMap<string, string>,
  count: number,
  waits: boolean,
): Promise<ReadonlyMap<string, StreamBatch>> {
  const streams = [...places.keys(), ...places.values()]
  const reply = waits
    ? await redis.xreadBuffer('COUNT', count, 'BLOCK', BLOCK_MS, 'STREAMS', ...streams)
    : await redis.xreadBuffer('COUNT', count, 'STREAMS', ...streams)
  return new Map(
    (reply ?? []).map(([name, entries]) => {
      const key = name.toString('utf8')
      return [key, { key, entries, isFull: entries.length >= count }]
    }),
  )
}

/** Everything lies behind it. */
const NOTHING: Position = { epoch: 0, seq: 0 }
