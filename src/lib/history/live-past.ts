/**
 * What goes on, as a past that does not end: gap-filled from where its reader is. Whoever takes it slower than it comes
 * is given no more than fits into memory; the rest is pulled when there is room again.
 */

import type { Gap } from '../bus/gap.js'
import type { Position } from '../bus/position.js'
import type { Received, ReceivedLegacy } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import type { Settings } from '../core/config.js'
import type { BusReader, BusReaderOptions } from './bus-reader.js'
import { openBusReader } from './open-bus-reader.js'
import type { PastItem, PastMessage, PastPages } from './past.js'

export interface LivePastOptions {
  readonly transport: Settings['transport']
  readonly reader: Pick<
    BusReaderOptions,
    'name' | 'redisUrl' | 'endpoints' | 'prefixes' | 'env' | 'clock' | 'keys' | 'onProblem' | 'onRedisDown'
  >
  /** What its reader has of a source; `live`: nothing. */
  readonly startAt: (source: string) => Position | 'live'
  /** What is read and not wanted; everything is when not said. */
  readonly wants?: (received: Received) => boolean
}

/** What waits to be taken. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** Of the objects around a message. */
const OVERHEAD_BYTES = 200
/** Empty pages come so often: their reader may have something else to do. */
const IDLE_MS = 250
/** A publisher that lives and does not answer is given so long before its hole is a gap. */
const OUT_OF_REACH_MS = 10_000

/** Ends with the signal, after what has come. Throws `UNKNOWN_KEY`, `BAD_REDIS_URL` (exit 4). */
export async function* readLive(options: LivePastOptions, signal: AbortSignal): PastPages {
  const waiting = new LiveReader(options)
  try {
    while (!signal.aborted) yield await waiting.take(signal)
    yield waiting.takeNow()
  } finally {
    waiting.close()
  }
}

class LiveReader {
  private items: PastItem[] = []
  private bytes = 0
  private reader: BusReader | undefined
  /** Where the reader before this one was. */
  private readonly positions = new Map<string, Position>()
  private wake: () => void = () => undefined

  constructor(private readonly options: LivePastOptions) {
    this.open()
  }

  takeNow(): readonly PastItem[] {
    const { items } = this
    this.items = []
    this.bytes = 0
    return items
  }

  async take(signal: AbortSignal): Promise<readonly PastItem[]> {
    if (this.items.length > 0) return this.takeNow()
    // Everything that was taken is out of the house: there is room again.
    if (this.reader === undefined) this.open()
    const came = new AbortController()
    const onAbort = () => came.abort()
    signal.addEventListener('abort', onAbort, { once: true })
    this.wake = onAbort
    await sleep(IDLE_MS, came.signal)
    signal.removeEventListener('abort', onAbort)
    return this.takeNow()
  }

  close(): void {
    this.reader?.close()
    this.reader = undefined
  }

  private open(): void {
    const { reader, transport, startAt, wants } = this.options
    // What a closed one still hands on is not taken: the next one pulls it.
    const unlessClosed = (give: () => void) => {
      if (this.reader === opened) give()
    }
    const opened: BusReader = openBusReader(transport, {
      ...reader,
      mode: 'gap-filled',
      startAt: (source) => this.positions.get(source) ?? startAt(source),
      outOfReachMs: OUT_OF_REACH_MS,
      onMessage: (received) =>
        unlessClosed(() => {
          if (wants?.(received) !== false) this.add(pastMessage(received), received.bytes.length)
        }),
      onLegacy: (received) =>
        unlessClosed(() => this.add(legacyItem(received, reader.clock.nowMs()), received.bytes.length)),
      onGap: (gap) => unlessClosed(() => this.add(gapItem(gap, reader.clock.nowMs()), 0)),
    })
    this.reader = opened
  }

  private add(item: PastItem, bytes: number): void {
    this.items.push(item)
    this.bytes += bytes + OVERHEAD_BYTES
    this.wake()
    if (this.bytes > MAX_WAITING_BYTES) this.pause()
  }

  private pause(): void {
    const { reader } = this
    for (const { sources } of this.options.reader.endpoints) {
      for (const source of sources) {
        const at = reader?.position(source)
        if (at !== undefined) this.positions.set(source, { epoch: at.epoch, seq: at.seq })
      }
    }
    this.close()
  }
}

export const pastMessage = ({ message: { header }, topic, bytes }: Received): PastMessage => ({
  kind: 'message',
  source: header.source,
  topic,
  epoch: header.epoch,
  seq: header.seq,
  timestampMs: header.timestamp_ms,
  data: bytes,
})

/** As of now where its sender does not say when. */
export function legacyItem({ legacy, source, topic, bytes }: ReceivedLegacy, nowMs: number): PastMessage {
  const sentMs = legacy.body['timestamp_ms']
  const timestampMs = typeof sentMs === 'number' ? sentMs : nowMs
  return { kind: 'message', source, topic, epoch: 0, seq: 0, timestampMs, data: bytes }
}

const gapItem = (gap: Gap, nowMs: number): PastItem => ({
  kind: 'gap',
  gap,
  afterMs: -Infinity,
  timestampMs: nowMs,
})
